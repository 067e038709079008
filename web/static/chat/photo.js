// A photo is drawn anew in the browser: small enough for a slow line, and without what the camera
// wrote into it (time, place, device).

import { byId, element } from "./dom.js";
import { Sheet } from "./sheet.js";

const LONGEST_SIDE = 1440;
const QUALITY = 0.8;
const HEIC = /^ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)/; // what few browsers but the iPhone's can draw
const NOT_DRAWN = "这张照片打不开，请换一张（JPG或PNG格式的都可以）。";
const NOT_DRAWN_HEIC = "这是苹果手机的HEIC格式，这里打不开。请把照片截个图再发；也可以在手机的“设置—相机—格式”里选“兼容性最佳”，重新拍一张。";

async function whyNot(file) {
  const head = await file.slice(4, 12).text().catch(() => "");
  return HEIC.test(head) ? NOT_DRAWN_HEIC : NOT_DRAWN;
}

/** A JPEG of at most `LONGEST_SIDE` pixels a side; raises for what is no picture. */
export async function redrawn(file) {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const share = Math.min(1, LONGEST_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
    const canvas = element("canvas");
    canvas.width = Math.max(1, Math.round(image.naturalWidth * share));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * share));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff"; // what is transparent would turn black
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("empty"))), "image/jpeg", QUALITY);
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

export class Photo {
  #sheet = new Sheet("photo", () => this.#clear());
  #file = byId("photo-file");
  #frame = byId("photo-frame");
  #status = byId("photo-status");
  #send = byId("photo-send");
  #photo = null;

  /** `onSend(blob)`. */
  constructor(onSend) {
    const choose = () => {
      this.#file.value = ""; // the same file again is a choice as well
      this.#file.click();
    };
    byId("photo-open").addEventListener("click", choose);
    byId("photo-other").addEventListener("click", choose);
    this.#file.addEventListener("change", () => this.#take(this.#file.files[0]));
    this.#send.addEventListener("click", () => {
      const photo = this.#photo;
      this.#sheet.close();
      onSend(photo);
    });
  }

  async #take(file) {
    if (!file) return;
    this.#clear();
    this.#sheet.open();
    this.#status.textContent = "正在准备照片…";
    try {
      const photo = await redrawn(file);
      const image = element("img");
      image.alt = "要发送的照片";
      image.src = URL.createObjectURL(photo);
      await image.decode();
      this.#photo = photo;
      this.#frame.replaceChildren(image);
      this.#frame.hidden = false;
      this.#send.disabled = false;
      this.#status.textContent = "发送这张照片吗？";
      this.#send.focus();
    } catch {
      this.#status.textContent = await whyNot(file);
    }
  }

  #clear() {
    for (const image of this.#frame.children) URL.revokeObjectURL(image.src);
    this.#photo = null;
    this.#frame.replaceChildren();
    this.#frame.hidden = true;
    this.#send.disabled = true;
    this.#status.textContent = "";
  }
}
