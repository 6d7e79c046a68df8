// Questions before something is destroyed, and menus that close when one looks elsewhere.
import { text } from "./strings.js";

/** Ask; resolves to false, or, when the person chose the action, to `{ option }`: whether the box was ticked. */
export function confirmed({ title, detail, action = text("delete"), option = "" }) {
  const dialog = document.getElementById("confirm");
  const box = dialog.querySelector("[data-confirm-option]");
  box.hidden = !option;
  box.querySelector("span").textContent = option;
  box.querySelector("input").checked = false;
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = detail;
  dialog.querySelector("[data-confirm-yes]").textContent = action;
  dialog.returnValue = "cancel";
  dialog.showModal();
  dialog.querySelector("[data-confirm-no]").focus();
  return new Promise((resolve) => {
    const answer = () => dialog.returnValue === "yes" && { option: box.querySelector("input").checked };
    dialog.addEventListener("close", () => resolve(answer()), { once: true });
  });
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

/** Buttons that only close the dialog they are in; as submit buttons they would be what Enter presses. */
export function startDialogs() {
  for (const button of document.querySelectorAll("[data-dialog-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close("cancel"));
  }
}

export function startMenus() {
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
