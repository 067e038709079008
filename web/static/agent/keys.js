// One key for each thing: a button says its key in data-key, and the key presses it.

export function listen(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const key = name(event);
    const writing = event.target.closest("input, textarea, select");
    if (key === "?" && !writing) return stop(event, acts.help);
    if (key === "Alt+ArrowDown" || key === "Alt+ArrowUp") return stop(event, () => acts.step(key.endsWith("Down") ? 1 : -1));
    if (key === "Alt+w") return stop(event, () => document.querySelector("#order .datum__input:not(:disabled)")?.focus());
    if (key === "Alt+x") return stop(event, () => document.getElementById("reply")?.focus());
    const button = document.querySelector(`#agent [data-key="${CSS.escape(key)}"]:not(:disabled)`);
    if (button) stop(event, () => button.click());
  });
}

/** `Alt+n` for the key, whatever the layout makes of it together with Alt. */
function name(event) {
  const key = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase()
    : event.altKey && /^Digit[0-9]$/.test(event.code) ? event.code[5] : event.key;
  return event.altKey ? `Alt+${key}` : key;
}

function stop(event, act) {
  event.preventDefault();
  act();
}
