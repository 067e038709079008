// The citizen's chat: what is said goes to the outbox first and leaves it only when the server has
// acknowledged it; what is told counts by its cursor. So nothing is lost or shown twice.

import { Connection } from "./connection.js";
import { newId, outbox, session } from "./outbox.js";
import { Queue } from "./queue.js";
import { View } from "./view.js";

const RESEND_MS = 3000;
const TYPING_MS = 8000;
const COUNT_FROM = 900;
const QUIET_MS = 600;
const TELL_TYPING_MS = 3000;
const BOT = "智能助手为您服务";

const body = document.body;
const [link, quick, composer, words, sendButton, count, person, over, again, host] = [
  "link", "quick", "composer", "words", "send", "count", "person", "over", "again", "host",
].map((id) => document.getElementById(id));
const maxChars = Number(body.dataset.maxChars);
const scheme = location.protocol === "https:" ? "wss" : "ws";
const url = `${scheme}://${location.host}/chat/ws?line=${encodeURIComponent(body.dataset.line)}`;

let cursor = 0;
let conversation = "";
let up = false;
let handed = false;
let awaited = "";
let typingEnds = 0;
let quietTimer = 0;
let toldTyping = 0;
let standing = "";

const view = new View(
  (option) => say({ type: "choice", value: option.value, label: option.label }, option.label),
  (turn, value) => connection.send({ type: "rate", id: newId(), turn, value }),
);
const queue = new Queue((number) => say({ type: "text" }, `不等了，请给我回电话：${number}`));
const connection = new Connection(url, () => ({ session: session.get(), cursor }));

function say(content, text) {
  const message = { id: newId(), at: Date.now(), text, ...content };
  outbox.add(message);
  view.mine({ id: message.id, text, at: message.at, state: up ? "sending" : "waiting" });
  quick.hidden = true;
  if (up) transmit(message);
}

function transmit({ id, type, text, value, label }) {
  const frame = type === "choice" ? { type, id, value, label } : { type: "text", id, text };
  view.mark(id, connection.send(frame) ? "sending" : "waiting");
}

const handlers = {
  welcome(frame) {
    session.set(frame.session);
    if (frame.conversation !== conversation) startOver(frame.conversation);
    up = true;
    showLink("");
    if (frame.ended) end();
  },

  history(frame) {
    for (const turn of frame.turns) {
      if (turn.cursor <= cursor) continue;
      cursor = turn.cursor;
      if (turn.speaker === "citizen") showOwn(turn);
      else showTold(turn);
    }
    for (const message of outbox.all()) {
      view.remove(message.id);
      view.mine({ ...message, text: message.label || message.text, state: "sending" });
      transmit(message);
    }
  },

  ack(frame) {
    const said = outbox.has(frame.id); // a thumb is acknowledged as well, and answered by nothing
    outbox.done(frame.id);
    view.mark(frame.id, "");
    showLink("");
    if (said && !handed) expectReply(frame.id);
  },

  told(frame) {
    if (frame.cursor <= cursor) return;
    cursor = frame.cursor;
    showTold(frame);
  },

  standing(frame) {
    const before = standing;
    standing = frame.state;
    const says = queue.show(frame);
    if (says) {
      handed = true;
      host.textContent = says;
      offerPerson(false);
    } else if (before) {
      handed = false; // the bot has the citizen again, or they are called back
      host.textContent = BOT;
      offerPerson(true);
    }
    if (standing !== "connected") view.typing(false);
  },

  typing(frame) {
    if (standing === "connected") view.typing(frame.on, "工作人员正在输入…");
  },

  error(frame) {
    if (frame.retry) {
      showLink(frame.text);
      if (!frame.id) return;
      view.mark(frame.id, "waiting");
      setTimeout(() => resend(frame.id), RESEND_MS);
      return;
    }
    if (frame.id) {
      outbox.done(frame.id);
      view.mark(frame.id, "failed");
    }
    view.note(frame.text);
  },

  pong() {},
};

function startOver(name) {
  conversation = name;
  cursor = 0;
  handed = false;
  offerPerson(true);
  view.clear();
  view.typing(false);
  host.textContent = BOT;
  standing = "";
  queue.show({ state: "" });
}

function showOwn(turn) {
  // A page that was reloaded finds here what it had sent; the outbox may still hold it.
  outbox.done(turn.id);
  view.remove(turn.id);
  if (turn.kind !== "text" && turn.kind !== "choice") return;
  view.mine({ id: turn.id, text: turn.text, at: turn.at });
  quick.hidden = true;
  if (!handed) awaited = turn.id;
}

function showTold(turn) {
  if (turn.last && turn.in_reply_to === awaited) awaited = "";
  if (!awaited) view.typing(false);
  view.reply(turn);
  if (turn.reply.type === "handoff") {
    handed = true;
    awaited = "";
    view.typing(false);
    if (!standing) host.textContent = "已转人工，请留在这个页面";
    offerPerson(false);
  }
  if (turn.speaker === "agent") {
    view.typing(false);
    if (standing !== "connected") host.textContent = "工作人员正在为您服务";
  }
  if (turn.reply.type === "bye") end();
}

function offerPerson(offered) {
  person.disabled = !offered;
  person.textContent = offered ? "转人工" : "已转人工";
}

function expectReply(id) {
  awaited = id;
  view.typing(true);
  clearTimeout(typingEnds);
  typingEnds = setTimeout(() => view.typing(false), TYPING_MS);
}

function resend(id) {
  const message = outbox.all().find((waiting) => waiting.id === id);
  if (message && up) transmit(message);
}

function end() {
  connection.close();
  session.forget();
  composer.hidden = true;
  person.hidden = true;
  quick.hidden = true;
  queue.show({ state: "" });
  over.hidden = false;
}

function showLink(text) {
  clearTimeout(quietTimer);
  link.textContent = text;
  link.hidden = !text;
}

connection.addEventListener("frame", (event) => handlers[event.detail.type]?.(event.detail));
connection.addEventListener("down", () => {
  const first = up;
  up = false;
  for (const message of outbox.all()) view.mark(message.id, "waiting");
  view.typing(false);
  // A hiccup that mends at once need not worry anybody.
  if (first) quietTimer = setTimeout(() => showLink("正在重新连接…您可以接着写，连上后自动发送"), QUIET_MS);
  else if (link.hidden && !quietTimer) showLink("正在连接…");
});

function takeWords() {
  const text = words.value.trim();
  if (!text || text.length > maxChars) return;
  say({ type: "text" }, text);
  words.value = "";
  fit();
  words.focus();
}

function fit() {
  words.style.setProperty("height", "auto");
  words.style.setProperty("height", `${words.scrollHeight}px`);
  const length = words.value.trim().length;
  sendButton.disabled = length === 0 || length > maxChars;
  count.hidden = length < COUNT_FROM;
  count.textContent = length > maxChars ? `超出 ${length - maxChars} 个字，请分成几条发` : `${length}/${maxChars}`;
}

// Whoever has the citizen sees that they write; what they write, only once it is sent.
function tellTyping() {
  if (standing !== "connected" || !words.value || Date.now() - toldTyping < TELL_TYPING_MS) return;
  toldTyping = Date.now();
  connection.send({ type: "typing", on: true });
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  takeWords();
});
words.addEventListener("input", () => {
  fit();
  tellTyping();
});
words.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses the word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  takeWords();
});
person.addEventListener("click", () => say({ type: "text" }, "转人工"));
quick.addEventListener("click", (event) => {
  const chosen = event.target.closest(".quick__item");
  if (chosen) say({ type: "text" }, chosen.textContent.trim());
});
again.addEventListener("click", () => location.reload());
new ResizeObserver(() => view.scroll()).observe(document.getElementById("talk"));

for (const message of outbox.all()) {
  view.mine({ ...message, text: message.label || message.text, state: "waiting" });
}
connection.open();
