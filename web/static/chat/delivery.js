// From the outbox to the server: what is said stays in the outbox until it is acknowledged, and goes
// again under the same id whenever the connection comes back. So nothing is lost or said twice.

import { blobs } from "./blobs.js";
import { newId, outbox, session } from "./outbox.js";
import { upload } from "./upload.js";

const RESEND_MS = 3000;
const LONGEST_WAIT_MS = 60000;
const SESSION_MISSING = 401;
const UPLOADED = new Set(["photo", "voice"]);

export class Delivery {
  #connection;
  #line;
  #show;
  #going = new Set();
  #tries = new Map();
  #up = false;

  /** `show`: the view, and `note(text)`, `acked(id, answer)`. */
  constructor(connection, line, show) {
    this.#connection = connection;
    this.#line = line;
    this.#show = show;
  }

  /** Say it now, or as soon as there is a connection. */
  async say(content, blob) {
    const message = { id: newId(), at: Date.now(), ...content };
    if (blob) await blobs.keep(message.id, blob);
    outbox.add(message);
    this.#show.mine(message, this.#up ? "sending" : "waiting");
    if (this.#up) this.#transmit(message);
  }

  /** The connection is there, and history has told what had arrived: send the rest again. */
  up() {
    this.#up = true;
    for (const message of outbox.all()) {
      this.#show.mine(message, "sending");
      this.#transmit(message);
    }
  }

  down() {
    this.#up = false;
    for (const { id } of outbox.all()) if (!this.#going.has(id)) this.#show.mark(id, "waiting");
  }

  /** The server has it: true if it was waiting for that. */
  done(id) {
    const waited = outbox.has(id);
    this.#over(id, "");
    return waited;
  }

  /** The server did not take it: `retry` says whether it may come again, and when. */
  refused({ id, retry, text, retry_after_s: seconds = 0 }) {
    if (!retry) {
      this.#over(id, "failed");
      if (text) this.#show.note(text);
      return;
    }
    const tries = (this.#tries.get(id) ?? 0) + 1;
    this.#tries.set(id, tries);
    this.#show.mark(id, this.#up ? "later" : "waiting");
    if (tries === 1 && text) this.#show.note(text);
    const wait = Math.min(RESEND_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
    setTimeout(() => this.#again(id), Math.max(wait, seconds * 1000));
  }

  // Sent, or given up: nothing of it is kept.
  #over(id, state) {
    outbox.done(id);
    blobs.sent(id);
    this.#tries.delete(id);
    this.#show.mark(id, state);
  }

  #again(id) {
    const message = outbox.all().find((waiting) => waiting.id === id);
    if (message && this.#up) this.#transmit(message);
  }

  #transmit(message) {
    if (UPLOADED.has(message.type)) {
      this.#upload(message);
      return;
    }
    this.#show.mark(message.id, this.#connection.send(frameOf(message)) ? "sending" : "waiting");
  }

  async #upload({ id, type }) {
    if (this.#going.has(id)) return;
    this.#going.add(id);
    const blob = await blobs.find(id);
    if (!blob) {
      this.#going.delete(id);
      this.refused({ id, text: "这条没有保存下来，请重新发一次。" });
      return;
    }
    this.#show.mark(id, "sending");
    const { status, answer } = await upload({
      id, type, blob, line: this.#line, token: session.get(),
      onProgress: (share) => this.#show.progress(id, share),
    });
    this.#going.delete(id);
    this.#show.progress(id, 1);
    if (status === 200) this.#show.acked(id, answer);
    else this.#failed(id, status, answer);
  }

  #failed(id, status, { retry = false, text, retry_after_s: seconds }) {
    if (!outbox.has(id)) return; // history told meanwhile that it had arrived
    if (status === SESSION_MISSING) this.#connection.again();
    const later = retry || status === 0 || status === SESSION_MISSING || status >= 502;
    const says = text ?? (later ? "" : "没有发成功，请再试一次。");
    this.refused({ id, retry: later, text: says, retry_after_s: seconds });
  }
}

function frameOf({ type, id, text, value, label, field, lat, lon }) {
  switch (type) {
    case "choice": return { type, id, value, label };
    case "mend": return { type, id, field, value };
    case "place": return { type, id, lat, lon, label };
    default: return { type: "text", id, text };
  }
}
