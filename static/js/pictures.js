// Pictures come in softly: a blurred placeholder first, then the cloud copy or else our own, never a broken one.
import { thumbHashToRGBA } from "../vendor/thumbhash-0.1.1/thumbhash.js";

/** How long a cloud host may take for a picture that is in view before the server's own copy is asked. */
const CLOUD_PATIENCE_SECONDS = 6;

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

/** Whether a picture itself is on the page, not the empty space that is kept for it. */
export function isShown(image) {
  return image.complete && image.naturalWidth > 0 && !image.src.startsWith("data:");
}

function soften(link) {
  const image = link.querySelector("img");
  if (isShown(image)) return;
  const canvas = link.dataset.thumbhash && drawPlaceholder(link);
  const waiting = `${link.classList[0]}--waiting`;
  link.classList.add(waiting);
  image.addEventListener("load", () => {
    if (!isShown(image)) return;
    link.classList.remove(waiting);
    // Transparent pictures must not keep the blur behind them.
    if (canvas) setTimeout(() => canvas.remove(), 300);
  });
}

function showFromCloud(image) {
  image.dataset.shownFrom = "cloud";
  image.referrerPolicy = "no-referrer";
  image.src = image.dataset.cloudSrc;
  setTimeout(() => isShown(image) || showFromServer(image), 1000 * CLOUD_PATIENCE_SECONDS);
}

/** Turn to the server's own copy, which also ends the wait for the cloud; false when it was asked already. */
function showFromServer(image) {
  if (image.dataset.shownFrom !== "cloud") return false;
  image.dataset.shownFrom = "server";
  image.srcset = image.dataset.srcset;
  image.src = image.dataset.src;
  return true;
}

const nearView = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    nearView.unobserve(target);
    showFromCloud(target);
  }
}, { rootMargin: "300px" });

/** The note that a picture cannot be shown comes only when no source is left. */
function watch(image) {
  const note = () => image.parentElement.querySelector(".card__missing");
  image.addEventListener("error", () => {
    if (!showFromServer(image)) note().hidden = false;
  });
  image.addEventListener("load", () => {
    if (isShown(image)) note().hidden = true;
  });
  if (image.dataset.cloudSrc && !image.dataset.shownFrom) nearView.observe(image);
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
  forEachNew(root, "[data-thumbhash], a:has(> [data-cloud-src])", soften);
  forEachNew(root, ".card__open > img", watch);
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
