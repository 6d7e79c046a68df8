// The chat page: joins the message list, the stream, the composer and the dialogs.
import { startActions } from "./actions.js";
import { api, loginPath } from "./api.js";
import { Autoscroll } from "./autoscroll.js";
import { Composer } from "./composer.js";
import { startLightbox } from "./lightbox.js";
import { startPrivacy } from "./privacy.js";
import { ShareDialog } from "./share.js";
import { Sidebar } from "./sidebar.js";
import { Stream } from "./stream.js";
import { text } from "./strings.js";
import { report } from "./toast.js";
import { Transcript } from "./transcript.js";

const list = document.getElementById("messages");
const welcome = document.getElementById("welcome");
const shareButton = document.getElementById("share-open");
const transcript = new Transcript(list);
const sidebar = new Sidebar(transcript.conversationId);
const share = new ShareDialog(() => transcript.conversationId);
const scroll = new Autoscroll(document.getElementById("scroll"), list, document.getElementById("to-end"));
const composer = new Composer(document.getElementById("composer"), {
  draftKey: () => `draft:${transcript.conversationId}`,
  send,
  stop,
  announce,
  conversationId: () => transcript.conversationId,
});

let stream = null;
let work = Promise.resolve();

/** Do one thing after the other: pieces of text must wait until the message they belong to is there. */
function enqueue(task) {
  work = work.then(task).catch(report).finally(settle);
}

function settle() {
  composer.setActive(Boolean(transcript.active));
  welcome.hidden = Boolean(transcript.conversationId && list.childElementCount);
}

function announce(words) {
  document.getElementById("announcer").textContent = words;
}

function listen(after) {
  stream = new Stream(transcript.conversationId, after, {
    onEvent: (kind, data) => EVENTS[kind](data),
    onLine: showLine,
  });
}

/** Tell how the line is; one that ended for good comes with the way on. */
function showLine(state) {
  const note = document.getElementById("line-state");
  note.textContent = state === "open" ? "" : text(`line_${state}`);
  const ways = { gone: ["/", "new_chat"], logged_out: [loginPath(), "log_in"] };
  if (!ways[state]) return;
  const [href, words] = ways[state];
  note.append(" ", Object.assign(document.createElement("a"), { href, textContent: text(words) }));
}

const waiting = new Set();

/** Several changes of one message in a row need only one new rendering. */
function refresh(messageId) {
  if (waiting.has(messageId)) return;
  waiting.add(messageId);
  enqueue(() => {
    waiting.delete(messageId);
    return transcript.refresh(messageId);
  });
}

const EVENTS = {
  message: ({ message_id: id }) => enqueue(() => transcript.ensure(id)),
  delta: ({ message_id: id, text: piece, offset }) =>
    enqueue(() => transcript.append(id, piece, offset) || transcript.refresh(id)),
  progress: (data) => enqueue(() => transcript.progress(data.message_id, data)),
  stored: ({ message_id: id }) => refresh(id),
  failed: ({ message_id: id }) => refresh(id),
  updated: ({ message_id: id }) => refresh(id),
  removed: ({ message_id: id }) => enqueue(() => transcript.remove(id)),
  conversation: ({ id, title }) => sidebar.setTitle(id, title),
  done: ({ message_id: id, status }) => {
    refresh(id);
    announce(text(status === "cancelled" ? "stopped" : "answer_ready"));
  },
};

async function begin() {
  if (transcript.conversationId) return;
  const { id } = await api("POST", "/api/conversations", {});
  composer.forgetDraft();
  list.dataset.conversationId = id;
  composer.keepDraft();
  history.replaceState(null, "", `/c/${id}`);
  sidebar.add(id);
  shareButton.hidden = false;
}

async function send(content, images) {
  await begin();
  const answer = await api("POST", `/api/conversation/${transcript.conversationId}/messages`, { content, images });
  if (!stream) listen(0);
  scroll.toEnd();
  answered(answer);
}

/** Show at once what a request answered with; the stream says the same a little later. */
function answered({ message_id: id, user_message_id: userId }) {
  for (const messageId of [userId, id]) {
    if (messageId) enqueue(() => transcript.ensure(messageId));
  }
}

function replaced(answer, oldId) {
  if (answer.message_id === oldId) refresh(oldId);
  else enqueue(() => transcript.remove(oldId));
  answered(answer);
  scroll.toEnd();
}

function edited(answer, messageId) {
  transcript.removeAfter(messageId);
  refresh(messageId);
  answered(answer);
  scroll.toEnd();
}

async function stop() {
  const id = transcript.active?.dataset.messageId;
  if (id) await api("POST", `/api/conversation/${transcript.conversationId}/messages/${id}/cancel`, {});
}

startActions(list, {
  path: (messageId) => `/api/conversation/${transcript.conversationId}/messages/${messageId}`,
  replaced,
  edited,
  fill: (words) => composer.fill(words),
  share: () => share.open(),
});
shareButton.addEventListener("click", () => share.open());
for (const idea of document.querySelectorAll("[data-idea]")) {
  idea.addEventListener("click", () => composer.fill(idea.textContent.trim()));
}
startLightbox(list);
startPrivacy({ begin, conversationId: () => transcript.conversationId, announce });
settle();
if (transcript.conversationId) listen(Number(list.dataset.lastSeq));
if (matchMedia("(hover: hover)").matches) document.getElementById("prompt").focus();
