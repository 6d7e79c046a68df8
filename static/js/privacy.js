// The lock of a conversation: what it shows stays off public hosts.
import { api } from "./api.js";
import { confirmed } from "./dialogs.js";
import { text } from "./strings.js";
import { report } from "./toast.js";

/** Start the button if the page has one; `begin` opens the conversation when there is none yet. */
export function startPrivacy({ begin, conversationId, announce }) {
  const button = document.getElementById("private-toggle");
  button?.addEventListener("click", () => toggle(button, { begin, conversationId, announce }).catch(report));
}

async function toggle(button, { begin, conversationId, announce }) {
  const wanted = button.getAttribute("aria-pressed") !== "true";
  const what = wanted ? "make_private" : "make_public";
  const question = { title: text(what), detail: text(`${what}_text`), action: text(`${what}_do`) };
  if (!(await confirmed(question))) return;
  await begin();
  await api("PATCH", `/api/conversation/${conversationId()}`, { private: wanted });
  button.setAttribute("aria-pressed", String(wanted));
  announce(text(wanted ? "made_private" : "made_public"));
}
