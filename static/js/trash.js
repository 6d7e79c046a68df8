// The trash: ticking tiles, and a question before anything is deleted for good.
import { confirmed } from "./dialogs.js";
import { text } from "./strings.js";

const form = document.getElementById("trash-form");
const boxes = () => [...form.querySelectorAll('input[name="id"]')];

function showChoice() {
  const all = document.getElementById("trash-all");
  const chosen = boxes().filter((box) => box.checked).length;
  for (const button of form.querySelectorAll("[data-needs-choice]")) button.disabled = chosen === 0;
  document.getElementById("trash-count").textContent = chosen ? text("selected", { n: chosen }) : "";
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

async function askFirst(event) {
  const button = event.submitter;
  if (button?.value !== "delete") return;
  event.preventDefault();
  const { confirmTitle: title, confirmText: detail, confirmAction: action } = button.dataset;
  if (!(await confirmed({ title, detail, action }))) return;
  // submit() raises no second question; what the pressed button says goes along in its place.
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value }));
  form.submit();
}

if (form) {
  for (const hidden of form.querySelectorAll(".trash__all, [data-needs-choice]")) hidden.hidden = false;
  form.addEventListener("change", ({ target }) => {
    if (target.id === "trash-all") for (const box of boxes()) box.checked = target.checked;
    showChoice();
  });
  form.addEventListener("submit", askFirst);
  document.addEventListener("htmx:after:swap", showChoice);
  showChoice();
}
