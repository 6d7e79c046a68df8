// Pictures come in softly: a blurred placeholder first, the cloud copy only once it is fully decoded, never a broken one.
import { thumbHashToRGBA } from "../vendor/thumbhash-0.1.1/thumbhash.js";

function drawPlaceholder(link) {
  const bytes = Uint8Array.from(atob(link.dataset.thumbhash), (character) => character.charCodeAt(0));
  const { w, h, rgba } = thumbHashToRGBA(bytes);
  const canvas = document.createElement("canvas");
  canvas.className = "hash";
  canvas.width = w;
  canvas.height = h;
  canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(rgba), w, h), 0, 0);
  link.prepend(canvas);
  return canvas;
}

function soften(link) {
  const image = link.querySelector("img");
  if (image.complete && image.naturalWidth) return;
  const canvas = drawPlaceholder(link);
  const waiting = `${link.classList[0]}--waiting`;
  link.classList.add(waiting);
  image.addEventListener("load", () => {
    link.classList.remove(waiting);
    // Transparent pictures must not keep the blur behind them.
    setTimeout(() => canvas.remove(), 300);
  }, { once: true });
}

async function showFrom(image, url) {
  const probe = new Image();
  probe.referrerPolicy = "no-referrer";
  probe.src = url;
  await probe.decode();
  image.referrerPolicy = "no-referrer";
  image.removeAttribute("srcset");
  image.src = url;
  image.dataset.shownFrom = "cloud";
}

async function preferCloud(image) {
  try {
    await showFrom(image, image.dataset.cloudSrc);
  } catch {
    // The server's own copy stays: the host is down, blocked or sends something else.
  }
}

const nearView = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    nearView.unobserve(target);
    preferCloud(target);
  }
}, { rootMargin: "300px" });

function admitFailure(image) {
  image.addEventListener("error", () => {
    const note = image.parentElement.querySelector(".card__missing");
    if (note) note.hidden = false;
  });
  image.addEventListener("load", () => {
    const note = image.parentElement.querySelector(".card__missing");
    if (note) note.hidden = true;
  });
}

const dressed = new WeakSet();

function forEachNew(root, selector, prepare) {
  for (const element of root.querySelectorAll(selector)) {
    if (dressed.has(element)) continue;
    dressed.add(element);
    prepare(element);
  }
}

/** Prepare the pictures and times inside `root` that were not prepared before. */
export function dress(root) {
  forEachNew(root, "[data-thumbhash]", soften);
  forEachNew(root, ".card__open img", (image) => {
    admitFailure(image);
    if (image.dataset.cloudSrc) nearView.observe(image);
  });
  forEachNew(root, "time[datetime]", localise);
  forEachNew(root, ".prose pre", letKeysScroll);
}

function letKeysScroll(block) {
  if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
}

function localise(time) {
  const moment = new Date(time.dateTime);
  const sameDay = moment.toDateString() === new Date().toDateString();
  const style = sameDay ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  time.textContent = moment.toLocaleString(document.documentElement.lang, style);
}
