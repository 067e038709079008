// A sheet over the chat: the page behind it rests, Escape and 关闭 close it, focus goes back.

export class Sheet {
  #dialog;
  #before = null;

  /** `onClose` runs however it is closed. */
  constructor(id, onClose = () => {}) {
    this.#dialog = document.getElementById(id);
    this.#dialog.querySelector("[data-close]").addEventListener("click", () => this.close());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog && this.#outside(event)) this.close();
    });
    this.#dialog.addEventListener("close", () => {
      onClose();
      this.#before?.focus();
    });
  }

  get isOpen() {
    return this.#dialog.hasAttribute("open");
  }

  open() {
    if (this.isOpen) return;
    this.#before = document.activeElement;
    if (this.#dialog.showModal) this.#dialog.showModal();
    else this.#dialog.setAttribute("open", ""); // a browser of before 2022
  }

  close() {
    if (this.#dialog.close) {
      if (this.isOpen) this.#dialog.close();
      return;
    }
    this.#dialog.removeAttribute("open");
    this.#dialog.dispatchEvent(new Event("close"));
  }

  #outside({ clientX: x, clientY: y }) {
    const box = this.#dialog.getBoundingClientRect();
    return x < box.left || x > box.right || y < box.top || y > box.bottom;
  }
}
