// The event stream of a conversation: native EventSource, resumed by number, patient with dropped lines.
import { goToLogin } from "./api.js";

const KINDS = ["message", "delta", "progress", "stored", "failed", "updated", "removed", "conversation", "done"];
const LONGEST_WAIT_SECONDS = 20;

export class Stream {
  /** `onEvent(kind, data)` gets what happens in order; `onLine(connected)` hears of drops and returns. */
  constructor(conversationId, after, { onEvent, onLine }) {
    this.path = `/api/conversation/${conversationId}/events`;
    this.after = after;
    this.onEvent = onEvent;
    this.onLine = onLine;
    this.failures = 0;
    this.open();
  }

  open() {
    this.source = new EventSource(`${this.path}?after=${this.after}`);
    this.source.addEventListener("open", () => {
      this.failures = 0;
      this.onLine(true);
    });
    this.source.addEventListener("error", () => this.#dropped());
    for (const kind of KINDS) this.source.addEventListener(kind, (event) => this.#receive(kind, event));
  }

  #receive(kind, event) {
    const seq = Number(event.lastEventId);
    // "message" is also what an event without a name is called.
    if (!event.data || seq <= this.after) return;
    this.after = seq;
    this.onEvent(kind, JSON.parse(event.data));
  }

  async #dropped() {
    this.onLine(false);
    // A browser reconnects by itself after a dropped line, but gives up when the answer is an error.
    if (this.source.readyState !== EventSource.CLOSED) return;
    if (await loggedOut()) {
      goToLogin();
      return;
    }
    this.failures += 1;
    const seconds = Math.min(LONGEST_WAIT_SECONDS, 2 ** this.failures) * (0.5 + Math.random() / 2);
    setTimeout(() => this.open(), 1000 * seconds);
  }
}

async function loggedOut() {
  try {
    return (await fetch("/api/auth/me", { credentials: "same-origin" })).status === 401;
  } catch {
    return false;
  }
}
