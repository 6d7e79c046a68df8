// The event stream of a conversation: native EventSource, resumed by number, patient with dropped lines.
const KINDS = ["message", "delta", "progress", "stored", "failed", "updated", "removed", "conversation", "done"];
/** What an answer of that status means; any other is worth another try. */
const REFUSALS = { 401: "logged_out", 404: "gone" };
const LONGEST_WAIT_SECONDS = 20;

export class Stream {
  /** `onEvent(kind, data)` gets what happens in order; `onLine(state)` hears how the line is:
   * `open`, `reconnecting`, or for good `gone` (no such conversation any more) or `logged_out`. */
  constructor(conversationId, after, { onEvent, onLine }) {
    this.path = `/api/conversation/${conversationId}`;
    this.after = after;
    this.onEvent = onEvent;
    this.onLine = onLine;
    this.failures = 0;
    this.open();
  }

  open() {
    this.source = new EventSource(`${this.path}/events?after=${this.after}`);
    this.source.addEventListener("open", () => {
      this.failures = 0;
      this.onLine("open");
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
    this.onLine("reconnecting");
    // A browser reconnects by itself after a dropped line, but gives up when the answer is an error.
    if (this.source.readyState !== EventSource.CLOSED) return;
    const reason = await refusal(this.path);
    if (reason) {
      this.onLine(reason);
      return;
    }
    this.failures += 1;
    const seconds = Math.min(LONGEST_WAIT_SECONDS, 2 ** this.failures) * (0.5 + Math.random() / 2);
    setTimeout(() => this.open(), 1000 * seconds);
  }
}

/** Why the server will not open the stream again, or nothing when it may. */
async function refusal(path) {
  try {
    return REFUSALS[(await fetch(path, { method: "HEAD", credentials: "same-origin" })).status];
  } catch {
    return undefined;
  }
}
