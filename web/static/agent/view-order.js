// The right column: the order as it fills itself. A field that somebody is writing in is left alone.

import { button, by, day, el, fill } from "./dom.js";
import { cardOf, current, mayEdit } from "./state.js";

const GROUPS = [
  ["诉求内容", [["kind", "诉求类型"], ["title", "标题"], ["what", "诉求内容"], ["where", "发生地点"], ["when", "发生时间"],
    ["outcome", "希望的结果"], ["against", "被反映对象"], ["amount", "涉及金额"], ["people", "涉及人数"], ["employer", "用人单位"], ["period", "拖欠时段"]]],
  ["诉求人", [["name", "姓名"], ["phone", "联系电话"], ["contact", "其他联系"], ["secret", "是否保密"], ["visit", "是否回访"], ["language", "语言"]]],
  ["办理", [["urgency", "紧急程度"], ["code", "分类"], ["department", "主办"], ["departments", "协办"]]],
];
const ALWAYS = new Set(["kind", "title", "what", "where", "when", "name", "phone", "urgency", "department"]);
const CHOICES = {
  kind: ["咨询", "求助", "投诉", "举报", "建议", "表扬", "其他"].map((one) => [one, one]),
  urgency: [["normal", "一般"], ["urgent", "加急"], ["danger", "紧急（险情）"]],
  secret: [["否", "否"], ["是", "是"]],
  visit: [["是", "是"], ["否", "否"]],
};
/** What only whoever was not paid is asked. */
const WAGES = new Set(["employer", "period", "people"]);
const LONG = new Set(["what", "title", "where", "when", "outcome", "against", "department", "departments"]);
let drawn = { handoff: "", edition: -1 };

export function showOrder(state, acts) {
  const talk = current(state);
  const order = talk?.order;
  if (!order) {
    drawn = { handoff: "", edition: -1 };
    fill(by("order-head"));
    fill(by("order"), el("p.order__none", {}, state.current ? "正在打开工单…" : "工单会随着对话自动填好，在这里核对。"));
    return;
  }
  showOrderHead(order);
  const editable = mayEdit(state);
  if (drawn.handoff !== state.current) {
    fill(by("order"), groups(order, editable, acts));
    by("order").scrollTop = 0;
  } else renew(order, editable, acts);
  drawn = { handoff: state.current, edition: order.edition };
}

function showOrderHead(order) {
  fill(by("order-head"),
    el("p.order__number", {}, el("a", { href: `/orders/${order.number}`, target: "_blank", rel: "noopener" }, `工单 ${order.number}`),
      el("span.badge", {}, order.state),
      order.urgency !== "normal" ? el(`span.badge.badge_${order.urgency}`, {}, order.urgency === "danger" ? "紧急" : "加急") : null,
      order.repeat_count > 1 ? el("span.badge.badge_urgent", {}, `第 ${order.repeat_count} 次反映`) : null,
      order.secret ? el("span.badge.badge_urgent", {}, "保密") : null),
    order.due_at ? el("p.soft.order__due", {}, "答复期限：", day(order.due_at), "，", el("time", { "data-due": order.due_at })) : null);
}

function groups(order, editable, acts) {
  const known = new Map(order.fields.map((field) => [field.name, field]));
  const parts = GROUPS.map(([title, names]) => el("section.group", {}, el("h3.group__title", {}, title),
    names.map(([name, label]) => row(order, name, label, known.get(name), editable, acts)),
    editable ? more(order, names, known) : null));
  return [...parts, el("div", { id: "beside" }, beside(order, acts))];
}

function aboutWages(order, known) {
  const told = [order.code_name, order.matter, order.title, known.get("what")?.value].join(" ");
  return /工资|欠薪|薪水|工钱|劳务费|讨薪|血汗钱/.test(told);
}

/** What nobody spoke of takes no room: a button for each opens its row. */
function more(order, names, known) {
  const wages = aboutWages(order, known);
  const empty = names.filter(([name]) => !ALWAYS.has(name) && (wages || !WAGES.has(name)) && !value(order, name, known.get(name)));
  return el("p.more", { "data-more": names[0][0] }, empty.map(([name, label]) => el("button.more__one", {
    type: "button",
    on: {
      click(event) {
        event.target.remove();
        by("order").querySelector(`[data-field="${name}"]`).classList.add("datum_opened");
        by(`field-${name}`).focus();
      },
    },
  }, `＋${label}`)));
}

/** What came new is put into its own row; a row in which somebody writes only gets a hint. */
function renew(order, editable, acts) {
  const known = new Map(order.fields.map((field) => [field.name, field]));
  for (const [name, label] of GROUPS.flatMap(([, names]) => names)) {
    const old = by("order").querySelector(`[data-field="${name}"]`);
    const field = known.get(name);
    const fresh = JSON.stringify([value(order, name, field), field, editable]);
    if (!old || old.dataset.made === fresh) continue;
    const input = old.querySelector(".datum__input");
    if (input && (input === document.activeElement || input.dataset.written)) hint(old, value(order, name, field), input);
    else old.replaceWith(row(order, name, label, field, editable, acts));
  }
  for (const [, names] of editable ? GROUPS : []) {
    by("order").querySelector(`[data-more="${names[0][0]}"]`)?.replaceWith(more(order, names, known));
  }
  fill(by("beside"), beside(order, acts));
}

function hint(old, now, input) {
  const place = old.querySelector(".datum__hint");
  place.hidden = now === input.value;
  place.textContent = `这期间填成了：${now || "（空）"}`;
}

function value(order, name, field) {
  if (name in CHOICES && ["secret", "visit"].includes(name)) return order[name] ? "是" : "否";
  if (name === "departments") return order.departments.join("、");
  if (["kind", "urgency", "title", "code", "department"].includes(name)) return order[name] ?? "";
  return field?.value ?? "";
}

function row(order, name, label, field, editable, acts) {
  const now = value(order, name, field);
  const empty = !now && !ALWAYS.has(name);
  const input = control(name, now);
  input.disabled = !editable || field?.hidden;
  input.id = `field-${name}`;
  const made = el(`div.datum${field?.doubtful ? ".datum_doubtful" : ""}${empty ? ".datum_empty" : ""}`, { "data-field": name },
    el("label.datum__label", { for: input.id }, label), input, check(name, label, field, editable, acts),
    el("p.datum__hint", { hidden: true, role: "status" }), source(field, acts));
  made.dataset.made = JSON.stringify([now, field, editable]);
  input.addEventListener("input", () => { input.dataset.written = "1"; });
  const save = () => commit(made, input, now, name, acts);
  input.addEventListener("change", save);
  input.addEventListener("blur", () => {
    if (input.value.trim() !== now) return;
    delete input.dataset.written;
    acts.orderAgain();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { input.value = now; input.blur(); event.stopPropagation(); }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && input.tagName !== "SELECT") { event.preventDefault(); input.blur(); }
  });
  return made;
}

function control(name, now) {
  if (name in CHOICES) {
    const known = CHOICES[name].some(([code]) => code === now) ? CHOICES[name] : [[now, now || "未定"], ...CHOICES[name]];
    return el("select.datum__input", {}, known.map(([code, label]) => el("option", { value: code, selected: code === now }, label)));
  }
  if (LONG.has(name)) {
    const box = el("textarea.datum__input", { rows: 1, placeholder: "未说" });
    box.value = now;
    return box;
  }
  return el("input.datum__input", { value: now, autocomplete: "off", placeholder: "未说" });
}

/** Save one field; where somebody changed the order meanwhile, what is written stays and is said. */
async function commit(made, input, before, name, acts) {
  if (input.value.trim() === before) {
    delete input.dataset.written;
    return;
  }
  made.classList.add("datum_saving");
  const answer = await acts.field(name, input.value.trim());
  made.classList.remove("datum_saving");
  const place = made.querySelector(".datum__hint");
  if (answer.type === "done") {
    delete input.dataset.written;
    acts.orderAgain();
    return;
  }
  place.hidden = false;
  place.textContent = answer.code === "order_changed" || answer.code === "entry_changed"
    ? "别人刚刚改过这张工单。您写的还在，请核对后再保存一次。" : answer.text;
}

/** One click says that a field is right. */
function check(name, label, field, editable, acts) {
  if (!editable || !field?.value || field.confirmed_by) return null;
  return el("button.confirm", {
    type: "button", title: "和市民核对过了，没有错", "aria-label": `“${label}”核对无误`, on: { click: () => acts.confirm(name) },
  }, field.doubtful ? "请核对" : "核对");
}

function source(field, acts) {
  if (!field) return el("p.datum__source");
  const parts = [];
  if (field.turn_seq !== null) {
    if (field.recording && field.start_ms !== null) {
      parts.push(el("button.play", { type: "button", title: "听原话", "aria-label": "听原话", on: { click: () => { acts.source(field); acts.play(field.recording, field.start_ms); } } }, "▶"));
    }
    parts.push(el("button.source", { type: "button", title: "看原话", on: { click: () => acts.source(field) } }, `“${short(field.quote)}”`));
  }
  if (field.rule_label) parts.push(el("span.soft", {}, field.rule_label));
  if (field.confirmed_by) parts.push(el("span.sure", {}, field.confirmed_by === "citizen" ? "✓ 市民已确认" : `✓ ${field.confirmed_by} 已核对`));
  if (field.former.length) {
    parts.push(el("details.former", {}, el("summary", {}, `改过 ${field.former.length} 次`),
      field.former.map((one) => el("p", {}, `原来：${one.value || "（空）"}${one.by ? `（${one.by}改）` : ""}`))));
  }
  return el("p.datum__source", {}, parts);
}

function short(quote) {
  return quote.length > 12 ? `${quote.slice(0, 12)}…` : quote;
}

function beside(order, acts) {
  const links = order.links.map((link) => el("li", {}, el("b", {}, link.label), ` ${link.state_label}`,
    link.reference ? `，编号 ${link.reference}` : "", link.fault ? el("span.late", {}, `（${link.fault}）`) : ""));
  return [
    el("section.group", {}, el("h3.group__title", {}, "联动"), el("ul.links", {}, links.length ? links : el("li.soft", {}, "没有发给110或部门")),
      button("转110", () => acts.link("110"), { kind: "button_danger", title: "把工单马上发给110" })),
    order.reasons.length ? el("details.group", {}, el("summary.group__title", {}, "为什么这样分类"), el("ul.reasons", {}, order.reasons.map((one) => el("li", {}, one)))) : null,
    order.earlier.length ? el("section.group", {}, el("h3.group__title", {}, `以前的工单（${order.earlier.length}）`),
      el("ul.earlier", {}, order.earlier.map((one) => el("li", {},
        el("a", { href: `/orders/${one.number}`, target: "_blank", rel: "noopener" }, one.title || one.number),
        el("p.soft", {}, `${day(one.at)}，${one.state}，${one.why === "place" ? "同一地点" : "同一个人"}`),
        one.summary && one.summary !== one.title ? el("p.earlier__summary", {}, one.summary) : null)))) : null,
  ];
}

export function showOrderFoot(state, acts) {
  const card = cardOf(state);
  fill(by("order-foot"), card ? [
    button("结束", acts.finish, { key: "Alt+Enter", kind: "button_main" }),
    button("转给别人", acts.transfer, { key: "Alt+t" }),
    button("交回助手", acts.back, { key: "Alt+z" }),
    button("备注", acts.note, { key: "Alt+n" }),
  ] : null);
}
