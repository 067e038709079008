// A voice note: hold the button while speaking, or press once to begin and once to end; heard and
// dropped at will before it is sent.

import { byId } from "./dom.js";
import { Sheet } from "./sheet.js";

const LONGEST_MS = 60000;
const WARN_MS = 50000;
const SHORTEST_MS = 700;
const HELD_MS = 600;
const TICK_MS = 200;
const FORMATS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const BITS_PER_S = 24000;
const REFUSED = {
  NotAllowedError: "没有得到使用麦克风的许可。请在浏览器的设置里允许，或者直接打字。",
  NotFoundError: "没有找到麦克风，请直接打字。",
};

/** Whether this browser can record here; on plain http it cannot. */
export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
}

export class Voice {
  #sheet = new Sheet("voice", () => this.#leave());
  #record = byId("voice-record");
  #status = byId("voice-status");
  #time = byId("voice-time");
  #done = byId("voice-done");
  #play = byId("voice-play");
  #onSend;
  #state = "idle"; // idle, starting, recording, done
  #recorder = null;
  #stream = null;
  #begun = 0;
  #lasts = 0;
  #tick = 0;
  #ends = false; // the press that is on now ends the recording
  #note = null;
  #sound = null;

  /** `onSend(blob, duration_ms)`. */
  constructor(onSend) {
    this.#onSend = onSend;
    byId("voice-open").addEventListener("click", () => this.#open());
    this.#record.addEventListener("pointerdown", (event) => this.#pressed(event));
    this.#record.addEventListener("pointerup", () => this.#released());
    this.#record.addEventListener("pointercancel", () => this.#released());
    this.#record.addEventListener("contextmenu", (event) => event.preventDefault());
    // A pointer's click has been dealt with; a keyboard's, or a screen reader's, has not.
    this.#record.addEventListener("click", (event) => { if (event.detail === 0) this.#toggle(); });
    this.#play.addEventListener("click", () => this.#listen());
    byId("voice-drop").addEventListener("click", () => this.#reset("重新说吧。"));
    byId("voice-send").addEventListener("click", () => this.#send());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#stop(); });
  }

  #open() {
    this.#reset("");
    this.#sheet.open();
    this.#record.focus();
  }

  #pressed(event) {
    if (event.button !== 0) return;
    this.#ends = this.#state === "recording";
    if (this.#state === "idle") this.#start();
  }

  #released() {
    const held = this.#state === "recording" && performance.now() - this.#begun >= HELD_MS;
    if (this.#ends || held) this.#stop();
    this.#ends = false;
  }

  #toggle() {
    if (this.#state === "recording") this.#stop();
    else if (this.#state === "idle") this.#start();
  }

  async #start() {
    this.#state = "starting";
    this.#status.textContent = "请允许使用麦克风…";
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (error) {
      this.#reset(REFUSED[error.name] ?? "麦克风现在用不了，请直接打字。");
      return;
    }
    if (this.#state !== "starting") { // the sheet was closed meanwhile
      this.#release();
      return;
    }
    this.#recordNow();
  }

  #recordNow() {
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const parts = [];
    const recorder = new MediaRecorder(this.#stream, { mimeType, audioBitsPerSecond: BITS_PER_S });
    this.#recorder = recorder;
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => this.#recorded(new Blob(parts, { type: recorder.mimeType.split(";")[0] }));
    recorder.start();
    this.#begun = performance.now();
    this.#state = "recording";
    this.#status.textContent = "正在录音，请说。";
    this.#record.dataset.on = "";
    this.#record.textContent = "说完了";
    this.#tick = setInterval(() => this.#count(), TICK_MS);
  }

  #count() {
    const lasts = performance.now() - this.#begun;
    this.#time.textContent = clock(lasts);
    if (lasts >= LONGEST_MS) this.#stop();
    else if (lasts >= WARN_MS) this.#status.textContent = "快到60秒了，请尽快说完。";
  }

  #stop() {
    if (this.#state !== "recording") return;
    this.#state = "done";
    this.#lasts = Math.min(LONGEST_MS, performance.now() - this.#begun);
    clearInterval(this.#tick);
    this.#recorder.stop();
    this.#release();
  }

  #recorded(note) {
    if (this.#state !== "done") return; // dropped
    if (this.#lasts < SHORTEST_MS || !note.size) {
      this.#reset("太短了，没有录上，请再说一次。");
      return;
    }
    this.#note = note;
    this.#time.textContent = clock(this.#lasts);
    this.#record.hidden = true;
    this.#done.hidden = false;
    this.#status.textContent = `录好了，${seconds(this.#lasts)}秒。可以先听一听，再发送。`;
    byId("voice-send").focus();
  }

  async #listen() {
    if (this.#sound && !this.#sound.paused) {
      this.#sound.pause();
      return;
    }
    this.#sound = new Audio(URL.createObjectURL(this.#note));
    this.#sound.onpause = this.#sound.onended = () => { this.#play.textContent = "听一听"; };
    this.#play.textContent = "停止";
    try { await this.#sound.play(); } catch { this.#play.textContent = "听一听"; }
  }

  #send() {
    const [note, lasts] = [this.#note, Math.round(this.#lasts)];
    this.#sheet.close();
    this.#onSend(note, lasts);
  }

  #leave() {
    this.#reset("");
  }

  #reset(says) {
    clearInterval(this.#tick);
    this.#state = "idle";
    this.#sound?.pause();
    this.#sound = null;
    if (this.#recorder?.state === "recording") this.#recorder.stop();
    this.#release();
    this.#note = null;
    delete this.#record.dataset.on;
    const refocus = this.#sheet.isOpen && this.#record.hidden;
    this.#record.hidden = false;
    this.#done.hidden = true;
    this.#record.textContent = "开始说话";
    this.#time.textContent = "0:00";
    this.#status.textContent = says;
    if (refocus) this.#record.focus();
  }

  #release() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }
}

const seconds = (lasts) => Math.max(1, Math.round(lasts / 1000));
const clock = (lasts) => `${Math.floor(lasts / 60000)}:${String(Math.floor(lasts / 1000) % 60).padStart(2, "0")}`;
