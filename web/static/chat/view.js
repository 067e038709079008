// What the citizen sees of the conversation.

import { attached, gone, recognised } from "./attached.js";
import { card, settle } from "./card.js";
import { button, element } from "./dom.js";
import { Reading } from "./reading.js";
import { clock } from "./times.js";

const SPEAKERS = { bot: "智能助手", agent: "工作人员", system: "系统提示" };
const STATES = {
  sending: "发送中…",
  waiting: "还没发出去，连上后自动发送",
  later: "还没发出去，稍后自动再发",
  failed: "没有发出去",
};
const CHECK = "请核对一下，不对的可以逐项修改。"; // the card shows what the text reads aloud
const UNSENT = '[data-state="sending"], [data-state="waiting"], [data-state="later"]';
const PAUSE_MS = 5 * 60 * 1000;

export class View {
  #turns = document.getElementById("turns");
  #quick = document.getElementById("quick");
  #talk = document.getElementById("talk");
  #reading = new Reading(() => !this.#quick.hidden);
  #typing = document.getElementById("typing");
  #typingText = document.getElementById("typing-text");
  #latest = 0;
  #speaker = "";
  #answers = "";
  #acts;

  /** `acts`: onChoice(option), onMend(field, value), onRate(turn, value) → whether it went. */
  constructor(acts) {
    this.#acts = acts;
  }

  clear() {
    this.#turns.replaceChildren();
    this.#latest = 0;
    this.#speaker = "";
  }

  /** The citizen's own; `state` is "", "sending", "waiting" or "failed". Once again: only that. */
  mine({ id, text = "", at, attachments = [] }, state = "") {
    if (this.#find(id)) {
      this.mark(id, state);
      return;
    }
    this.#closeOptions();
    const item = element("li", "turn turn_mine");
    item.dataset.id = id;
    item.append(element("span", "unseen", "您："));
    for (const one of attachments) item.append(attached(id, one));
    if (text) item.append(element("p", "turn__bubble", text));
    item.append(element("p", "turn__state"));
    this.#place(item, at, "citizen", state === "");
    this.mark(id, state);
  }

  mark(id, state) {
    const item = this.#find(id);
    if (!item) return;
    item.dataset.state = state;
    item.querySelector(".turn__state").textContent = STATES[state] ?? "";
  }

  /** How much of what is attached to `id` has gone up, 0 to 1. */
  progress(id, share) {
    const box = this.#find(id)?.querySelector(".attached");
    if (box) gone(box, share);
  }

  /** What was recognised in the voice note `id`. */
  recognised(id, words) {
    const box = this.#find(id)?.querySelector(".attached");
    if (box) recognised(box, words);
    this.stay();
  }

  remove(id) {
    this.#find(id)?.remove();
  }

  reply({ speaker, reply, at, in_reply_to: turn }) {
    this.#answers = turn;
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
    this.#answers = "";
    this.#place(element("li", "turn turn_note", text), Date.now(), "note");
  }

  typing(shown, text = "正在输入…") {
    this.#typing.hidden = !shown;
    this.#typingText.textContent = text;
    if (shown) this.stay();
  }

  /** A picture has come, or the screen turned: who read the newest still sees it. */
  stay() {
    this.#reading.stay();
  }

  #said(speaker, reply, at) {
    const item = element("li", `turn turn_theirs turn_${speaker}`);
    const again = speaker === this.#speaker; // seen once for all in a row, heard with each
    item.append(element("p", again ? "unseen" : "turn__speaker", SPEAKERS[speaker] ?? speaker));
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
      const thumb = button(`thumbs__item thumbs__item_${value}`, label, () => {
        this.#rated(thumbs, thumb, turn, value);
      });
      thumb.setAttribute("aria-pressed", "false");
      thumbs.append(thumb);
    }
    item.append(thumbs);
    this.stay();
  }

  #rated(thumbs, thumb, turn, value) {
    if (!this.#acts.onRate(turn, value)) return;
    for (const other of thumbs.children) other.setAttribute("aria-pressed", String(other === thumb));
  }

  #asked(speaker, reply, at) {
    this.#closeOptions();
    const item = this.#said(speaker, reply.card ? { text: CHECK } : reply, at);
    if (reply.card) {
      const onMend = (field, value) => this.#settling(() => this.#acts.onMend(field, value));
      const onChoice = (option) => this.#settling(() => this.#acts.onChoice(option));
      item.append(card(reply.card, reply.options, { onMend, onChoice }));
    } else if (reply.options.length) {
      item.append(this.#options(reply.options));
    }
    this.stay();
  }

  #options(options) {
    const box = element("div", "options");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "请选择");
    for (const option of options) {
      box.append(button("options__item", option.label, (chosen) => {
        chosen.classList.add("options__item_chosen");
        this.#settling(() => this.#acts.onChoice(option));
      }));
    }
    return box;
  }

  // What had the focus goes, or is disabled: the focus stays in the conversation.
  #settling(act) {
    this.#talk.focus({ preventScroll: true });
    act();
  }

  #handedOver(reply, at) {
    const item = element("li", "turn turn_note");
    const box = element("div", `handed${reply.urgency === "danger" ? " handed_danger" : ""}`);
    box.append(element("strong", "", "已转人工"));
    box.append(element("span", "", reply.number ? `工单号 ${reply.number}` : "工单号稍后告诉您"));
    item.append(box);
    this.#place(item, at, "note");
  }

  // What was asked before is settled: its buttons must not answer the next question.
  #closeOptions() {
    for (const option of this.#turns.querySelectorAll(".options__item")) option.disabled = true;
    for (const open of this.#turns.querySelectorAll(".card:not(.card_settled)")) settle(open);
  }

  // Whatever the server has told stands before what it has not acknowledged yet.
  #place(item, at, speaker, delivered = speaker !== "citizen") {
    const unsent = !delivered ? null : this.#turns.querySelector(UNSENT);
    const moment = new Date(at);
    if (moment - this.#latest > PAUSE_MS) {
      const time = element("li", "turns__time", clock(moment));
      this.#turns.insertBefore(time, unsent);
      this.#speaker = "";
    }
    this.#latest = moment;
    this.#speaker = speaker;
    this.#turns.insertBefore(item, unsent);
    if (speaker === "citizen") this.#reading.said();
    else this.#reading.told(item, this.#answers);
  }

  #find(id) {
    return this.#turns.querySelector(`[data-id="${CSS.escape(id)}"]`);
  }
}
