// Forms whose answer takes the place of one part of the page: <form data-live="#part">.

import { settled, tooLong } from "./autosave.js";
import { parsed, put } from "./parts.js";

const running = new WeakMap();

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-live]");
  if (!form) return;
  event.preventDefault();
  const wanting = form.noValidate && form.querySelector("[data-say]:invalid");
  if (wanting) {
    problem(form, wanting.dataset.say);
    wanting.setAttribute("aria-invalid", "true");
    wanting.focus();
    return;
  }
  // A step counts for what was saved: not while something typed is too long to be.
  const over = form.querySelector("[name=edition]") ? tooLong() : "";
  if (over) {
    problem(form, `${over}，还没有保存。先删短再继续。`);
    return;
  }
  if (form.dataset.sure && !confirm(form.dataset.sure)) return;
  await send(form, event.submitter);
});

// What is typed is tried after a rest; the last question wins.
const rests = new WeakMap();
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-typed]");
  if (!form || event.isComposing) return;
  clearTimeout(rests.get(form));
  rests.set(form, setTimeout(() => send(form, null), Number(form.dataset.typed)));
});

async function send(form, submitter) {
  running.get(form)?.abort();
  const stop = new AbortController();
  running.set(form, stop);
  const part = document.querySelector(form.dataset.live);
  const busy = wait(form, part, submitter);
  try {
    await settled();
    const answer = await fetch(submitter?.getAttribute("formaction") ?? form.action, {
      method: "POST", body: body(form, submitter), headers: { "X-Qianmen-Part": "1" }, signal: stop.signal,
    });
    await show(answer, form, part);
  } catch (error) {
    if (error.name !== "AbortError") problem(form, "没有连上服务器，请稍后再试一次。");
  } finally {
    busy();
  }
}

function body(form, submitter) {
  const data = new FormData(form, submitter);
  // A step counts for the edition that was saved last, also where the form is older.
  return form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
}

async function show(answer, form, part) {
  const to = answer.headers.get("X-Qianmen-To");
  if (to) {
    location.assign(to);
    return;
  }
  const text = await answer.text();
  const isProblem = parsed(text).some((node) => node.dataset?.code);
  problem(form, isProblem ? text : "");
  if (isProblem) return;
  put(part, text);
  part.dispatchEvent(new CustomEvent("desk:shown", { bubbles: true }));
}

/** What went wrong stands behind its form; '' takes it away. */
function problem(form, html) {
  form.parentNode?.querySelectorAll(":scope > [data-problem]").forEach((old) => old.remove());
  if (!html) return;
  const told = document.createElement("div");
  told.dataset.problem = "";
  told.className = "problem";
  if (html.startsWith("<")) put(told, html);
  else {
    const line = document.createElement("p");
    line.className = "alert";
    line.setAttribute("role", "alert");
    line.textContent = html;
    told.append(line);
  }
  form.after(told);
}

/** Shows that something takes its time; returns what ends it. */
function wait(form, part, submitter) {
  const buttons = [...form.querySelectorAll("button[type=submit]"), ...(submitter ? [submitter] : [])];
  const able = form.dataset.typed ? [] : [...new Set(buttons)].filter((button) => !button.disabled);
  for (const button of able) button.disabled = true;
  let ticking = 0;
  const showing = setTimeout(() => {
    if (form.dataset.slow && part) ticking = tick(form.dataset.slow, part);
  }, form.dataset.typed ? 1500 : 0);
  return () => {
    clearTimeout(showing);
    clearInterval(ticking);
    part?.querySelector(".slow")?.remove();
    for (const button of able) button.disabled = false;
  };
}

function tick(sentence, part) {
  const began = performance.now();
  const told = document.createElement("p");
  told.className = "slow";
  told.setAttribute("role", "status");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", sentence);
  const words = document.createElement("span");
  words.textContent = `${sentence}……`;
  const seconds = document.createElement("span");
  seconds.className = "soft";
  seconds.setAttribute("aria-hidden", "true");
  told.append(bar, words, seconds);
  part.replaceChildren(told);
  return setInterval(() => {
    seconds.textContent = `${Math.round((performance.now() - began) / 1000)} 秒`;
  }, 500);
}
