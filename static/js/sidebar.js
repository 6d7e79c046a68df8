// The list of conversations: rename, delete, the drawer on a phone.
import { api } from "./api.js";
import { confirmed } from "./dialogs.js";
import { sharesOf } from "./share.js";
import { text } from "./strings.js";
import { report } from "./toast.js";

export class Sidebar {
  constructor(currentId) {
    this.currentId = currentId;
    this.list = document.getElementById("conversations");
    this.list.addEventListener("click", (event) => {
      const id = event.target.closest("[data-conversation]")?.dataset.conversation;
      if (event.target.closest("[data-rename]")) this.#rename(id).catch(report);
      if (event.target.closest("[data-delete]")) this.#delete(id).catch(report);
    });
    startDrawer();
  }

  #row(id) {
    return this.list.querySelector(`[data-conversation="${CSS.escape(id)}"]`);
  }

  /** Put a conversation that was just begun on top and mark it as the current one. */
  add(id) {
    const row = document.getElementById("conversation-row").content.firstElementChild.cloneNode(true);
    row.dataset.conversation = id;
    const link = row.querySelector("a");
    link.href = `/c/${id}`;
    document.querySelector(".sidebar__link--main").removeAttribute("aria-current");
    link.setAttribute("aria-current", "page");
    this.list.prepend(row);
    this.currentId = id;
  }

  setTitle(id, title) {
    const shown = title || text("new_conversation");
    const row = this.#row(id);
    if (row) row.querySelector("a").textContent = shown;
    if (id !== this.currentId) return;
    document.getElementById("conversation-title").textContent = shown;
    document.title = `${shown} · ChatBot`;
  }

  async #rename(id) {
    const dialog = document.getElementById("rename");
    const field = dialog.querySelector("input");
    field.value = this.#row(id).querySelector("a").textContent.trim();
    dialog.returnValue = "cancel";
    dialog.showModal();
    field.select();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "save") return;
    const title = field.value.trim();
    await api("PATCH", `/api/conversation/${id}`, { title });
    this.setTitle(id, title);
  }

  async #delete(id) {
    const shared = (await sharesOf(id)).some((share) => share.state === "open");
    const answer = await confirmed({
      title: text("delete_conversation"),
      detail: text(shared ? "delete_shared_text" : "delete_conversation_text"),
      option: shared ? text("delete_shared_option") : "",
    });
    if (!answer || !(await this.#deleted(id, answer.option))) return;
    if (id === this.currentId) location.assign("/");
    else this.#row(id).remove();
  }

  /** Delete a conversation; one that its links cannot keep goes with them, if the person agrees. */
  async #deleted(id, withLinks) {
    try {
      await api("DELETE", `/api/conversation/${id}${withLinks ? "?revoke_shares=true" : ""}`);
    } catch (problem) {
      if (problem.kind !== "too-long-to-keep") throw problem;
      const question = { title: text("delete_long"), detail: text("delete_long_text"), action: text("delete_long_do") };
      return (await confirmed(question)) && this.#deleted(id, true);
    }
    return true;
  }
}

function startDrawer() {
  const sidebar = document.getElementById("sidebar");
  const opener = document.querySelector("[data-sidebar-open]");
  const backdrop = document.querySelector(".backdrop");
  const show = (open) => {
    sidebar.classList.toggle("sidebar--open", open);
    backdrop.hidden = !open;
    document.getElementById("main").inert = open;
    opener.setAttribute("aria-expanded", String(open));
    (open ? sidebar.querySelector("[data-sidebar-close]") : opener).focus();
  };
  opener.addEventListener("click", () => show(true));
  for (const closer of document.querySelectorAll("[data-sidebar-close]")) {
    closer.addEventListener("click", () => show(false));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && sidebar.classList.contains("sidebar--open")) show(false);
  });
  // A drawer left open must not block a window that became wide.
  matchMedia("(min-width: 781px)").addEventListener("change", ({ matches }) => {
    if (matches && sidebar.classList.contains("sidebar--open")) show(false);
  });
}
