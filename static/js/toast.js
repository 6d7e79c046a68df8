// Short notes at the edge of the page; bad ones interrupt a screen reader and stay longer.
import { text } from "./strings.js";

const SECONDS_SHOWN = { good: 3, bad: 10, asking: 10 };

/** `offer` is a button to press while the note is there: `{ words, act }`. */
export function toast(message, { bad = false, note = "", offer = null } = {}) {
  const box = document.createElement("div");
  box.className = bad ? "toast toast--bad" : "toast";
  box.setAttribute("role", bad ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = message;
  if (note) words.append(Object.assign(document.createElement("small"), { textContent: note }));
  box.append(words);
  if (offer) box.append(offerButton(box, offer));
  if (bad) box.append(closeButton(box));
  document.getElementById("toasts").append(box);
  const kind = bad ? "bad" : offer ? "asking" : "good";
  setTimeout(() => box.remove(), 1000 * SECONDS_SHOWN[kind]);
}

function offerButton(box, { words, act }) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: words });
  button.className = "button button--quiet";
  button.addEventListener("click", () => {
    box.remove();
    act().catch(report);
  });
  return button;
}

function closeButton(box) {
  const sprite = document.querySelector('meta[name="icons"]').content;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button icon-button--small";
  button.setAttribute("aria-label", text("close"));
  button.innerHTML = '<svg class="icon" aria-hidden="true"><use></use></svg>';
  button.querySelector("use").setAttribute("href", `${sprite}#close`);
  button.addEventListener("click", () => box.remove());
  return button;
}

/** Show what went wrong; what the server has to look into comes with the reference that its log knows it by. */
export function report(error, about = "") {
  const note = error.requestId && error.status >= 500 ? `${text("request_id")}: ${error.requestId}` : "";
  const words = error.message || text("unexpected");
  toast(about ? `${about}: ${words}` : words, { bad: true, note });
}
