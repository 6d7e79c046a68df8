// The large view: PhotoSwipe with this page's words, the prompt as caption and a download button.
import PhotoSwipeLightbox from "../vendor/photoswipe-5.4.4/photoswipe-lightbox.esm.min.js";
import { text } from "./strings.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function addCaption(lightbox) {
  lightbox.pswp.ui.registerElement({
    name: "words",
    className: "pswp__words",
    appendTo: "root",
    onInit: (element, pswp) => {
      pswp.on("change", () => {
        element.textContent = pswp.currSlide.data.element?.dataset.caption ?? "";
      });
    },
  });
}

function addDownload(lightbox) {
  const sprite = document.querySelector('meta[name="icons"]').content;
  lightbox.pswp.ui.registerElement({
    name: "download",
    className: "pswp__download",
    order: 8,
    isButton: false,
    tagName: "a",
    html: `<svg class="icon" aria-hidden="true"><use href="${sprite}#download"></use></svg>`,
    onInit: (element, pswp) => {
      element.setAttribute("aria-label", text("download"));
      element.setAttribute("download", "");
      pswp.on("change", () => {
        element.href = pswp.currSlide.data.element?.dataset.download || pswp.currSlide.data.src;
      });
    },
  });
}

/** Let every `[data-lightbox]` link inside `root` open large; links added later count too. */
export function startLightbox(root) {
  const lightbox = new PhotoSwipeLightbox({
    gallery: root,
    children: "[data-lightbox]",
    pswpModule: () => import("../vendor/photoswipe-5.4.4/photoswipe.esm.min.js"),
    showHideAnimationType: calm.matches ? "none" : "zoom",
    bgOpacity: 0.94,
    closeTitle: text("close"),
    zoomTitle: text("zoom"),
    arrowPrevTitle: text("previous"),
    arrowNextTitle: text("next"),
    errorMsg: text("view_failed"),
  });
  lightbox.on("uiRegister", () => {
    addCaption(lightbox);
    addDownload(lightbox);
  });
  lightbox.on("initialLayout", () => lightbox.pswp.element.setAttribute("aria-label", text("viewer")));
  lightbox.init();
}
