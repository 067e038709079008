// The bar over everything: my status, who waits, what must not be overlooked.

import { button, by, day, el, fill, fillOnce, span, words } from "./dom.js";
import { allow, allowed } from "./sound.js";
import { cardOf, current, now, since } from "./state.js";

const STATUSES = [
  ["online", "在线", "Alt+o"], ["busy", "忙碌", "Alt+b"], ["break", "小休", "Alt+r"], ["offline", "离线", ""],
];

const ALARMS = 2;

by("muted").addEventListener("click", allow);

export function showBar(state, acts) {
  const wrapping = state.status === "wrapup";
  const buttons = STATUSES.map(([value, label, key]) => {
    const made = button(label, () => acts.status(value), { key });
    made.setAttribute("aria-pressed", String(state.status === value));
    made.classList.add("status", `status_${value}`);
    return made;
  });
  const left = wrapping ? el("span.status-since.status_wrapup", {}, "话后 ", el("time", { "data-until": state.wrapUntil ?? "" })) : null;
  const done = wrapping ? button("整理好了", acts.ready, { key: "Alt+g", kind: "button_main" }) : null;
  fill(by("status"), el("strong.bar__name", {}, state.me.name), buttons, left, done,
    why(state, acts),
    wrapping ? null : el("time.status-since", { "data-since": state.since ?? "", title: "这个状态已经多久" }));
  showToday(state);
  showWaiting(state);
  showNotes(state, acts);
}

/** Why somebody is busy or on a break; nobody has to say. */
function why(state, acts) {
  const reasons = state.reasons[state.status] ?? [];
  if (!reasons.length || state.status === "online") return null;
  const picked = el("select.why", { id: "why", "aria-label": "原因", on: { change: (event) => acts.status(state.status, event.target.value) } },
    el("option", { value: "" }, "原因…"), reasons.map((one) => el("option", { value: one, selected: one === state.reason }, one)));
  return picked;
}

function showToday(state) {
  const { taken, mean_s: mean } = state.today;
  fillOnce(by("today"), [taken, mean], () => [
    el("span", { title: "今天接待的市民" }, "今天 ", el("b", {}, String(taken)), " 件"),
    mean === null ? null : el("span", { title: "今天每件平均用时" }, "，平均 ", el("b", {}, span(mean))),
  ]);
}

function showWaiting(state) {
  const { calls, chats, since: oldest } = state.waiting;
  const none = !calls && !chats;
  fillOnce(by("waiting"), [calls, chats, oldest], () => none ? el("span.soft", {}, "没有人在等") : [
    el("span", {}, "等待：电话 ", el("b", {}, String(calls)), "，文字 ", el("b", {}, String(chats))),
    el("span.longest", {}, "，最久 ", el("time", { "data-since": oldest ?? "" })),
  ]);
}

function showNotes(state, acts) {
  const order = cardOf(state) ? current(state)?.order : null;
  const isDanger = order?.urgency === "danger";
  const phoneless = Boolean(state.me.name) && !state.me.phone;
  const cut = !state.phones && Boolean(state.me.phone);
  by("agent").classList.toggle("agent_danger", isDanger);
  document.body.classList.toggle("in-danger", isDanger);
  fillOnce(by("notes"), [isDanger && [state.current, order.links], state.alarms, phoneless, cut, state.notice], () => [
    isDanger ? danger(order, acts) : null,
    cut ? el("p.note.note_alarm", { role: "alert" }, el("b", {}, "电话服务没有连上"), "现在拨不通坐席话机，来电会转到值班电话；文字来访不受影响。连上以后这条会自己消失。") : null,
    state.notice ? el("p.note", { role: "status" }, state.notice, button("知道了", acts.noted, { kind: "note__done" })) : null,
    state.alarms.slice(0, ALARMS).map((alarm) => alarmed(alarm, acts)),
    state.alarms.length > ALARMS ? el("p.note.note_alarm", {}, `还有 ${state.alarms.length - ALARMS} 条警报，处理完上面的就会显示。`) : null,
    phoneless ? el("p.note", {}, "您的账号没有登记话机号码，只能接待文字来访。请联系系统管理员登记话机。") : null,
  ]);
}

function alarmed(alarm, acts) {
  return el("p.note.note_alarm", { role: "alert" }, el("b", {}, `警报 ${day(alarm.at)}`), ` ${alarm.text}`,
    button("知道了", () => acts.alarmSeen(alarm.id), { title: "记下是您看到的，所有人的屏幕上都不再显示" }));
}

/** Nothing is said of help before the far side has acknowledged. */
function danger(order, acts) {
  const links = order.links.filter((link) => link.direction !== "in");
  const told = links.length
    ? links.map((link) => `${link.label}：${link.state_label}${link.reference ? `（对方编号 ${link.reference}）` : ""}`).join("；")
    : "还没有发给110";
  const sure = links.some((link) => link.state === "acknowledged");
  const kind = sure ? "p.note.note_danger" : "p.note.note_danger.note_unsure";
  return el(kind, { role: "alert" }, el("b", {}, "险情"), el("strong.danger__state", {}, `${told}。`),
    el("span", {}, sure ? "先问清：在哪里、有没有人受伤、人能不能离开。" : "先问清在哪里、有没有人受伤。对方确认之前，不要说“已经派人”。"),
    links.some((link) => link.party === "110") ? null : button("转110", () => acts.link("110"), { kind: "button_danger" }));
}

/** Browsers give no sound before a page was touched: the offer would come in silence. */
function showMuted(state) {
  const muted = by("muted");
  const silent = !(navigator.userActivation?.hasBeenActive ?? allowed()) && state.status !== "offline";
  if (muted.hidden === silent) muted.hidden = !silent;
}

/** Clocks tick without anything being drawn anew. */
export function tick(state) {
  showMuted(state);
  for (const time of document.querySelectorAll("time[data-since]")) {
    time.textContent = time.dataset.since ? span(since(state, time.dataset.since)) : "";
  }
  for (const time of document.querySelectorAll("time[data-until]")) {
    const left = time.dataset.until ? (Date.parse(time.dataset.until) - now(state)) / 1000 : 0;
    time.textContent = left > 0 ? span(left) : "到点";
    time.classList.toggle("late", left < 6);
  }
  for (const time of document.querySelectorAll("time[data-due]")) {
    const left = (Date.parse(time.dataset.due) - now(state)) / 1000;
    time.textContent = left >= 0 ? `还剩 ${words(left)}` : `超期 ${words(-left)}`;
    time.classList.toggle("late", left < 0);
  }
}

export function showLink(stood, waiting) {
  const text = { online: "已连接", offline: "连接断开，正在重新连接…", closed: "已停用" }[stood];
  const link = by("link");
  link.textContent = waiting && stood === "offline" ? `${text}（${waiting} 项操作等着发出）` : text;
  link.className = `bar__link bar__link_${stood}`;
}
