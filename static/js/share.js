// The share dialog: make a link, copy it once, revoke links of this conversation.
import { api } from "./api.js";
import { copyField } from "./clipboard.js";
import { confirmed } from "./dialogs.js";
import { text } from "./strings.js";
import { report } from "./toast.js";

/** The unrevoked links to a conversation, newest first. */
export async function sharesOf(conversationId) {
  const found = [];
  let cursor = null;
  do {
    const query = new URLSearchParams({ conversation_id: conversationId, ...(cursor && { cursor }) });
    const page = await api("GET", `/api/shares?${query}`);
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

export class ShareDialog {
  constructor(conversationId) {
    this.conversationId = conversationId;
    this.dialog = document.getElementById("share");
    this.form = document.getElementById("share-form");
    this.result = document.getElementById("share-result");
    this.url = document.getElementById("share-url");
    this.qr = document.getElementById("share-qr");
    this.list = document.getElementById("share-list");
    copyField(this.url, document.getElementById("share-copy"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#create().catch(report);
    });
  }

  open() {
    this.form.reset();
    this.result.hidden = true;
    this.dialog.showModal();
    this.#show().catch(report);
  }

  async #create() {
    const { live, expires_in: expiresIn, password } = this.form.elements;
    const wish = { live: live.value === "live" };
    if (expiresIn.value) wish.expires_in = Number(expiresIn.value);
    if (password.value) wish.password = password.value;
    const { url, qr } = await api("POST", `/api/conversation/${this.conversationId()}/share`, wish);
    this.url.value = new URL(url, location.href).href;
    this.qr.src = qr;
    this.result.hidden = false;
    this.url.focus();
    await this.#show();
  }

  async #show() {
    const shares = await sharesOf(this.conversationId());
    this.list.replaceChildren(...shares.map((share) => this.#row(share)));
    if (!shares.length) {
      const none = Object.assign(document.createElement("li"), { textContent: text("no_shares") });
      none.className = "faint small";
      this.list.append(none);
    }
  }

  #row(share) {
    const row = document.getElementById("share-row").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-kind]").textContent = text(share.live ? "live" : "snapshot");
    row.querySelector("[data-detail]").textContent = describe(share);
    row.querySelector("[data-revoke]").addEventListener("click", () => this.#revoke(share).catch(report));
    return row;
  }

  async #revoke(share) {
    const question = { title: text("revoke_share"), detail: text("revoke_share_text"), action: text("revoke") };
    if (!(await confirmed(question))) return;
    await api("DELETE", `/api/shares/${share.id}`);
    this.result.hidden = true;
    await this.#show();
  }
}

function describe(share) {
  const date = (moment) => new Date(moment).toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" });
  const parts = [date(share.created_at)];
  const end = share.state === "expired" ? "expired" : "expires";
  parts.push(share.expires_at ? text(end, { date: date(share.expires_at) }) : text("never"));
  if (share.has_password) parts.push(text("password"));
  parts.push(text(share.views === 1 ? "view" : "views", { n: share.views }));
  return parts.join(" · ");
}
