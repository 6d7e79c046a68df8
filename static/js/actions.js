// What the buttons on messages and pictures do.
import { api } from "./api.js";
import { copy } from "./clipboard.js";
import { confirmed } from "./dialogs.js";
import { text } from "./strings.js";
import { report, toast } from "./toast.js";

/** Listen on the message list; `chat` gives `path(id)`, `replaced(answer, id)`, `edited(answer, id)`, `fill(text)`, `share()`. */
export function startActions(list, chat) {
  list.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-action]");
    if (!button) return;
    button.disabled = true;
    try {
      await ACTIONS[button.dataset.action](button, button.closest("[data-message-id]"), chat);
    } catch (error) {
      report(error);
    } finally {
      button.disabled = false;
    }
  });
}

async function answerAgain(button, message, chat) {
  const { messageId } = message.dataset;
  chat.replaced(await api("POST", `${chat.path(messageId)}/regenerate`, {}), messageId);
}

const ACTIONS = {
  copy: (button) => copy(button.dataset.source, button),
  retry: answerAgain,
  regenerate: answerAgain,
  open: (button) => button.closest("[data-image-id]").querySelector("[data-lightbox]").click(),
  reuse: (button, message, chat) => chat.fill(`/image ${button.dataset.prompt}`),
  share: (button, message, chat) => chat.share(),
  edit: editMessage,
  "delete-image": (button) => remove(button, "picture"),
  "delete-file": (button) => remove(button, "file"),
};

async function remove(button, kind) {
  const card = button.closest("[data-image-id]");
  const question = { title: text(`delete_${kind}`), detail: text("delete_picture_text") };
  if (!(await confirmed(question))) return;
  const path = `/api/images/${card.dataset.imageId}`;
  await api("DELETE", path);
  card.remove();
  // When it is back, the stream shows it again on every open page.
  toast(text(`${kind}_deleted`), { offer: { words: text("undo"), act: () => api("POST", `${path}/untrash`, {}) } });
}

function editMessage(button, message, chat) {
  const shown = message.querySelector("[data-text]");
  if (message.querySelector("form.edit")) return;
  const form = document.getElementById("edit-form").content.firstElementChild.cloneNode(true);
  const field = form.querySelector("textarea");
  const close = () => {
    form.remove();
    shown.hidden = false;
    message.querySelector('[data-action="edit"]')?.focus();
  };
  field.value = button.dataset.source;
  shown.hidden = true;
  shown.after(form);
  field.focus();
  form.addEventListener("keydown", (event) => event.key === "Escape" && close());
  form.querySelector("[data-edit-cancel]").addEventListener("click", close);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sendEdited(field.value.trim(), message, chat, close).catch(report);
  });
}

async function sendEdited(content, message, chat, close) {
  if (!content) return;
  const { messageId } = message.dataset;
  const answer = await api("POST", `${chat.path(messageId)}/edit`, { content });
  close();
  chat.edited(answer, messageId);
}
