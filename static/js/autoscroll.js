// Keeps the newest message in view while the reader is at the end, and leaves them alone when they scrolled up.
const NEAR_PIXELS = 90;

export class Autoscroll {
  constructor(scroller, list, button) {
    this.scroller = scroller;
    this.list = list;
    this.button = button;
    this.atEnd = true;
    this.seen = { top: 0, height: 0 };
    scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    const sizes = new ResizeObserver(() => (this.atEnd ? this.toEnd() : this.#look()));
    sizes.observe(list);
    // A composer that grows takes its room from the messages.
    sizes.observe(scroller);
    // A message that is swapped may shrink the list and let it grow again within one frame, and the place is lost in
    // between. This comes right after the change, before any event could take that for a reader who moved up.
    new MutationObserver(() => this.atEnd && this.toEnd()).observe(list, { childList: true, subtree: true });
    this.toEnd();
  }

  #look() {
    const { scrollHeight: height, scrollTop: top, clientHeight } = this.scroller;
    // Only a reader moves up; an event of our own scrolling may come when the list has already grown again, and a list
    // that shrinks takes the place along.
    const movedUp = top < this.seen.top && height >= this.seen.height;
    if (height - top - clientHeight < NEAR_PIXELS) this.atEnd = true;
    else if (movedUp) this.atEnd = false;
    this.button.hidden = this.atEnd;
    this.seen = { top, height };
  }

  toEnd() {
    // The greeting of an empty conversation is read from its top.
    if (!this.list.childElementCount) return;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#look();
  }
}
