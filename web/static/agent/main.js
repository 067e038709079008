// The agent's desk: the connection's frames change the state, the views show it, buttons ask.

import { Connection } from "./connection.js";
import { by, el } from "./dom.js";
import { listen } from "./keys.js";
import * as sheets from "./sheets.js";
import { allow } from "./sound.js";
import { cardOf, current, reduce, start, talkOf } from "./state.js";
import { showBar, showLink, tick } from "./view-bar.js";
import { ringOffer, showLeft } from "./view-left.js";
import { showOrder, showOrderFoot } from "./view-order.js";
import { showAnswers, showFoot, showHead, showSource, showTurns } from "./view-talk.js";

const page = by("agent");
const state = start();
const TYPING_MS = 2000;
const TITLE = document.title;
let typedAt = 0;
let stood = "offline";

const views = {
  bar: () => showBar(state, acts),
  left: () => showLeft(state, acts),
  head: () => showHead(state),
  turns: () => showTurns(state, acts),
  answers: () => showAnswers(state, acts),
  foot: () => { showFoot(state, acts); showOrderFoot(state, acts); },
  order: () => { showOrder(state, acts); showBar(state, acts); },
  talk: () => { for (const part of ["head", "turns", "answers", "foot"]) views[part](); },
};

function show(parts) {
  for (const part of new Set(parts)) views[part]();
  tick(state);
}

const connection = new Connection(page.dataset.live, page.dataset.token, told, (now, text) => {
  stood = now;
  showLink(stood, connection.unanswered.size);
  if (stood === "closed") closed(text);
});
connection.watched = () => (state.current ? { type: "watch", handoff: state.current, cursor: talkOf(state, state.current).cursor } : null);

function told(frame) {
  if (frame.type === "alive") return renewCookie(frame.ticket);
  if (frame.type === "closing") return closed(frame.text, frame.code);
  const parts = reduce(state, frame);
  if (frame.type === "desk") follow();
  show(parts);
}

/** Whoever was just taken is shown; where the one shown is over, what came of it stays readable. */
function follow() {
  const gone = state.current && !cardOf(state);
  if (gone && (state.status !== "wrapup" || state.mine.length)) choose(state.mine[0]?.handoff ?? "");
  else if (gone) { views.order(); views.foot(); }
  else if (!state.current && state.mine.length) choose(state.mine[0].handoff);
  else { views.head(); views.answers(); views.foot(); }
}

function choose(handoff) {
  if (state.current === handoff) return;
  // What is being written in a field belongs to the order it stands in: saved before that goes.
  if (by("order").contains(document.activeElement)) document.activeElement.blur();
  state.current = handoff;
  if (handoff) talkOf(state, handoff).partials.clear();
  connection.plain({ type: "watch", handoff, cursor: handoff ? talkOf(state, handoff).cursor : 0 });
  show(["left", "talk", "order"]);
}

const underway = new Map();

/** Ask for something; the same asked twice before it is answered (a key held down) is asked once. */
function asked(type, fields = {}) {
  const what = JSON.stringify([type, fields]);
  if (!underway.has(what)) underway.set(what, askedOnce(type, fields).finally(() => underway.delete(what)));
  return underway.get(what);
}

async function askedOnce(type, fields) {
  const answering = connection.ask(type, fields);
  showLink(stood, connection.unanswered.size);
  const answer = await answering;
  showLink(stood, connection.unanswered.size);
  if (answer.type === "refused") say(answer.text);
  return answer;
}

const ofCurrent = (type, fields = {}) => asked(type, { handoff: state.current, ...fields });

/** A short word at the bottom; what matters stays in its own place. */
function say(text, kind = "refused") {
  const link = by("link");
  link.textContent = text;
  link.className = `bar__link bar__link_${kind}`;
  setTimeout(() => showLink(stood, connection.unanswered.size), 6000);
}

const acts = {
  status(value, reason = "") {
    state.chosen = value;
    return asked("status", { value, reason });
  },
  noted() {
    state.notice = "";
    views.bar();
  },
  ready: () => asked("ready"),
  accept: async (offer) => {
    const handoff = state.offer?.handoff ?? "";
    const answer = await asked("accept", { offer });
    if (answer.type === "done" && handoff) choose(handoff);
  },
  decline: (offer) => asked("decline", { offer }),
  choose,
  step(by_) {
    const place = state.mine.findIndex((card) => card.handoff === state.current);
    const next = state.mine[(place + by_ + state.mine.length) % state.mine.length];
    if (next) choose(next.handoff);
  },
  say: async (text) => {
    if (!text.trim()) return "";
    const answer = await ofCurrent("say", { text });
    return answer.type === "done" ? text : "";
  },
  typing() {
    if (Date.now() - typedAt < TYPING_MS) return;
    typedAt = Date.now();
    connection.plain({ type: "typing", handoff: state.current, on: true });
  },
  useAnswer(answer) {
    if (cardOf(state)?.channel === "phone") sheets.readAloud(answer);
    else ofCurrent("send_answer", { answer: answer.answer });
  },
  call: (verb, target = "") => ofCurrent("call", { verb, target }),
  async threeWay() {
    const chosen = await sheets.askTarget("加谁进来一起通话", state.targets.filter((one) => one.three_way), "呼叫");
    if (chosen) acts.call("three_way", chosen.target);
  },
  async transferCall() {
    const chosen = await sheets.askTarget("把电话转到哪里", state.targets, "转接");
    if (chosen) acts.call("transfer", chosen.target);
  },
  async finish() {
    const card = cardOf(state);
    const chosen = card && await sheets.askFinish(state.results);
    if (chosen) asked("finish", { handoff: card.handoff, ...chosen });
  },
  async transfer() {
    const card = cardOf(state);
    const chosen = card && await sheets.askTransfer(state.agents, state.skills, state.me.login);
    if (!chosen) return;
    const [kind, name] = [chosen.to.slice(0, 5), chosen.to.slice(6)];
    asked("transfer", { handoff: card.handoff, [kind]: name, note: chosen.note });
  },
  async back() {
    const card = cardOf(state);
    const chosen = card && await sheets.askBack();
    if (!chosen) return;
    const answer = await asked("back", { handoff: card.handoff, word: chosen.word });
    if (chosen.word.trim() && answer.type === "done" && !answer.data.answered) {
      state.notice = `已经交回。智能助手没有找到“${chosen.word.trim()}”的答复，市民会听到可以接着问。`;
      views.bar();
    }
  },
  async note() {
    const card = cardOf(state);
    const chosen = card && await sheets.askNote();
    if (chosen?.text.trim()) asked("note", { handoff: card.handoff, text: chosen.text });
  },
  field: (name, value) => connection.ask("field", { handoff: state.current, name, value, edition: current(state).order.edition }),
  confirm: (name) => ofCurrent("confirm", { name }),
  orderAgain: () => views.order(),
  link: (party) => ofCurrent("link", { party }),
  alarmSeen: (alarm) => asked("alarm_seen", { alarm }),
  async callback(callback, verb) {
    const told_ = verb === "failed" ? await sheets.askFailed() : { note: "" };
    if (told_) asked("callback", { callback, verb, note: told_.note });
  },
  async copy(text) {
    if (await copied(text)) say("号码已复制", "good");
    else say("浏览器不让复制，请照着拨。");
  },
  source: (field) => showSource(field.turn_seq, field.quote),
  play(recording, startMs) {
    const audio = by("sound");
    if (audio.dataset.recording !== recording) {
      audio.dataset.recording = recording;
      audio.src = `/recordings/${encodeURIComponent(recording)}`;
    }
    audio.currentTime = startMs / 1000;
    audio.play().catch(() => say("这段录音现在放不出来。"));
  },
  help: sheets.showKeys,
};

/** Over plain http, on the city's own network, browsers give no clipboard: the old way then. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = el("textarea", { readonly: true, "aria-hidden": "true" });
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  }
}

function renewCookie(ticket) {
  const body = new URLSearchParams({ token: page.dataset.token, ticket });
  fetch(page.dataset.alive, { method: "POST", body, credentials: "same-origin" }).catch(() => {});
}

function closed(text, code = "") {
  if (page.dataset.closed) return;
  page.dataset.closed = "1";
  const [title, label, address] = CLOSED[code] ?? ["坐席台已停用", "刷新页面", "/desk"];
  sheets.tell(title, el("p", {}, text || "请刷新页面，或者重新登录。"),
    el("a.button.button_main", { href: address }, label));
}

/** What can be done where the server closed the desk for good. */
const CLOSED = {
  taken_over: ["已在别的窗口打开", "在这个窗口继续", "/desk"],
  idle: ["已经退出", "重新登录", "/staff/sign-in"],
  not_signed_in: ["已经退出", "重新登录", "/staff/sign-in"],
  right_missing: ["没有权限", "回首页", "/staff"],
};

/** A window behind others still says that somebody is waiting. */
function retitle() {
  const unread = state.mine.reduce((sum, card) => sum + card.unread, 0);
  const told_ = state.offer ? (state.offer.channel === "phone" ? "【来电】" : "【来访】") : unread ? `（${unread}）` : "";
  if (document.title !== told_ + TITLE) document.title = told_ + TITLE;
}

listen(acts);
document.querySelector("[data-do=help]").addEventListener("click", acts.help);
addEventListener("pointerdown", allow, { passive: true });
addEventListener("keydown", allow);
addEventListener("beforeunload", (event) => {
  if (connection.unanswered.size && !page.dataset.closed) event.preventDefault();
});
setInterval(() => { tick(state); ringOffer(state, Date.now()); retitle(); }, 500);
show(["bar", "left", "talk", "order"]);
