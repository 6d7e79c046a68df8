// Keeps the newest message in view while the reader is at the end, and leaves them alone when they scrolled up.
const NEAR_PIXELS = 90;

export class Autoscroll {
  constructor(scroller, list, button) {
    this.scroller = scroller;
    this.button = button;
    this.atEnd = true;
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => (this.atEnd ? this.toEnd() : this.#look())).observe(list);
    this.toEnd();
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PIXELS;
    this.button.hidden = this.atEnd;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#look();
  }
}
