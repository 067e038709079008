// The wall: live figures as events, the days as charts. All words are put in as text.

import { draw } from "./charts.js";

const wall = document.getElementById("wall");
const words = JSON.parse(wall.dataset.words);
const whole = "whole" in wall.dataset;
const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(share === 1 ? 0 : 1)}%`);

function make(tag, name, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== "") element.textContent = text;
  return element;
}

function span(seconds) {
  if (seconds < 60) return `${seconds} 秒`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分 ${seconds % 60} 秒`;
  return `${Math.floor(seconds / 3600)} 小时 ${Math.floor((seconds % 3600) / 60)} 分`;
}

function tile(name, value, note = "", level = "") {
  const found = wall.querySelector(`[data-tile="${name}"]`);
  if (!found) return;
  found.querySelector(".tile__value").textContent = value;
  found.querySelector(".tile__note").textContent = note;
  found.dataset.level = level;
}

function fill(id, items, empty) {
  const place = document.getElementById(id);
  if (!place) return;
  place.replaceChildren(...(items.length ? items : [make("li", "none", empty)]));
}

const FEW = 20;
function share(goal, wanted) {
  return goal.share === null || goal.of < FEW ? "" : goal.share >= wanted ? "good" : "bad";
}

function show(told) {
  today = new Date(told.at).toDateString();
  const waiting = told.waiting.reduce((sum, one) => sum + one.count, 0);
  const longest = Math.max(0, ...told.waiting.map((one) => one.longest_s));
  tile("waiting", waiting, waiting ? `最久 ${span(longest)}` : "没有人在等", waiting ? "warn" : "");
  const { calls, chats } = told.goals;
  tile("goal_calls", percent(calls.share), `${calls.within} / ${calls.of} 个来电`, share(calls, 0.95));
  tile("goal_chats", percent(chats.share), `${chats.within} / ${chats.of} 个对话`, share(chats, 0.95));
  const { resolved, surveyed } = told.today;
  tile("resolved", percent(resolved.share), `${resolved.part} / ${resolved.of} 个对话`);
  tile("surveyed", percent(surveyed.share), `${surveyed.part} / ${surveyed.of} 人评价`);
  tile("late", told.late.overdue, `24 小时内到期 ${told.late.soon}`, told.late.overdue ? "bad" : "");
  tile("callbacks", told.callbacks.open, told.callbacks.overdue ? `${told.callbacks.overdue} 个超时` : "没有超时",
    told.callbacks.overdue ? "bad" : "");
  if (whole) showHouse(told);
  const at = new Date(told.at);
  document.getElementById("clock").textContent = at.toLocaleTimeString("zh-CN", { hour12: false });
}

function showHouse(told) {
  tile("calls", told.calls === null ? "–" : told.calls.length,
    told.calls === null ? "电话进程没有回音" : stages(told.calls));
  fill("waiting", told.waiting.map(queueRow), "");
  fill("calls", (told.calls ?? []).slice(0, 8).map(callRow), told.calls === null ? "电话进程没有回音" : "现在没有通话");
  fill("agents", told.agents.map(agentRow), "没有人在线");
  document.getElementById("statuses").textContent = Object.entries(words.status)
    .filter(([code]) => code !== "offline" && told.by_status[code])
    .map(([code, name]) => `${name} ${told.by_status[code]}`).join("　");
  count("danger-count", told.danger.length);
  fill("danger", told.danger.map(dangerRow), "没有未办的险情");
  count("alarm-count", told.alarms.length);
  fill("alarms", told.alarms.map(alarmRow), "没有告警");
  const reasons = Object.entries(told.today.reasons).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...reasons.map(([, number]) => number));
  fill("reasons", reasons.map(([code, number]) => bar(words.reasons[code] ?? code, number, most)), "今天还没有人转人工");
}

function count(id, number) {
  const place = document.getElementById(id);
  place.textContent = number || "";
}

const STAGES = { bot: "助手", waiting: "等待", ringing: "接通中", person: "人工" };
function stages(calls) {
  const counts = {};
  for (const call of calls) counts[call.stage] = (counts[call.stage] ?? 0) + 1;
  return Object.entries(STAGES).filter(([stage]) => counts[stage])
    .map(([stage, name]) => `${name} ${counts[stage]}`).join(" · ") || "没有通话";
}

function queueRow(one) {
  const row = make("li", one.count ? "row row_wait" : "row");
  row.append(make("b", "", one.label), make("span", "row__main", `${one.count} 人在等`),
    make("span", "soft", one.count ? `最久 ${span(one.longest_s)}` : ""));
  return row;
}

function callRow(one) {
  const row = make("li", "row");
  row.append(make("span", "stage", one.held ? "保持" : one.label),
    make("span", "row__main", one.caller || "号码保密"), make("span", "soft", one.parties.join("、")),
    make("time", "soft", span(one.seconds)));
  return row;
}

function agentRow(one) {
  const row = make("li", `person person_${one.talks.length ? "talks" : one.status}`);
  row.append(make("b", "", one.name),
    make("span", "", one.talks.length ? one.talks.join("、") : words.status[one.status] ?? one.status),
    make("time", "soft", span(one.since_s)));
  return row;
}

function dangerRow(one) {
  const row = make("li", "row row_danger");
  const link = make("a", "row__main", one.title || one.number);
  link.href = `/orders/${one.number}`;
  const links = make("span", "links");
  for (const each of one.links) {
    links.append(make("span", `link link_${each.state}`, `${each.party} ${words.links[each.state] ?? each.state}`));
  }
  if (!one.links.length) links.append(make("span", "link", one.department || "还没有派单"));
  row.append(make("time", "", clock(one.at)), link, links);
  return row;
}

function alarmRow(one) {
  const row = make("li", "row row_alarm");
  const text = make("span", "row__main", one.text);
  const button = make("button", "button button_small", "知道了");
  button.type = "button";
  button.addEventListener("click", () => acknowledge(one.id, button));
  row.append(make("time", "", clock(one.at)), text, button);
  return row;
}

function bar(label, number, most) {
  const row = make("li", "bar");
  const line = make("meter", "bar__line");
  line.max = most;
  line.value = number;
  row.append(make("span", "bar__label", label), line, make("b", "", number));
  return row;
}

let today = "";
function clock(at) {
  const moment = new Date(at);
  const time = moment.toLocaleTimeString("zh-CN", { hour12: false, hour: "2-digit", minute: "2-digit" });
  return moment.toDateString() === today ? time : `${moment.getMonth() + 1}-${moment.getDate()} ${time}`;
}

async function acknowledge(id, button) {
  button.disabled = true;
  const body = new URLSearchParams({ token: wall.dataset.token });
  const headers = { accept: "application/json" };
  const answer = await fetch(`/wall/alarms/${id}/seen`, { method: "POST", body, headers }).catch(() => null);
  if (answer?.ok) button.closest("li").remove();
  else button.disabled = false;
}

// The browser connects again by itself; what stands is marked as old meanwhile.
const state = document.getElementById("state");
function connect() {
  const live = new EventSource(wall.dataset.live);
  live.addEventListener("message", (event) => {
    state.textContent = "";
    wall.classList.remove("wall_old");
    show(JSON.parse(event.data));
  });
  live.addEventListener("over", () => {
    live.close();
    state.textContent = "登录已经结束，请重新登录";
    wall.classList.add("wall_old");
  });
  live.addEventListener("error", () => {
    state.textContent = live.readyState === EventSource.CLOSED ? "连接断开，请重新打开这一页" : "连接断开，正在重连……";
    wall.classList.add("wall_old");
  });
}
connect();

let length = "7";
async function days() {
  const answer = await fetch(`/wall/days?length=${length}`).catch(() => null);
  if (!answer?.ok || !answer.headers.get("content-type")?.includes("json")) return;
  const told = await answer.json();
  if (String(told.length) !== length) return;
  draw(told, words, wall.classList.contains("wall_big"));
  showSums(told);
  fill("classes", told.classes.map(hotClass), "这段时间没有 3 件以上的同类诉求");
  fill("places", told.places.map(hotPlace), "没有反映 3 次以上的地点");
}

/** The three of return visits, and what was said right after a talk. */
const RATES = { responded: "响应率", solved: "解决率", satisfied: "满意率", surveyed: "当场满意率" };

function showSums({ sum, before }) {
  const more = before.orders ? `（上一时段 ${before.orders}）` : "";
  const parts = [
    `受理 ${sum.orders} 件${more}`, `重复 ${sum.repeats} 件`,
    ...["responded", "solved", "satisfied", "surveyed"].map((name) => `${RATES[name]} ${percent(sum[name].share)}（${sum[name].part} / ${sum[name].of}）`),
    `助手答复点赞 ${percent(sum.thumbs.share)}（${sum.thumbs.part} / ${sum.thumbs.of}）`,
  ];
  document.getElementById("sums").replaceChildren(...parts.map((part) => make("span", "", part)));
}

function hotClass(one) {
  const row = make("li", "hot__row");
  const more = one.count - one.before;
  const growth = one.growth === null ? "新出现" : `${more >= 0 ? "+" : ""}${Math.round(100 * one.growth)}%`;
  const link = make("a", "row__main", one.name);
  link.href = `/orders?code=${encodeURIComponent(one.code)}`;
  row.append(link, make("b", "", `${one.count} 件`), make("span", more > 0 ? "more" : "soft", growth));
  return row;
}

function hotPlace(one) {
  const row = make("li", "hot__row");
  const link = make("a", "row__main", one.title || one.number);
  link.href = `/orders/${one.number}`;
  row.append(link, make("b", "", `${one.count} 次`));
  return row;
}

if (whole) {
  for (const radio of document.querySelectorAll('input[name="length"]')) {
    radio.addEventListener("change", () => { length = radio.value; days(); });
  }
  days();
  setInterval(() => { if (!document.hidden) days(); }, 60_000);
}
