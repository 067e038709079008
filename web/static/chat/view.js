// What the citizen sees. Everything said is put in as text, never as markup.

const SPEAKERS = { bot: "智能助手", agent: "工作人员", system: "系统提示" };
const STATES = {
  sending: "发送中…",
  waiting: "还没发出去，连上后自动发送",
  failed: "没有发出去",
};
const PAUSE_MS = 5 * 60 * 1000;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export class View {
  #turns = document.getElementById("turns");
  #talk = document.getElementById("talk");
  #typing = document.getElementById("typing");
  #typingText = document.getElementById("typing-text");
  #latest = 0;
  #speaker = "";
  #onChoice;
  #onRate;

  /** `onRate(turn, value)` gives whether the thumb could be sent. */
  constructor(onChoice, onRate) {
    this.#onChoice = onChoice;
    this.#onRate = onRate;
  }

  clear() {
    this.#turns.replaceChildren();
    this.#latest = 0;
    this.#speaker = "";
  }

  /** The citizen's own words; `state` is "", "sending", "waiting" or "failed". */
  mine({ id, text, at, state = "" }) {
    this.#closeOptions();
    const item = element("li", "turn turn_mine");
    item.dataset.id = id;
    item.append(element("p", "turn__bubble", text), element("p", "turn__state"));
    this.#place(item, at, "citizen");
    this.mark(id, state);
  }

  mark(id, state) {
    const item = this.#find(id);
    if (!item) return;
    item.dataset.state = state;
    item.querySelector(".turn__state").textContent = STATES[state] ?? "";
  }

  remove(id) {
    this.#find(id)?.remove();
  }

  reply({ speaker, reply, at, in_reply_to: turn }) {
    switch (reply.type) {
      case "say":
        return this.#answered(turn, reply, this.#said(speaker, reply, at));
      case "ask":
        return this.#asked(speaker, reply, at);
      case "handoff":
        return this.#handedOver(reply, at);
      default:
        return undefined;
    }
  }

  note(text) {
    this.#place(element("li", "turn turn_note", text), Date.now(), "note");
  }

  typing(shown, text = "正在输入…") {
    this.#typing.hidden = !shown;
    this.#typingText.textContent = text;
    if (shown) this.scroll();
  }

  scroll() {
    this.#talk.scrollTop = this.#talk.scrollHeight;
  }

  #said(speaker, reply, at) {
    const item = element("li", `turn turn_theirs turn_${speaker}`);
    if (speaker !== this.#speaker) {
      item.append(element("p", "turn__speaker", SPEAKERS[speaker] ?? speaker));
    }
    item.append(element("p", "turn__bubble", reply.text));
    this.#place(item, at, speaker);
    return item;
  }

  // An editor's answer can be rated; a sentence of small talk can't.
  #answered(turn, reply, item) {
    if (!reply.published || !turn) return;
    const thumbs = element("div", "thumbs");
    thumbs.setAttribute("role", "group");
    thumbs.setAttribute("aria-label", "这个回答有用吗");
    for (const [value, label] of [["up", "有用"], ["down", "没解决"]]) {
      const button = element("button", `thumbs__item thumbs__item_${value}`, label);
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.#rated(thumbs, button, turn, value));
      thumbs.append(button);
    }
    item.append(thumbs);
    this.scroll();
  }

  #rated(thumbs, button, turn, value) {
    if (!this.#onRate(turn, value)) return;
    for (const other of thumbs.children) other.setAttribute("aria-pressed", String(other === button));
  }

  #asked(speaker, reply, at) {
    this.#closeOptions();
    const item = this.#said(speaker, reply, at);
    if (!reply.options.length) return;
    const options = element("div", "options");
    options.setAttribute("role", "group");
    options.setAttribute("aria-label", "请选择");
    for (const option of reply.options) {
      const button = element("button", "options__item", option.label);
      button.type = "button";
      button.addEventListener("click", () => {
        button.classList.add("options__item_chosen");
        this.#onChoice(option);
      });
      options.append(button);
    }
    item.append(options);
    this.scroll();
  }

  #handedOver(reply, at) {
    const item = element("li", "turn turn_note");
    const card = element("div", `handed${reply.urgency === "danger" ? " handed_danger" : ""}`);
    card.append(element("strong", "", "已转人工"));
    card.append(element("span", "", reply.number ? `工单号 ${reply.number}` : "工单号稍后告诉您"));
    item.append(card);
    this.#place(item, at, "note");
  }

  // What was asked before is settled: its buttons must not answer the next question.
  #closeOptions() {
    for (const button of this.#turns.querySelectorAll(".options__item")) button.disabled = true;
  }

  // Whatever the server has told stands before what it has not acknowledged yet.
  #place(item, at, speaker) {
    const unsent = speaker === "citizen" ? null : this.#turns.querySelector('[data-state="sending"], [data-state="waiting"]');
    const moment = new Date(at);
    if (moment - this.#latest > PAUSE_MS) {
      const time = element("li", "turns__time", clock(moment));
      this.#turns.insertBefore(time, unsent);
      this.#speaker = "";
    }
    this.#latest = moment;
    this.#speaker = speaker;
    this.#turns.insertBefore(item, unsent);
    this.scroll();
  }

  #find(id) {
    return this.#turns.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }
}

function clock(moment) {
  const time = moment.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
  if (moment.toDateString() === new Date().toDateString()) return time;
  return `${moment.getMonth() + 1}月${moment.getDate()}日 ${time}`;
}
