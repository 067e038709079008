// Forms that save themselves at every pause, and never over what somebody else wrote meanwhile.

import { ask } from "./conflict.js";
import { put } from "./parts.js";

const PAUSE_MS = 800;
const savers = new Map();

/** Returns once nothing typed is unsaved; rejects nothing: what could not be saved says so. */
export async function settled() {
  await Promise.all([...savers.values()].map((saver) => saver.now()));
}

/** The sentence that says what is too long to be kept, in any form of the page; else "". */
export function tooLong() {
  return [...savers.values()].map((saver) => saver.over()).find((told) => told) ?? "";
}

/** By how many characters a field is longer than it may be: counted as the server counts. */
export function excess(field) {
  return Math.max(0, [...field.value.trim()].length - Number(field.dataset.longest ?? Infinity));
}

export function values(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden") continue;
    found[field.name] = field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
  }
  return found;
}

export function fill(form, name, value) {
  const field = form.elements[name];
  if (field.type === "checkbox") field.checked = value === "1";
  else field.value = value;
  field.dispatchEvent(new Event("desk:filled", { bubbles: true }));
}

class Saver {
  constructor(form) {
    this.form = form;
    this.base = values(form); // as the server has it
    this.status = form.querySelector("[data-status]");
    this.timer = 0;
    this.saving = null;
    this.blocked = false;
    form.addEventListener("input", (event) => {
      if (event.isComposing) return;
      this.later();
    });
    form.addEventListener("compositionend", () => this.later());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.now();
    });
  }

  dirty() {
    const now = values(this.form);
    return Object.keys(now).filter((name) => now[name].trim() !== this.base[name].trim());
  }

  /** What is too long, in words. It is neither cut nor saved: whoever wrote it shortens it. */
  over() {
    const told = [];
    for (const field of this.form.querySelectorAll("[data-longest]")) {
      const more = excess(field);
      if (more) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
      const name = field.labels[0].firstChild.textContent.trim();
      if (more) told.push(`${name}超出 ${more} 字（最长 ${field.dataset.longest} 字）`);
    }
    return told.join("；");
  }

  later() {
    clearTimeout(this.timer);
    const over = this.over();
    if (over) {
      this.tell(`${over}，还没保存`, "bad");
      return;
    }
    if (!this.dirty().length) {
      this.tell("");
      return;
    }
    this.tell("还没保存");
    this.timer = setTimeout(() => this.now(), PAUSE_MS);
  }

  async now() {
    clearTimeout(this.timer);
    if (this.saving) await this.saving;
    if (this.blocked || this.over() || !this.dirty().length) return;
    this.saving = this.save();
    await this.saving;
    this.saving = null;
    if (!this.blocked && this.dirty().length && !this.refused) this.later();
  }

  async save() {
    const sent = values(this.form);
    this.refused = false;
    this.tell("正在保存……");
    try {
      const answer = await fetch(this.form.action, {
        method: "POST", headers: { Accept: "application/json", "X-Qianmen-Part": "1" },
        body: new URLSearchParams(this.body(sent)),
      });
      const told = await answer.json();
      if (answer.ok) this.saved(sent, told);
      else if (told.code === "edit_conflict") await this.merge(told);
      else this.refuse(told);
    } catch {
      this.refused = true;
      this.tell("没有连上服务器，还没保存；连上以后会再存", "bad");
      this.timer = setTimeout(() => this.now(), 5000);
    }
  }

  /** Of words only what changed is sent: others may be busy with the rest. */
  body(sent) {
    const hidden = {};
    for (const field of this.form.elements) {
      if (field.type === "hidden" && field.name) hidden[field.name] = field.value;
    }
    if (this.form.elements.version) return { ...hidden, ...sent };
    return { ...hidden, ...Object.fromEntries(this.dirty().map((name) => [name, sent[name]])) };
  }

  saved(sent, told) {
    this.base = { ...this.base, ...sent };
    this.edition(told);
    this.tell(`已保存 ${told.saved}`, "good");
    for (const [selector, html] of Object.entries(told.fresh ?? {})) {
      const part = document.querySelector(selector);
      if (part) put(part, html);
    }
    this.form.dispatchEvent(new CustomEvent("desk:saved", { bubbles: true, detail: told }));
  }

  edition(told) {
    // The card's words stand in two forms of one page at most: both count on.
    if (told.version && this.form.elements.version) this.form.elements.version.value = told.version;
    this.form.elements.edition.value = told.edition;
  }

  refuse(told) {
    this.refused = true;
    const login = told.code === "not_signed_in" || told.code === "form_expired";
    this.tell(`还没保存：${told.message}`, "bad");
    if (login) this.offerSignIn();
  }

  offerSignIn() {
    const link = document.createElement("a");
    link.href = "/staff/sign-in";
    link.target = "_blank";
    link.textContent = "在新窗口登录";
    this.status.append(" ", link);
  }

  /** Their changes where I changed nothing, mine where they changed nothing; else I am asked. */
  async merge(told) {
    const mine = values(this.form);
    const both = [];
    const taken = [];
    for (const [name, theirs] of Object.entries(told.theirs)) {
      if (!(name in mine) || theirs.trim() === this.base[name].trim()) continue;
      if (mine[name].trim() === this.base[name].trim()) taken.push(name);
      else both.push(name);
    }
    if (both.length) {
      this.blocked = true;
      this.tell("有人也在改，先选用谁的", "bad");
      const choice = await ask(this.form, told, both, mine);
      this.blocked = false;
      for (const name of both) if (choice[name] === "theirs") taken.push(name);
    }
    for (const name of Object.keys(told.theirs)) if (name in this.base) this.base[name] = told.theirs[name];
    for (const name of taken) fill(this.form, name, told.theirs[name]);
    this.edition(told);
    if (this.dirty().length) await this.save();
    else this.tell(`${told.who} ${told.at} 改过，已经换成新的`, "good");
  }

  tell(words, mood = "") {
    if (!this.status) return;
    this.status.textContent = words;
    this.status.dataset.mood = mood;
  }
}

for (const form of document.querySelectorAll("form[data-autosave]")) {
  const field = form.querySelector("textarea, input:not([type=hidden])");
  if (field && !field.readOnly) savers.set(form, new Saver(form));
}

addEventListener("beforeunload", (event) => {
  for (const saver of savers.values()) {
    if (saver.dirty().length) {
      saver.now();
      event.preventDefault();
    }
  }
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) settled();
});
