// One WebSocket that comes back by itself. Events: "up" after the welcome, "down", "frame".

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const PING_EVERY_MS = 20000;
const PATIENCE_MS = 8000;

export class Connection extends EventTarget {
  #url;
  #hello;
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #retry = 0;
  #ping = 0;
  #patience = 0;
  #closed = false;

  /** `hello` returns the session token and the cursor to resume from. */
  constructor(url, hello) {
    super();
    this.#url = url;
    this.#hello = hello;
    addEventListener("online", () => this.#now());
    addEventListener("offline", () => this.#socket?.close());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#now();
    });
  }

  open() {
    this.#closed = false;
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", ...this.#hello() }));
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = () => this.#gone(socket);
    this.#expectSomething();
  }

  /** True if the frame went to the network; whether it arrived, only an ack tells. */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Say hello anew: the server does not know the session any more. */
  again() {
    this.#socket?.close();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  #take(frame) {
    clearTimeout(this.#patience);
    if (frame.type === "welcome") {
      this.#wait = FIRST_WAIT_MS;
      this.#startPinging();
    }
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #startPinging() {
    clearInterval(this.#ping);
    this.#ping = setInterval(() => {
      if (this.send({ type: "ping" })) this.#expectSomething();
    }, PING_EVERY_MS);
  }

  // A socket over a dead network can look open for minutes: silence after a question ends it.
  #expectSomething() {
    clearTimeout(this.#patience);
    const socket = this.#socket;
    this.#patience = setTimeout(() => this.#gone(socket), PATIENCE_MS);
  }

  #gone(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    socket.onclose = socket.onmessage = null;
    socket.close();
    clearInterval(this.#ping);
    clearTimeout(this.#patience);
    if (this.#closed) return;
    this.dispatchEvent(new Event("down"));
    // Spread out: after a restart not everybody comes back in the same moment.
    this.#retry = setTimeout(() => this.open(), this.#wait * (0.5 + Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #now() {
    if (this.#closed || this.#socket) return;
    this.#wait = FIRST_WAIT_MS;
    this.open();
  }
}
