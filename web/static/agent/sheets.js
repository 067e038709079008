// Questions that are asked over the page: how it ended, to whom it goes, what the keys are.

import { by, button, el, fill } from "./dom.js";

/** Ask; resolves with the form's values, null where it was closed. */
export function ask(title, content, label = "确定") {
  const sheet = by("sheet");
  return new Promise((answered) => {
    const form = el("form.sheet__form", { method: "dialog" }, el("h2", {}, title), content,
      el("div.sheet__buttons", {}, button("取消", () => sheet.close("cancel"), { key: "Escape" }),
        el("button.button.agent-button.button_main", { type: "submit", value: "ok" }, label)));
    form.addEventListener("submit", () => { sheet.values = Object.fromEntries(new FormData(form)); });
    fill(sheet, form);
    sheet.values = null;
    sheet.returnValue = "";
    sheet.addEventListener("close", () => answered(sheet.returnValue === "ok" ? sheet.values : null), { once: true });
    sheet.showModal();
    form.querySelector("input, textarea, select")?.focus();
  });
}

export function tell(title, ...content) {
  const sheet = by("sheet");
  fill(sheet, el("div.sheet__form", {}, el("h2", {}, title), content, el("div.sheet__buttons", {}, button("关闭", () => sheet.close(), { key: "Escape" }))));
  sheet.showModal();
}

function radios(name, choices) {
  return el("div.picks", { role: "radiogroup" }, choices.map(([value, label, key], place) => el("label.pick", {},
    el("input", { type: "radio", name, value, required: true, checked: place === 0 }), key ? el("kbd", {}, key) : null, label)));
}

function words(name, label, hint) {
  return el("label.sheet__words", {}, label, el("textarea", { name, rows: 2, maxlength: "1000", placeholder: hint }));
}

export function askFinish(results) {
  const choices = results.map((one, place) => [one.code, one.label, String(place + 1)]);
  const asked = ask("这次接待的结果", [radios("result", choices), words("note", "备注（可以不写）", "给后面办理的同事看")], "结束");
  by("sheet").querySelector("form").addEventListener("keydown", (event) => {
    const place = Number(event.key) - 1;
    const found = by("sheet").querySelectorAll("input[type=radio]")[place];
    if (found && event.target.tagName !== "TEXTAREA") found.checked = true;
  });
  return asked;
}

export function askTransfer(agents, skills, me) {
  const others = agents.filter((one) => one.login !== me).map((one) => [`agent:${one.login}`, `${one.name}（${STATUS[one.status] ?? one.status}）`]);
  const groups = skills.map((one) => [`skill:${one.name}`, `会“${one.label}”的坐席`]);
  const choices = [...others, ...groups];
  if (!choices.length) {
    tell("转给别人", el("p", {}, "现在没有别的坐席，也没有设技能组。"));
    return Promise.resolve(null);
  }
  return ask("转给谁", [radios("to", choices), words("note", "交代一句（可以不写）", "对方接的时候看得到")], "转接");
}

export function askTarget(title, targets, label) {
  if (!targets.length) {
    tell(title, el("p", {}, "没有配置可以拨的对象。"));
    return Promise.resolve(null);
  }
  return ask(title, radios("target", targets.map((one) => [one.name, one.label])), label);
}

export function askBack() {
  return ask("交回智能助手", [el("p.soft", {}, "市民会听到或看到：接下来由智能助手继续服务。"), words("word", "让智能助手先回答什么（可以不写）", "例如：租房提取公积金的材料")], "交回");
}

export function askNote() {
  return ask("工单备注", words("text", "备注", "同事看得到，市民看不到"), "保存");
}

export function askFailed() {
  return ask("没有打通", words("note", "情况（可以不写）", "例如：关机"), "记下");
}

const STATUS = { online: "在线", busy: "忙碌", break: "小休", wrapup: "话后", offline: "离线" };

const KEYS = [
  ["F2", "接派来的来访"], ["F4", "让别人接"], ["Alt 1 / 2 / 3", "发出或放大念推荐的答复"], ["Alt ↑ / ↓", "切换我的来访"],
  ["F6", "保持 / 取回"], ["F7", "静音 / 取消"], ["F8", "三方通话"], ["F9", "转接电话"], ["F10", "挂断"],
  ["Alt Enter", "结束，选办理结果"], ["Alt T", "转给别的坐席"], ["Alt Z", "交回智能助手"], ["Alt N", "工单备注"],
  ["Alt W", "到工单第一项"], ["Alt X", "到回复框"], ["Alt O / B / R", "在线 / 忙碌 / 小休"], ["Alt G", "话后整理好了"], ["?", "这张表"],
];

export function showKeys() {
  tell("快捷键", el("dl.keys", {}, KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)])));
}

export function readAloud(answer) {
  tell(answer.title, el("p.aloud", {}, answer.speech || answer.text), el("p.soft", {}, `依据：${answer.source ?? ""}`));
}
