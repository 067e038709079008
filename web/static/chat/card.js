// The complaint read back: every field can be mended before it becomes a work order.

import { button, element } from "./dom.js";

const CONFIRMS = "对";
const LONGEST = 500; // characters; the server takes no more
const LINE = 100;
let numbered = 0;

/** `onMend(field, value)` and `onChoice(option)` send; both settle the card. */
export function card({ kind = "", fields = [], photos = 0 }, options, { onMend, onChoice }) {
  const made = element("section", "card");
  made.setAttribute("aria-label", "请核对您的诉求");
  const head = element("div", "card__head");
  head.append(element("span", "", "请核对您的诉求"));
  if (kind) head.append(element("span", "card__kind", kind));
  made.append(head, ...fields.map((field) => row(field, onMend)));
  if (photos) made.append(element("p", "card__note", `附上您发的${photos}张照片。`));
  const ends = element("div", "card__ends");
  for (const option of options) {
    const confirms = option.value === CONFIRMS;
    const label = confirms ? "确认提交" : "有地方不对";
    ends.append(button(`button${confirms ? " button_main" : ""}`, label, () => onChoice({ ...option, label })));
  }
  made.append(ends);
  return made;
}

/** What was read back is answered: it can be read still, and no more. */
export function settle(made) {
  made.classList.add("card_settled");
  for (const part of made.querySelectorAll(".card__mend, .card__ends, .card__form")) part.remove();
  for (const value of made.querySelectorAll(".card__value")) value.hidden = false;
}

function row(field, onMend) {
  const made = element("div", `card__row${field.mended ? " card__row_mended" : ""}`);
  const name = element("span", "card__name", field.label);
  const value = element("span", `card__value${field.value ? "" : " card__value_none"}`, shown(field) || "还没填");
  const mend = button("card__mend", field.value ? "修改" : "填写", () => edit(made, field, onMend));
  mend.setAttribute("aria-label", `${mend.textContent}${field.label}`);
  made.append(name, value, mend);
  return made;
}

// A number is checked more easily in the groups in which it is told.
function shown({ value, edit: how }) {
  return how === "tel" ? value.replace(/^(1\d\d)(\d{4})(\d{4})$/, "$1 $2 $3") : value;
}

function edit(made, field, onMend) {
  const [value, mend] = [made.querySelector(".card__value"), made.querySelector(".card__mend")];
  const form = element("form", "card__form");
  form.noValidate = true;
  const input = inputFor(field);
  const label = element("label", "unseen", `${field.label}改成`);
  label.htmlFor = input.id;
  const buttons = element("div", "sheet__row");
  const save = element("button", "button button_main", "保存");
  save.type = "submit";
  const back = () => {
    form.remove();
    value.hidden = mend.hidden = false;
    mend.focus();
  };
  buttons.append(button("button", "不改了", back), save);
  form.append(label, input, buttons);
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    back();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = input.value.trim();
    if (!said || said === field.value) back();
    else onMend(field, said);
  });
  value.hidden = mend.hidden = true;
  made.append(form);
  input.focus();
}

function inputFor({ name, value, edit: how }) {
  const input = element(how === "long" ? "textarea" : "input", "field");
  input.id = `card-${name}-${numbered += 1}`;
  input.value = value;
  input.maxLength = how === "long" ? LONGEST : LINE;
  if (how !== "tel") return input;
  input.type = "tel";
  input.inputMode = "tel";
  input.autocomplete = "tel";
  return input;
}
