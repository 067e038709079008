// Where the citizen writes.

import { byId } from "./dom.js";

const COUNT_FROM = 900;
const TELL_TYPING_MS = 3000;

export class Composer {
  #form = byId("composer");
  #words = byId("words");
  #send = byId("send");
  #count = byId("count");
  #maxChars = Number(document.body.dataset.maxChars);
  #onSay;
  #told = 0;

  /** `onSay(text)` sends; `onTyping()` is told now and then that the citizen writes. */
  constructor(onSay, onTyping) {
    this.#onSay = onSay;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take();
    });
    this.#words.addEventListener("input", () => {
      this.#fit();
      if (!this.#words.value || Date.now() - this.#told < TELL_TYPING_MS) return;
      this.#told = Date.now();
      onTyping();
    });
    // Larger type needs more room; it is there once the switch has done its work.
    byId("large-type").addEventListener("click", () => requestAnimationFrame(() => this.#fit()));
    this.#words.addEventListener("keydown", (event) => {
      // While an input method composes, Enter chooses the word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#take();
    });
  }

  set hidden(hidden) {
    this.#form.hidden = hidden;
  }

  #take() {
    const text = this.#words.value.trim();
    if (!text || text.length > this.#maxChars) return;
    this.#onSay(text);
    this.#words.value = "";
    this.#fit();
    this.#words.focus();
  }

  #fit() {
    this.#words.style.setProperty("height", "auto");
    this.#words.style.setProperty("height", `${this.#words.scrollHeight}px`);
    const length = this.#words.value.trim().length;
    const over = length - this.#maxChars;
    this.#send.disabled = length === 0 || over > 0;
    this.#count.hidden = length < COUNT_FROM;
    this.#count.textContent = over > 0 ? `超出 ${over} 个字，请分成几条发` : `${length}/${this.#maxChars}`;
  }
}
