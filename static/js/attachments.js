// Pictures and files on their way into a message: chosen, dropped or pasted, uploaded at once, shown as chips.
import { api } from "./api.js";
import { text } from "./strings.js";
import { report, toast } from "./toast.js";

const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"];

export class Attachments {
  /** An upload says which conversation it is for: a private one keeps it off public hosts from the start. */
  constructor(form, announce, conversationId) {
    this.conversationId = conversationId;
    this.list = form.querySelector("#chips");
    this.template = form.querySelector("#chip");
    this.announce = announce;
    this.uploads = new Map();
    const input = form.querySelector("#file");
    this.maxMegabytes = Number(input.dataset.maxMegabytes);
    form.querySelector("#attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add(input.files);
      input.value = "";
    });
    form.addEventListener("paste", (event) => this.#paste(event));
    acceptDrops(form, (files) => this.add(files));
  }

  #paste(event) {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    this.add(event.clipboardData.files);
  }

  add(files) {
    for (const file of files) {
      const refusal = this.#refusal(file);
      if (refusal) toast(`${file.name}: ${refusal}`, { bad: true });
      else this.#upload(file);
    }
  }

  /** What the server would say, before anything is sent; empty when it has to be asked. */
  #refusal(file) {
    if (!TYPES.includes(file.type)) return text("not_attachable");
    const isTooLarge = file.size > this.maxMegabytes * 1e6;
    return isTooLarge ? text("too_large", { n: this.maxMegabytes }) : "";
  }

  async #upload(file) {
    const chip = this.#chip(file);
    const body = new FormData();
    body.append("file", file);
    const conversation = this.conversationId();
    if (conversation) body.append("conversation_id", conversation);
    const upload = api("POST", "/api/uploads", body);
    this.uploads.set(chip, upload);
    this.announce(`${text("uploading")}: ${file.name}`);
    try {
      const image = await upload;
      if (image.kind === "picture") chip.querySelector("img").src = `${image.src}?w=256`;
      chip.classList.remove("chip--busy");
      this.announce(text("uploaded"));
    } catch (error) {
      if (this.uploads.has(chip)) report(error, file.name);
      this.#drop(chip);
    }
  }

  #chip(file) {
    const chip = this.template.content.firstElementChild.cloneNode(true);
    chip.classList.add("chip--busy");
    chip.querySelector("img").hidden = file.type === "application/pdf";
    chip.querySelector(".chip__picture--file").hidden = file.type !== "application/pdf";
    chip.querySelector(".chip__name").textContent = file.name;
    const button = chip.querySelector("button");
    button.querySelector("span").textContent = `${text("remove")}: ${file.name}`;
    button.addEventListener("click", () => this.#drop(chip));
    this.list.append(chip);
    this.list.hidden = false;
    return chip;
  }

  #drop(chip) {
    this.uploads.delete(chip);
    chip.remove();
    this.list.hidden = this.uploads.size === 0;
  }

  get isEmpty() {
    return this.uploads.size === 0;
  }

  /** Wait for every upload and return the ids of what they became; throws the first `Problem`. */
  async ids() {
    const images = await Promise.all(this.uploads.values());
    return images.map((image) => image.id);
  }

  clear() {
    for (const chip of [...this.uploads.keys()]) this.#drop(chip);
  }
}

function acceptDrops(form, take) {
  const over = (event, isOver) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    form.classList.toggle("composer--over", isOver);
  };
  document.addEventListener("dragover", (event) => over(event, true));
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(event, false);
  });
  document.addEventListener("drop", (event) => {
    over(event, false);
    if (event.dataTransfer.files.length) take(event.dataTransfer.files);
  });
}
