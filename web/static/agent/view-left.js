// The left column: the offer, my talks, whom to call back.

import { button, by, clock, el, fill } from "./dom.js";
import { ring } from "./sound.js";
import { since } from "./state.js";

const CHANNELS = { phone: "电话", web: "网页", wechat: "微信" };
const URGENCIES = { danger: "险情", urgent: "加急", normal: "" };
const AGAIN_S = 3;
let rung = { offer: "", at: 0 };

export function channel(code) {
  return CHANNELS[code] ?? code;
}

export function showLeft(state, acts) {
  showOffer(state, acts);
  const cards = state.mine.map((card) => mine(state, card, acts));
  fill(by("mine"), cards.length ? cards : el("li.cards__none", {}, state.status === "online" ? "等待派单。有来访时这里会响铃并弹出。" : "把状态改成“在线”，就会派来访给您。"));
  showCallbacks(state, acts);
}

function showOffer(state, acts) {
  const { offer } = state;
  if (!offer) {
    rung = { offer: "", at: 0 };
    fill(by("offer"));
    return;
  }
  if (by("offer").firstChild?.dataset?.offer === offer.offer) return;
  const urgency = URGENCIES[offer.urgency] ?? "";
  fill(by("offer"), el(`article.offer${offer.urgency === "danger" ? ".offer_danger" : ""}`, { "data-offer": offer.offer },
    el("header.offer__head", {},
      el("b", {}, offer.channel === "phone" ? "来电" : `${channel(offer.channel)}来访`),
      urgency ? el(`span.badge.badge_${offer.urgency}`, {}, urgency) : null,
      el("span.offer__left", {}, "还剩 ", el("time", { "data-until": offer.until ?? "" }))),
    el("h2.offer__title", {}, offer.title || "还没有说明事由"),
    offer.summary && offer.summary !== offer.title ? el("p.offer__summary", {}, offer.summary) : null,
    el("p.soft", {}, `${offer.reason_label}，已等 `, el("time", { "data-since": offer.since }),
      offer.where ? `，${offer.where}` : ""),
    offer.passed ? el("p.passed", {}, passedOn(state, offer.passed)) : null,
    offer.earlier ? el("p.offer__earlier", {}, `这位市民或同一地点以前有 ${offer.earlier} 张工单`) : null,
    el("div.offer__buttons", {},
      button("接", () => acts.accept(offer.offer), { key: "F2", kind: "button_main" }),
      button("让别人接", () => acts.decline(offer.offer), { key: "F4" }))));
}

/** Who gave them on, and what they said of it. */
export function passedOn(state, { by: login, note }) {
  const name = state.agents.find((one) => one.login === login)?.name ?? login;
  return `${name}转来${note ? `：${note}` : ""}`;
}

/** The offer rings until it is answered. */
export function ringOffer(state, moment) {
  const { offer } = state;
  if (!offer) return;
  if (rung.offer === offer.offer && moment - rung.at < AGAIN_S * 1000) return;
  rung = { offer: offer.offer, at: moment };
  ring(offer.urgency === "danger");
}

function mine(state, card, acts) {
  const urgency = URGENCIES[card.urgency] ?? "";
  const chosen = card.handoff === state.current;
  return el("li", {},
    el(`button.card-row${chosen ? ".card-row_chosen" : ""}`, {
      type: "button", "aria-current": chosen ? "true" : undefined, on: { click: () => acts.choose(card.handoff) },
    },
    el("span.card-row__top", {},
      el("span.badge", {}, channel(card.channel)),
      urgency ? el(`span.badge.badge_${card.urgency}`, {}, urgency) : null,
      el("span.card-row__state", {}, standing(card)),
      card.unread ? el("span.unread", { "aria-label": `${card.unread} 条未读` }, String(card.unread)) : null,
      el("time", { "data-since": card.since })),
    el("span.card-row__title", {}, card.title || "还没有说明事由"),
    el("span.card-row__number", {}, card.number)));
}

export function standing(card) {
  if (card.gone && card.state !== "wrapup") return "市民已离开";
  if (card.state === "wrapup") return "话后整理";
  if (card.state === "accepted") return card.channel === "phone" ? "您的话机在响" : "正在接入";
  if (card.held?.includes("caller")) return "已保持";
  if (card.muted) return "已静音";
  if (card.stage === "ringing") return "正在接通";
  if (card.stage === "parted" || card.stage === "bot") return "您已挂断";
  return card.channel === "phone" ? "通话中" : "接待中";
}

/** A mobile number as people read it: 3-4-4. */
function grouped(phone) {
  return /^1\d{10}$/.test(phone) ? `${phone.slice(0, 3)} ${phone.slice(3, 7)} ${phone.slice(7)}` : phone;
}

function showCallbacks(state, acts) {
  if (!state.callbacks.length) {
    fill(by("callbacks"));
    return;
  }
  fill(by("callbacks"), el("h2.left__title", {}, `要回电的（${state.callbacks.length}）`),
    el("ul.cards", {}, state.callbacks.map((one) => el("li.callback", {},
      el("p.callback__title", {}, one.title || "没有说明事由"),
      el("p.soft", {}, `${clock(one.since)} 起`, one.calls > 1 ? `，来过 ${one.calls} 次` : "",
        one.due && since(state, one.due) > 0 ? el("b.late", {}, " 已过约定时间") : ""),
      one.mine ? el("button.callback__phone", { type: "button", title: "点一下复制号码", "aria-label": `复制 ${one.phone}`, on: { click: () => acts.copy(one.phone) } },
        grouped(one.phone), el("small", {}, "点一下复制")) : null,
      one.mine
        ? el("div.callback__buttons", {}, button("打通了", () => acts.callback(one.callback, "done"), { kind: "button_main" }),
          button("没打通", () => acts.callback(one.callback, "failed")))
        : button("我来回电", () => acts.callback(one.callback, "take"))))));
}
