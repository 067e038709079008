// The citizen's chat: what the server tells, and what the citizen does, joined.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Delivery } from "./delivery.js";
import { byId } from "./dom.js";
import { arrived } from "./embedded.js";
import { outbox, newId, session } from "./outbox.js";
import { Photo } from "./photo.js";
import { Place } from "./place.js";
import { Progress } from "./progress.js";
import { Queue } from "./queue.js";
import { speak } from "./spoken.js";
import { listen, tell } from "./tabs.js";
import { View } from "./view.js";
import { Voice, canRecord } from "./voice.js";

const TYPING_MS = 8000;
const QUIET_MS = 600;
const BOT = "智能助手为您服务";
const OWN = new Set(["text", "choice", "speech", "event"]);

const [link, quick, person, over, again, host] = [
  "link", "quick", "person", "over", "again", "host",
].map(byId);
const { line } = document.body.dataset;
const scheme = location.protocol === "https:" ? "wss" : "ws";
const url = `${scheme}://${location.host}/chat/ws?line=${encodeURIComponent(line)}`;

let cursor = 0;
let conversation = "";
let up = false;
let caughtUp = false; // history has been told since the page was opened
let handed = false;
let awaited = "";
let typingEnds = 0;
let quietTimer = 0;
let standing = "";
const answered = new Set(); // an upload's answer may overtake its acknowledgement

const view = new View({
  onChoice: (option) => say({ type: "choice", value: option.value, label: option.label, text: option.label }),
  onMend: ({ name, label }, value) => say({ type: "mend", field: name, value, text: `${label}改成：${value}` }),
  onRate: (turn, value) => connection.send({ type: "rate", id: newId(), turn, value }),
});
const queue = new Queue((number) => write(`不等了，请给我回电话：${number}`));
const connection = new Connection(url, () => ({ session: session.get(), cursor }));
const shown = {
  mine(message, state) {
    quick.hidden = true;
    view.mine(message, state);
  },
  mark: (id, state) => view.mark(id, state),
};
const delivery = new Delivery(connection, line, {
  mine: (...what) => shownHereAndThere("mine", what),
  mark: (...what) => shownHereAndThere("mark", what),
  progress: (id, share) => view.progress(id, share),
  note,
  acked: (id, answer) => {
    acked(id);
    if (answer.text) view.recognised(id, answer.text);
  },
});
const progress = new Progress();
const composer = new Composer(write, () => {
  // Whoever has the citizen sees that they write; what they write, only once it is sent.
  if (standing === "connected") connection.send({ type: "typing", on: true });
});
new Photo((blob) => say({ type: "photo", attachments: [{ kind: "photo" }] }, blob));
new Place((place) => say({ type: "place", ...place, attachments: [{ kind: "place", label: place.label }] }));
if (canRecord()) {
  byId("voice-open").hidden = false;
  new Voice((blob, lasts) => {
    say({ type: "voice", attachments: [{ kind: "voice", duration_ms: lasts }] }, blob);
  });
}

function say(content, blob) {
  delivery.say(content, blob);
}

function shownHereAndThere(name, what) {
  shown[name](...what);
  if (conversation) tell(conversation, name, ...what);
}

function write(text) {
  say({ type: "text", text });
}

function note(text) {
  view.note(text);
  speak(text);
}

const handlers = {
  welcome(frame) {
    session.set(frame.session);
    if (frame.conversation !== conversation) startOver(frame.conversation);
    showLink("");
    if (frame.ended) end();
  },

  history(frame) {
    const news = frame.turns.filter((turn) => turn.cursor > cursor);
    const first = !caughtUp && news.some((turn) => turn.speaker === "citizen");
    for (const turn of news) {
      cursor = turn.cursor;
      if (turn.speaker === "citizen") showOwn(turn);
      else showTold(turn, !first);
    }
    caughtUp = true;
    up = true;
    delivery.up();
  },

  ack(frame) {
    acked(frame.id);
    showLink("");
  },

  told(frame) {
    if (frame.cursor <= cursor) return;
    cursor = frame.cursor;
    showTold(frame, true);
    arrived();
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
    if (frame.retry) showLink(frame.text);
    if (frame.id) delivery.refused({ ...frame, text: frame.retry ? "" : frame.text });
    else if (!frame.retry) note(frame.text);
  },

  link_code(frame) {
    note(frame.text);
  },

  pong() {},
};

function acked(id) {
  const said = delivery.done(id); // a thumb is acknowledged as well, and answered by nothing
  if (said && !handed && !answered.has(id)) expectReply(id);
}

function startOver(name) {
  conversation = name;
  cursor = 0;
  caughtUp = false;
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
  delivery.done(turn.id);
  view.remove(turn.id);
  if (!OWN.has(turn.kind)) return;
  const attachments = (turn.attachments ?? []).map(({ id, kind, text }) => ({
    kind, attachment: id, label: text, words: turn.kind === "speech" ? turn.text : "",
  }));
  const text = attachments.length ? "" : turn.text;
  if (!text && !attachments.length) return;
  view.mine({ id: turn.id, text, at: turn.at, attachments });
  quick.hidden = true;
  if (!handed) awaited = turn.id;
}

function showTold(turn, aloud) {
  const { reply, speaker, last, in_reply_to: asked } = turn;
  if (last) answered.add(asked);
  if (last && asked === awaited) awaited = "";
  if (!awaited) view.typing(false);
  view.reply(turn);
  if (aloud && reply.text) speak(speaker === "agent" ? `工作人员：${reply.text}` : reply.text);
  if (reply.type === "handoff") handOver(reply, aloud);
  if (speaker === "agent") {
    view.typing(false);
    if (standing !== "connected") host.textContent = "工作人员正在为您服务";
  }
  if (reply.type === "bye") end();
}

function handOver({ number }, aloud) {
  handed = true;
  awaited = "";
  view.typing(false);
  if (!standing) host.textContent = "已转人工，请留在这个页面";
  offerPerson(false);
  progress.suggest(number);
  if (aloud) speak(number ? `已转人工，工单号${number}` : "已转人工");
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
  delivery.down();
  view.typing(false);
  // A hiccup that mends at once need not worry anybody.
  if (first) quietTimer = setTimeout(() => showLink("正在重新连接…您可以接着写，连上后自动发送"), QUIET_MS);
  else if (link.hidden && !quietTimer) showLink("正在连接…");
});
person.addEventListener("click", () => write("转人工"));
quick.addEventListener("click", (event) => {
  const chosen = event.target.closest(".quick__item");
  if (chosen) write(chosen.textContent.trim());
});
byId("elsewhere").addEventListener("click", () => {
  if (!up || !connection.send({ type: "link_code" })) note("现在没有连上，请稍后再试。");
});
again.addEventListener("click", () => location.reload());
const resized = new ResizeObserver(() => view.stay());
resized.observe(byId("talk"));
resized.observe(byId("turns"));

listen((name) => name === conversation, shown);
for (const message of outbox.all()) shown.mine(message, "waiting");
session.recall().then(() => connection.open());
