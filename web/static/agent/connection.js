// The desk's WebSocket: comes back by itself, and sends an action again until it is answered.
// An action's id makes sending it twice harmless.

const FIRST_MS = 500;
const LONGEST_MS = 8000;
const PING_MS = 5000;
const SILENT_MS = 15000;
const FATAL = { 4401: "signed out", 4403: "no right", 4409: "taken over" };

export class Connection {
  /** `told(frame)` gets every frame; `stood(state, text)` is told online, offline or closed. */
  constructor(path, token, told, stood) {
    this.path = path;
    this.token = token;
    this.told = told;
    this.stood = stood;
    this.unanswered = new Map();
    this.wait = FIRST_MS;
    this.watched = () => null;
    this.over = false;
    this.open();
    setInterval(() => this.look(), PING_MS);
    addEventListener("online", () => this.open());
  }

  open() {
    if (this.over || (this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`);
    this.socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "hello", token: this.token })));
    socket.addEventListener("message", (event) => socket === this.socket && this.heard(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.closed(socket, event));
  }

  // A socket over a dead network looks open for minutes; the server is never silent for so long.
  look() {
    this.plain({ type: "ping" });
    if (this.ready && Date.now() - this.heardAt > SILENT_MS) {
      const dead = this.socket;
      this.closed(dead, { code: 0 });
      dead.close();
    }
  }

  closed(socket, event) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.ready = false;
    if (this.over || FATAL[event.code]) {
      this.over = true;
      this.stood("closed", "");
      return;
    }
    this.stood("offline", "");
    this.timer = setTimeout(() => this.open(), this.wait * (0.7 + 0.6 * Math.random()));
    this.wait = Math.min(this.wait * 2, LONGEST_MS);
  }

  heard(frame) {
    this.heardAt = Date.now();
    if (frame.type === "welcome") this.welcomed();
    if (frame.type === "beat") this.plain({ type: "ping" });
    if (frame.type === "closing") this.over = true;
    if ((frame.type === "done" || frame.type === "refused") && this.unanswered.has(frame.id)) this.answered(frame);
    this.told(frame);
  }

  answered(frame) {
    const { action, settle } = this.unanswered.get(frame.id);
    if (frame.type === "refused" && frame.retry) {
      setTimeout(() => this.ready && this.plain(action), 1000);
      return;
    }
    this.unanswered.delete(frame.id);
    settle(frame);
  }

  welcomed() {
    this.ready = true;
    this.wait = FIRST_MS;
    this.stood("online", "");
    const watched = this.watched();
    if (watched) this.plain(watched);
    for (const { action } of this.unanswered.values()) this.plain(action);
  }

  /** What changes nothing that lasts: sent now, or not at all. */
  plain(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** An action; resolves with its `done` or `refused` frame, however long the line is away. */
  ask(type, fields = {}) {
    const action = { type, id: crypto.randomUUID?.() ?? unique(), ...fields };
    return new Promise((settle) => {
      this.unanswered.set(action.id, { action, settle });
      if (this.ready) this.plain(action);
    });
  }
}

// Over plain http, on the city's own network, browsers give no randomUUID.
function unique() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
