// Small helpers. Words of people become text nodes, never markup.

/** An element: `el("p.soft", {title: "…"}, "words", child)`. */
export function el(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function by(id) {
  return document.getElementById(id);
}

/** A button with its key shown. */
export function button(label, act, { key = "", kind = "", title = "", disabled = false } = {}) {
  const made = el(`button.button.agent-button${kind ? `.${kind}` : ""}`, {
    type: "button", title, disabled, on: { click: act }, "data-key": key || undefined,
  }, label);
  if (key) made.append(" ", el("kbd", {}, shown(key)));
  return made;
}

export function shown(key) {
  return key.replace(/^Alt\+(.)$/, (_, letter) => `Alt ${letter.toUpperCase()}`).replace("Alt+", "Alt ").replace("Escape", "Esc");
}

/** `parent` holds just `children`. */
export function fill(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? naming(document.activeElement) : "";
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (!focused) return;
  // Whoever works by keys stays where they were.
  for (const one of parent.querySelectorAll("button, a, summary, input, select, textarea")) {
    if (naming(one) === focused) return one.focus({ preventScroll: true });
  }
}

function naming(one) {
  return one.id || one.dataset.key || one.textContent || one.tagName;
}

const told = new WeakMap();

/** As `fill`, only where `known` says otherwise than before: a live region is not read out again. */
export function fillOnce(parent, known, make) {
  const now = JSON.stringify(known);
  if (told.get(parent) === now) return;
  told.set(parent, now);
  fill(parent, make());
}

const two = (value) => String(value).padStart(2, "0");

export function clock(moment) {
  const at = new Date(moment);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function day(moment) {
  const at = new Date(moment);
  return `${at.getMonth() + 1}月${at.getDate()}日 ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** A span in seconds as a stop-watch shows it. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

export function words(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} 秒`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} 分钟`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} 小时 ${Math.floor(seconds / 60) % 60} 分`;
  return `${Math.floor(seconds / 86400)} 天 ${Math.floor(seconds / 3600) % 24} 小时`;
}
