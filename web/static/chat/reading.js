// Where the conversation is scrolled to. Who reads the newest is kept there, at the beginning of an
// answer that is longer than the screen; who has scrolled away to read is left in peace, and offered
// the way back.

import { byId } from "./dom.js";

const NEAR_PX = 80;
const ABOVE_PX = 8;
const OURS_PX = 2;

export class Reading {
  #talk = byId("talk");
  #newest = byId("newest");
  #isBeginning;
  #anchor = null; // what is told now begins here: not to be scrolled out at the top
  #answers = "";
  #follows = true;
  #at = 0;
  #screen = ""; // what was scrolled, and how high it was

  /** `isBeginning()`: nothing has been said yet, the top is shown. */
  constructor(isBeginning) {
    this.#isBeginning = isBeginning;
    // Where there is little height it is the page that scrolls: both are heard here.
    document.addEventListener("scroll", () => this.#scrolled(), { capture: true, passive: true });
    this.#newest.addEventListener("click", () => {
      this.said();
      this.#talk.focus({ preventScroll: true });
    });
  }

  /** The citizen said something: to the end. */
  said() {
    this.#anchor = null;
    this.#follows = true;
    this.stay();
  }

  /** `item` was told in answer to the turn `answers`, "" to none. */
  told(item, answers) {
    if (this.#follows && (!answers || answers !== this.#answers || !this.#anchor)) this.#anchor = item;
    this.#answers = answers;
    this.stay();
  }

  /** Something has grown, or the screen turned: who read the newest still sees it. */
  stay() {
    this.#screen = this.#measured();
    if (this.#follows) this.#go();
    else this.#offer();
  }

  get #box() {
    const own = getComputedStyle(this.#talk).overflowY !== "visible";
    return own ? this.#talk : document.scrollingElement;
  }

  #end(box) {
    return Math.max(0, box.scrollHeight - box.clientHeight);
  }

  #go() {
    const box = this.#box;
    let to = this.#isBeginning() ? 0 : this.#end(box);
    if (this.#anchor?.isConnected) {
      const top = box === this.#talk ? box.getBoundingClientRect().top : 0;
      const begins = this.#anchor.getBoundingClientRect().top - top + box.scrollTop - ABOVE_PX;
      to = Math.max(0, Math.min(to, begins));
    }
    box.scrollTop = to;
    this.#at = box.scrollTop;
    this.#offer();
  }

  #measured() {
    const box = this.#box;
    return `${box.tagName} ${box.clientHeight}`;
  }

  #scrolled() {
    const box = this.#box;
    if (Math.abs(box.scrollTop - this.#at) <= OURS_PX) return;
    if (this.#screen !== this.#measured()) return; // the screen turned, nobody scrolled: see stay
    this.#at = box.scrollTop;
    this.#follows = this.#isNear(box);
    if (this.#follows) this.#anchor = null;
    this.#offer();
  }

  #isNear(box) {
    return this.#end(box) - box.scrollTop < NEAR_PX;
  }

  #offer() {
    this.#newest.hidden = this.#isBeginning() || this.#isNear(this.#box);
  }
}
