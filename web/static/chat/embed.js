// What a site of the city loads to offer the chat on its own pages:
//   <script src="https://12345.example.gov.cn/chat/embed.js" defer></script>
// A button at the lower right opens the citizen's page in a frame, which is loaded only then.
// data-line names a line of the city, data-label the button's words, data-open="yes" opens it at
// once. The host page is told how many messages were not seen yet; and where the browser denies the
// frame any storage, this tab keeps the session for it, so that it goes on from page to page.
"use strict";

(() => {
  const script = document.currentScript;
  const base = new URL(script.src).origin;
  const { line = "", label = "在线问12345", open = "" } = script.dataset;
  const KEPT = "qianmen.session";
  const PHONE = "(max-width: 560px), (max-height: 480px)";

  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    button {
      font: 600 18px/1.2 system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif;
      cursor: pointer;
    }
    button:focus-visible { outline: 3px solid #0b57d0; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .open {
      position: fixed; right: max(20px, env(safe-area-inset-right));
      bottom: max(20px, env(safe-area-inset-bottom)); z-index: 2147483000;
      display: flex; align-items: center; gap: 10px; min-height: 56px; padding: 0 22px 0 18px;
      border: 2px solid #fff; border-radius: 28px; background: #07783f; color: #fff;
      box-shadow: 0 4px 18px rgb(0 0 0 / 28%);
    }
    .open:hover { background: #056233; }
    .open svg { width: 26px; height: 26px; flex: none; }
    .unseen {
      min-width: 26px; padding: 3px 7px; border-radius: 13px; background: #fff; color: #b3261e;
      font-size: 16px; text-align: center;
    }
    .panel {
      position: fixed; right: max(20px, env(safe-area-inset-right)); bottom: 20px;
      z-index: 2147483000; display: flex; flex-direction: column;
      width: min(420px, calc(100vw - 40px)); height: min(720px, calc(100vh - 40px));
      border-radius: 16px; overflow: hidden; background: #fff;
      box-shadow: 0 8px 40px rgb(0 0 0 / 32%);
    }
    .bar {
      display: flex; align-items: center; justify-content: space-between; flex: none;
      min-height: 48px; padding: 0 4px 0 16px; background: #05532c; color: #fff;
      font: 600 17px/1.2 system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif;
    }
    .close {
      min-width: 76px; min-height: 44px; padding: 0 12px; border: 0; border-radius: 10px;
      background: transparent; color: #fff;
    }
    .close:hover { background: rgb(255 255 255 / 16%); }
    .close:focus-visible { outline-color: #fff; outline-offset: -4px; box-shadow: none; }
    iframe { flex: 1; width: 100%; min-height: 0; border: 0; background: #f1f4f2; }
    @media ${PHONE} {
      .panel { inset: 0; width: auto; height: auto; border-radius: 0; }
    }
    @media print { .open, .panel { display: none; } }
  `;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function speechBubble() {
    const SVG = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("fill", "currentColor");
    path.setAttribute("d", "M4 3h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-5 4.5V17H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2Zm3.5 6a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6Zm4.5 0a1.3 1.3 0 1 0 0 2.6A1.3 1.3 0 0 0 12 9Zm4.5 0a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6Z");
    svg.append(path);
    return svg;
  }

  function start() {
    const host = document.createElement("div");
    host.dataset.qianmen = "";
    const root = host.attachShadow({ mode: "open" });
    dress(root);

    const opener = element("button", "open");
    const unseen = element("span", "unseen");
    opener.type = "button";
    opener.setAttribute("aria-expanded", "false");
    opener.append(speechBubble(), element("span", "", label), unseen);
    unseen.hidden = true;

    const panel = element("div", "panel");
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-label", label);
    panel.hidden = true;
    const bar = element("div", "bar");
    const close = element("button", "close", "收起");
    close.type = "button";
    bar.append(element("span", "", label), close);
    const frame = element("iframe", "");
    frame.title = label;
    frame.allow = "microphone; geolocation";
    panel.append(bar, frame);
    root.append(opener, panel);
    document.body.append(host);

    let loaded = false;
    frame.addEventListener("load", () => { loaded = Boolean(frame.src); });
    const url = `${base}/${line ? `?line=${encodeURIComponent(line)}` : ""}`;

    function show(shown) {
      if (shown && !frame.src) frame.src = url;
      panel.hidden = !shown;
      opener.hidden = shown;
      opener.setAttribute("aria-expanded", String(shown));
      if (shown) count(0);
      if (loaded) frame.contentWindow.postMessage({ qianmen: "shown", shown }, base);
      (shown ? frame : opener).focus();
    }

    function count(number) {
      unseen.hidden = !number;
      unseen.textContent = number ? `${number}条新消息` : "";
    }

    opener.addEventListener("click", () => show(true));
    close.addEventListener("click", () => show(false));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") show(false); });
    addEventListener("message", (event) => {
      if (event.origin !== base || event.source !== frame.contentWindow) return;
      const { qianmen, number, session } = event.data ?? {};
      if (qianmen === "unseen" && panel.hidden) count(Number(number) || 0);
      if (qianmen === "close") show(false);
      if (qianmen === "keep") keep(String(session ?? ""));
      if (qianmen === "recall") frame.contentWindow.postMessage({ qianmen: "kept", session: kept() }, base);
    });
    if (open === "yes") show(true);
  }

  function keep(session) {
    try {
      if (session) sessionStorage.setItem(KEPT, session);
      else sessionStorage.removeItem(KEPT);
    } catch { /* then every page begins anew */ }
  }

  function kept() {
    try { return sessionStorage.getItem(KEPT) ?? ""; } catch { return ""; }
  }

  // A sheet of its own is not held up by the host page's policy, as a style element would be.
  function dress(root) {
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(element("style", "", STYLE));
    }
  }

  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
})();
