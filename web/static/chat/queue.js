// Where the citizen stands in the queue for a person, and a call-back instead of waiting.

const TAKEN = new Set(["connected"]);
const WAITING = new Set(["waiting", "offered", "accepted"]);
const MOBILE = /^1[3-9]\d{9}$/;
const LANDLINE = /^0(10|2\d|[3-9]\d\d)\d{7,8}$/;

/** The digits of a number that can be called back, or "". */
export function callable(text) {
  const digits = text.replace(/[\s()（）-]/g, "").replace(/^(\+|00)?86(?=1)/, "");
  return MOBILE.test(digits) || LANDLINE.test(digits) ? digits : "";
}

export class Queue {
  #box = document.getElementById("queue");
  #text = document.getElementById("queue-text");
  #open = document.getElementById("callback");
  #form = document.getElementById("callback-form");
  #phone = document.getElementById("phone");
  #wrong = document.getElementById("phone-wrong");
  #onCallback;

  /** `onCallback(number)` asks to be called back. */
  constructor(onCallback) {
    this.#onCallback = onCallback;
    this.#open.addEventListener("click", () => this.#ask(true));
    document.getElementById("callback-cancel").addEventListener("click", () => this.#ask(false));
    this.#phone.addEventListener("input", () => { this.#wrong.hidden = true; });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#form.noValidate = true;
  }

  /** Show where they stand; gives what the head of the page says of it, "" for nobody's help. */
  show({ state, text, agent }) {
    const waits = WAITING.has(state);
    this.#box.hidden = !waits;
    this.#text.textContent = waits ? text : "";
    this.#open.hidden = state === "accepted" || !this.#form.hidden;
    if (!waits) this.#ask(false);
    if (TAKEN.has(state)) return agent ? `工作人员 ${agent} 正在为您服务` : "工作人员正在为您服务";
    return waits ? "正在排队等人工" : "";
  }

  #ask(shown) {
    this.#form.hidden = !shown;
    this.#open.hidden = shown;
    this.#wrong.hidden = true;
    if (shown) this.#phone.focus();
  }

  #send() {
    const number = callable(this.#phone.value);
    this.#wrong.hidden = Boolean(number);
    if (!number) {
      this.#phone.focus();
      return;
    }
    this.#ask(false);
    this.#onCallback(number);
  }
}
