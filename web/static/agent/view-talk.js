// The middle column: what is said, live; the reply or the call's buttons; suggested answers.

import { button, by, clock, el, fill } from "./dom.js";
import { cardOf, current } from "./state.js";
import { channel, passedOn, standing } from "./view-left.js";
import { sentAlong } from "./view-sent.js";

const SPEAKERS = { citizen: "市民", bot: "智能助手", agent: "坐席", system: "系统" };
const NEAR = 60;
let shown = { handoff: "", turns: [] };

// Suggested answers and a taller reply box take room from the talk: its end stays in view.
let atEnd = true;
by("talk").addEventListener("scroll", () => {
  const body = by("talk");
  atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < NEAR;
}, { passive: true });
new ResizeObserver(grown).observe(by("talk"));

export function showHead(state) {
  const card = cardOf(state);
  const talk = current(state);
  if (!talk) {
    fill(by("talk-head"));
    return;
  }
  const order = talk.order;
  fill(by("talk-head"), el("h2.talk-head__title", { title: order?.title ?? "" }, order?.title || card?.title || "还没有说明事由"),
    el("p.soft.talk-head__line", {},
      card ? `${channel(card.channel)} · ${standing(card)} · ` : "", card ? el("time", { "data-since": card.since }) : "",
      others(state, card).length ? ` · 一起通话：${others(state, card).join("、")}` : "",
      card?.calling?.length ? el("b.talk-head__calling", {}, ` · 正在呼叫${called(state, card.calling).join("、")}…`) : null),
    order?.summary && order.summary !== order.title ? el("p.talk-head__summary", {}, order.summary) : null,
    card?.passed ? el("p.passed", {}, passedOn(state, card.passed)) : null,
    talk.failure ? el("p.alert", { role: "alert" }, talk.failure) : null);
}

/** Who is on the line besides the citizen and the agent at this desk. */
function others(state, card) {
  return called(state, (card?.parties ?? []).filter((party) => !mine(state, party)));
}

function called(state, parties) {
  return parties.map((party) => state.targets.find((one) => one.name === party)?.label ?? party);
}

function mine(state, party) {
  return party === state.me.phone || party === state.me.party;
}

/** Turns are added, and drawn anew only where what was sent along has come: who reads is not moved,
 * who is at the end stays there. */
export function showTurns(state, acts) {
  const body = by("talk");
  const talk = current(state);
  if (!talk) {
    shown = { handoff: "", turns: [] };
    fill(body, el("div.talk-none", {}, el("p", {}, "接了来访以后，对话在这里，市民说过的不用再问。"),
      el("p", {}, el("kbd", {}, "F2"), " 接，", el("kbd", {}, "Alt ↑ ↓"), " 切换，", el("kbd", {}, "?"), " 全部快捷键")));
    return;
  }
  let follows = body.scrollHeight - body.scrollTop - body.clientHeight < NEAR;
  if (shown.handoff !== state.current) {
    fill(body);
    shown = { handoff: state.current, turns: [] };
    follows = true; // another talk begins at its end, wherever the one before was read
  }
  for (const passing of body.querySelectorAll(".turn_passing")) passing.remove();
  const rights = state.me.rights;
  shown.turns.forEach((before, place) => {
    const turn = talk.turns[place];
    if (JSON.stringify(before.attachments) === JSON.stringify(turn.attachments)) return;
    body.querySelector(`[data-seq="${CSS.escape(String(turn.seq))}"]`)?.replaceWith(turnRow(turn, acts, rights));
  });
  for (const turn of talk.turns.slice(shown.turns.length)) body.append(turnRow(turn, acts, rights));
  shown.turns = [...talk.turns];
  for (const [speaker, text] of talk.partials) body.append(bubble(speaker, "", text, "turn_passing"));
  if (talk.typing) body.append(bubble("citizen", "", "正在输入…", "turn_passing"));
  if (!talk.connected) body.append(el("p.turn-note.turn_passing", {}, "市民已离开"));
  if (follows) toEnd();
}

function grown() {
  if (atEnd) toEnd();
}

function toEnd() {
  atEnd = true;
  by("talk").scrollTop = by("talk").scrollHeight;
}

function turnRow(turn, acts, rights) {
  const sent = turn.attachments ?? [];
  if (turn.note || !(turn.text || sent.length)) return el("p.turn-note", { "data-seq": String(turn.seq) }, `${clock(turn.at)} ${turn.text || turn.kind}`);
  const made = bubble(turn.speaker, clock(turn.at), turn.text, turn.doubtful ? "turn_doubtful" : "");
  made.dataset.seq = turn.seq;
  const foot = made.querySelector(".turn__who");
  if (turn.doubtful) foot.append(el("span.turn__doubt", { title: "识别不太有把握，请再核对" }, ` 可能听错（${Math.round(turn.confidence * 100)}%）`));
  if (turn.recording && turn.start_ms !== null) {
    foot.append(el("button.play", { type: "button", title: "听这一句的录音", "aria-label": "听这一句的录音", on: { click: () => acts.play(turn.recording, turn.start_ms) } }, "▶"));
  }
  for (const one of sent) made.append(sentAlong(one, turn, rights, grown));
  for (const option of turn.options ?? []) made.append(el("span.turn__option", {}, option));
  return made;
}

function bubble(speaker, at, text, more) {
  // What is still being said is not read out: the turn itself will be.
  return el(`div.turn.turn_${speaker}${more ? `.${more}` : ""}`, { "aria-hidden": more === "turn_passing" ? "true" : undefined },
    el("p.turn__who", {}, SPEAKERS[speaker] ?? speaker, at ? el("time", {}, ` ${at}`) : null), text ? el("p.turn__text", {}, text) : null);
}

/** The words a field came from, marked in their turn. */
export function showSource(seq, quote) {
  const body = by("talk");
  for (const marked of body.querySelectorAll("mark")) marked.replaceWith(marked.textContent);
  for (const turn of body.querySelectorAll(".turn_source")) turn.classList.remove("turn_source");
  const turn = body.querySelector(`[data-seq="${CSS.escape(String(seq))}"]`);
  if (!turn) return;
  turn.classList.add("turn_source");
  const line = turn.querySelector(".turn__text") ?? turn;
  line.normalize();
  const text = line.firstChild;
  const place = quote && text?.nodeType === Node.TEXT_NODE ? text.data.indexOf(quote) : -1;
  if (place >= 0) {
    const range = document.createRange();
    range.setStart(text, place);
    range.setEnd(text, place + quote.length);
    range.surroundContents(document.createElement("mark"));
  }
  turn.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

export function showAnswers(state, acts) {
  const talk = current(state);
  const card = cardOf(state);
  const answers = card && card.state === "connected" ? talk?.answers ?? [] : [];
  const verb = card?.channel === "phone" ? "念给市民" : "发给市民";
  fill(by("answers"), answers.length ? [el("h3.answers__title", {}, "可以这样答"), answers.map((answer, place) =>
    el("article.answer", {},
      el("header.answer__head", {}, el("b", {}, `${answer.title}`), el("span.soft", {}, ` ${answer.source ?? ""}`),
        button(verb, () => acts.useAnswer(answer), { key: `Alt+${place + 1}` })),
      el("p.answer__text", {}, card?.channel === "phone" ? answer.speech || answer.text : answer.text)))] : null);
}

let footOf = "";

export function showFoot(state, acts) {
  const card = cardOf(state);
  if (!card || card.state === "wrapup") {
    footOf = "";
    fill(by("talk-foot"), card ? el("p.soft", {}, "对话已经结束。补完工单，选办理结果。") : null);
    return;
  }
  if (card.channel === "phone") {
    footOf = "";
    fill(by("talk-foot"), callBar(state, card, acts));
  } else if (footOf !== card.handoff) {
    footOf = card.handoff;
    fill(by("talk-foot"), replyBox(state, card, acts));
  }
}

function callBar(state, card, acts) {
  const held = card.held?.includes("caller");
  const joined = card.stage === "person";
  const left = joined && card.parties.length > 0 && !card.parties.some((party) => mine(state, party));
  if (left) return el("p.soft", {}, `您已经退出通话，市民还在和${others(state, card).join("、")}说话。可以补完工单，点“结束”。`);
  return el("div.call-bar", { role: "toolbar", "aria-label": "电话" },
    held ? button("取回", () => acts.call("resume"), { key: "F6", kind: "button_main" })
      : button("保持", () => acts.call("hold"), { key: "F6", disabled: !joined }),
    card.muted ? button("取消静音", () => acts.call("unmute"), { key: "F7", kind: "button_main" })
      : button("静音", () => acts.call("mute"), { key: "F7", disabled: !joined }),
    button("三方", () => acts.threeWay(), { key: "F8", disabled: !joined }),
    button("转接", () => acts.transferCall(), { key: "F9", disabled: !joined }),
    joined || card.stage === "ringing" ? null : button("再拨我的话机", () => acts.call("bridge"), { title: "您的话机没有接通时，再响一次" }),
    button("挂断", () => acts.call("hangup", "target"), { key: "F10", kind: "button_danger", disabled: !joined }));
}

function replyBox(state, card, acts) {
  const talk = current(state);
  const box = el("textarea.write__text", {
    id: "reply", rows: 2, maxlength: by("agent").dataset.chars, placeholder: "写给市民的话。回车发送，Shift+回车换行", "aria-label": "写给市民的话",
    on: {
      input: () => { talk.draft = box.value; acts.typing(); },
      keydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
      },
    },
  });
  box.value = talk.draft;
  const send = () => acts.say(box.value).then((sent) => {
    if (sent && box.value === sent) { box.value = ""; talk.draft = ""; }
  });
  const canned = state.canned.map((one) => button(one.label, () => {
    box.value = box.value ? `${box.value}${one.text}` : one.text;
    talk.draft = box.value;
    box.focus();
  }, { title: one.text }));
  return el("div.write", {}, el("div.canned", { role: "group", "aria-label": "常用语" }, canned),
    el("div.write__row", {}, box, button("发送", send, { kind: "button_main" })));
}
