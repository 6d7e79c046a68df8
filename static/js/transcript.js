// The list of messages: every message is rendered by the server and fetched as a fragment when it comes or changes.
import { fragment } from "./api.js";
import { dress, isShown } from "./pictures.js";
import { text } from "./strings.js";

const ACTIVE = ["queued", "streaming"];
const STAGES = ["queued", "generating", "saving"];

export class Transcript {
  constructor(list) {
    this.list = list;
  }

  get conversationId() {
    return this.list.dataset.conversationId;
  }

  find(messageId) {
    return this.list.querySelector(`:scope > [data-message-id="${CSS.escape(messageId)}"]`);
  }

  /** The message that is being written or drawn now, if there is one. */
  get active() {
    return [...this.list.children].findLast((message) => ACTIVE.includes(message.dataset.status));
  }

  async #fetch(messageId) {
    try {
      return await fragment(`/c/${this.conversationId}/messages/${messageId}`);
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  /** Show a message unless it is shown already. */
  async ensure(messageId) {
    if (this.find(messageId)) return;
    const message = await this.#fetch(messageId);
    if (!message) return;
    this.list.append(message);
    dress(message);
  }

  /** Render a message anew, or take it away when it is gone; one that is being edited waits. */
  async refresh(messageId) {
    const old = this.find(messageId);
    if (!old || old.querySelector("form.edit")) return;
    const message = await this.#fetch(messageId);
    if (message) this.#swap(old, message);
    else old.remove();
  }

  #swap(old, message) {
    keepPictures(old, message);
    keepStreamed(old, message);
    const focused = old.contains(document.activeElement) && placeOf(document.activeElement);
    old.replaceWith(message);
    dress(message);
    if (focused) message.querySelector(focused)?.focus({ preventScroll: true });
  }

  remove(messageId) {
    this.find(messageId)?.remove();
  }

  removeAfter(messageId) {
    const message = this.find(messageId);
    while (message?.nextElementSibling) message.nextElementSibling.remove();
  }

  /** Add streamed text that stands `offset` characters into the answer; false when a piece before it is missing. */
  append(messageId, piece, offset) {
    const message = this.find(messageId);
    const target = message?.querySelector("[data-stream]");
    if (!target) return true;
    message.dataset.status = "streaming";
    // The server counts characters, JavaScript counts UTF-16 units.
    const shown = [...target.textContent].length;
    if (offset > shown) return false;
    target.append([...piece].slice(shown - offset).join(""));
    return true;
  }

  /** Move the bars of the pictures in the making; only one of them speaks. */
  progress(messageId, { index, fraction, stage, eta_seconds: eta }) {
    const message = this.find(messageId);
    if (!ACTIVE.includes(message?.dataset.status)) return;
    message.dataset.status = "streaming";
    const cards = pendingCards(message);
    for (const card of cards) {
      const bar = card.querySelector("progress");
      if (fraction === null || fraction === undefined) bar.removeAttribute("value");
      else bar.value = fraction;
    }
    const speaker = cards.find((card) => card.dataset.index === String(index)) ?? cards[0];
    const label = speaker.querySelector("[data-progress-label]");
    const words = progressWords(stage, fraction, eta);
    if (label.textContent !== words) label.textContent = words;
  }
}

/** The bars of a message; a picture that the model chose to draw has none until its first progress. */
function pendingCards(message) {
  const cards = [...message.querySelectorAll(".card--pending")];
  if (cards.length) return cards;
  const card = document.getElementById("pending-card").content.firstElementChild.cloneNode(true);
  message.querySelector("[data-cards]").append(card);
  return [card];
}

/** In steps of five per cent, so that a screen reader is not flooded. */
function progressWords(stage, fraction, eta) {
  const parts = [text(STAGES.includes(stage) ? stage : "generating")];
  if (fraction > 0) parts.push(`${Math.floor(fraction * 20) * 5} %`);
  if (eta > 1) parts.push(text("seconds_left", { n: eta > 10 ? Math.ceil(eta / 5) * 5 : Math.ceil(eta) }));
  return parts.join(" · ");
}

/** Carry pictures and opened details over, so that a refreshed message does not blink. */
function keepPictures(old, message) {
  for (const card of old.querySelectorAll("[data-image-id]")) {
    const fresh = message.querySelector(`[data-image-id="${CSS.escape(card.dataset.imageId)}"]`);
    if (!fresh) continue;
    const [here, next] = [card, fresh].map((one) => one.querySelector("img"));
    // One that has arrived stays although the cloud has it by now: nothing is loaded twice.
    if (isShown(here) || (!here.complete && here.dataset.cloudSrc === next.dataset.cloudSrc)) next.replaceWith(here);
    fresh.querySelector("details.copies").open = card.querySelector("details.copies").open;
  }
}

/** Streamed text may be ahead of a fragment that was rendered a moment ago. */
function keepStreamed(old, message) {
  const [shown, fresh] = [old, message].map((one) => one.querySelector("[data-stream]"));
  if (shown && fresh && shown.textContent.length > fresh.textContent.length) fresh.replaceWith(shown);
}

function placeOf(element) {
  const action = element.dataset.action;
  const card = element.closest("[data-image-id]");
  const scope = card ? `[data-image-id="${CSS.escape(card.dataset.imageId)}"] ` : "";
  if (action) return `${scope}[data-action="${action}"]`;
  return card ? scope + (element.matches("summary") ? "summary" : "a") : null;
}
