// Where one writes: grows with the text, keeps a draft, offers the options of /image, sends or stops.
import { Attachments } from "./attachments.js";
import { report } from "./toast.js";

const COMMAND = /^\s*\/image(\s|$)/i;

export class Composer {
  /** `send(content, imageIds)` and `stop()` return promises; a failed send keeps everything that was typed. */
  constructor(form, { draftKey, send, stop, announce, conversationId }) {
    this.form = form;
    this.field = form.querySelector("#prompt");
    this.options = form.querySelector("#image-options");
    this.sendButton = form.querySelector("#send");
    this.stopButton = form.querySelector("#stop");
    this.attachments = new Attachments(form, announce, conversationId);
    this.draftKey = draftKey;
    this.onSend = send;
    this.busy = false;
    this.active = false;
    this.#listen(stop);
    this.fill(sessionStorage.getItem(draftKey()) ?? "", { focus: false });
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--composer-height", `${form.offsetHeight}px`);
    }).observe(form);
  }

  #listen(stop) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => {
      // While an input method composes (Vietnamese, Chinese ...) Enter belongs to it.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.form.querySelector("#draw").addEventListener("click", () => this.#toggleCommand());
    // Neither button is ever disabled: that would take the focus away. Stopping twice does no harm.
    this.stopButton.addEventListener("click", () => stop().catch(report));
  }

  #changed() {
    this.options.hidden = !COMMAND.test(this.field.value);
    this.keepDraft();
    if (CSS.supports("field-sizing", "content")) return;
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  keepDraft() {
    sessionStorage.setItem(this.draftKey(), this.field.value);
  }

  forgetDraft() {
    sessionStorage.removeItem(this.draftKey());
  }

  #toggleCommand() {
    const words = this.field.value;
    this.fill(COMMAND.test(words) ? words.replace(/^\s*\/image\s*/i, "") : `/image ${words}`);
  }

  fill(words, { focus = true } = {}) {
    this.field.value = words;
    this.#changed();
    if (!focus) return;
    this.field.focus();
    this.field.setSelectionRange(words.length, words.length);
  }

  /** The text with the chosen picture options written out, unless the person wrote them. */
  get content() {
    const words = this.field.value.trim();
    if (!COMMAND.test(words)) return words;
    const flags = [...this.options.querySelectorAll("[data-option]")]
      .filter(({ value, dataset }) => value.trim() && !words.includes(`--${dataset.option}`))
      .map(({ value, dataset }) => `--${dataset.option} ${value.trim()}`);
    return [words, ...flags].join(" ");
  }

  async #submit() {
    const content = this.content;
    if (this.busy || this.active || (!content && this.attachments.isEmpty)) return;
    this.busy = true;
    const typed = this.field.value;
    try {
      await this.onSend(content, await this.attachments.ids());
      this.attachments.clear();
      if (this.field.value === typed) this.fill("");
    } catch (error) {
      report(error);
    } finally {
      this.busy = false;
    }
  }

  /** Offer Stop instead of Send while an answer is being made. */
  setActive(active) {
    if (active === this.active) return;
    this.active = active;
    const held = [this.sendButton, this.stopButton].includes(document.activeElement);
    this.stopButton.hidden = !active;
    this.sendButton.hidden = active;
    if (held) (active ? this.stopButton : this.field).focus();
  }
}
