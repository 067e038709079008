// Large type and strong contrast, set before anything is drawn, and remembered. A classic script in
// the page's head: modules run too late, the page would jump. The switches follow once they exist.
"use strict";

(() => {
  const root = document.documentElement;
  const KEY = "qianmen.display.";
  const SWITCHES = {
    type: { on: "large", off: "normal", button: "large-type", asked: () => false },
    contrast: {
      on: "more", off: "normal", button: "more-contrast",
      asked: () => matchMedia("(prefers-contrast: more)").matches,
    },
  };

  function remembered(name) {
    try { return localStorage.getItem(KEY + name); } catch { return null; }
  }

  function remember(name, value) {
    try { localStorage.setItem(KEY + name, value); } catch { /* it lasts as long as the page */ }
  }

  function show(name, value) {
    root.dataset[name] = value;
    const { button, on } = SWITCHES[name];
    document.getElementById(button)?.setAttribute("aria-pressed", String(value === on));
  }

  for (const [name, { on, off, asked }] of Object.entries(SWITCHES)) {
    show(name, remembered(name) ?? (asked() ? on : off));
  }
  if (window.top !== window) root.dataset.embedded = "";

  document.addEventListener("DOMContentLoaded", () => {
    for (const [name, { on, off, button }] of Object.entries(SWITCHES)) {
      show(name, root.dataset[name]);
      document.getElementById(button).addEventListener("click", () => {
        const value = root.dataset[name] === on ? off : on;
        remember(name, value);
        show(name, value);
      });
    }
  });
})();
