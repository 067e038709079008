// How far a work order is, for who knows its number and the telephone it was given with.

import { byId, element } from "./dom.js";
import { session } from "./outbox.js";
import { Sheet } from "./sheet.js";
import { day } from "./times.js";
import { parsed } from "./upload.js";

const AWAY = "现在连不上，请过一会儿再查。";

export class Progress {
  #sheet = new Sheet("progress", () => { this.#phone.value = ""; this.#show(null); });
  #number = byId("progress-number");
  #phone = byId("progress-phone");
  #wrong = byId("progress-wrong");
  #ask = byId("progress-ask");
  #found = byId("progress-found");

  constructor() {
    byId("progress-open").addEventListener("click", () => this.#sheet.open());
    byId("progress-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#look();
    });
  }

  /** The number that was just given to the citizen need not be typed. */
  suggest(number) {
    if (number) this.#number.value = number;
  }

  async #look() {
    const [number, phone] = [this.#number.value.trim(), this.#phone.value.trim()];
    this.#show(null);
    if (!number || !phone) {
      this.#refuse("请把工单编号和登记的电话都写上。");
      (number ? this.#phone : this.#number).focus();
      return;
    }
    this.#refuse("");
    this.#ask.disabled = true;
    this.#ask.textContent = "正在查…";
    const answer = await asked(number, phone);
    this.#ask.disabled = false;
    this.#ask.textContent = "查询";
    if (answer.found) this.#show(answer);
    else this.#refuse(answer.text || AWAY);
  }

  #refuse(text) {
    this.#wrong.textContent = text;
    this.#wrong.hidden = !text;
  }

  #show(order) {
    this.#found.hidden = !order;
    this.#found.replaceChildren(...(order ? parts(order) : []));
    if (order) this.#found.focus();
  }
}

async function asked(number, phone) {
  try {
    const response = await fetch("/chat/progress", {
      method: "POST",
      headers: {
        "Content-Type": "application/json", Accept: "application/json",
        "X-Chat-Session": session.get(),
      },
      body: JSON.stringify({ number, phone }),
    });
    const answer = parsed(await response.text());
    return response.ok ? answer : { found: false, text: answer.text };
  } catch {
    return { found: false, text: AWAY };
  }
}

function parts({ steps = [], answer = "", text }) {
  const list = element("ol", "progress__steps");
  for (const { name, at, done } of steps) {
    const step = element("li", `progress__step${done ? " progress__step_done" : ""}`, name);
    if (at) step.append(element("span", "progress__at", day(new Date(at))));
    step.append(element("span", "unseen", done ? "，已完成" : "，还没到"));
    list.append(step);
  }
  const shown = [element("p", "progress__text", text), list];
  if (answer && !text.includes(answer)) shown.push(element("p", "progress__text", `答复：${answer}`));
  return shown;
}
