// Where it happened: the device's place, if the citizen agrees, or an address in their own words.

import { byId } from "./dom.js";
import { Sheet } from "./sheet.js";

const PATIENCE_MS = 15000;
const REFUSED = {
  1: "没有得到使用位置的许可，请写下地址。",
  2: "现在取不到位置，请写下地址。",
  3: "等了很久没有取到位置，请再试一次，或者写下地址。",
};

export class Place {
  #sheet = new Sheet("place", () => this.#clear());
  #here = byId("place-here");
  #label = byId("place-label");
  #status = byId("place-status");
  #wrong = byId("place-wrong");
  #found = null;

  /** `onSend({ lat, lon, label })`; `lat` and `lon` are null for an address alone. */
  constructor(onSend) {
    this.#here.hidden = !navigator.geolocation || !window.isSecureContext;
    byId("place-open").addEventListener("click", () => this.#sheet.open());
    this.#here.addEventListener("click", () => this.#locate());
    this.#label.addEventListener("input", () => { this.#wrong.hidden = true; });
    byId("place-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const label = this.#label.value.trim();
      if (!label && !this.#found) {
        this.#wrong.hidden = false;
        this.#label.focus();
        return;
      }
      const place = { lat: null, lon: null, ...this.#found, label };
      this.#sheet.close();
      onSend(place);
    });
  }

  #locate() {
    this.#say("正在取位置…");
    this.#here.disabled = true;
    const taken = ({ coords }) => {
      this.#found = { lat: coords.latitude, lon: coords.longitude };
      this.#here.disabled = false;
      const about = Math.max(1, Math.round(coords.accuracy));
      this.#say(`已经取到位置（相差不超过${about}米左右）。可以再补充写明地址，然后发送。`);
      this.#wrong.hidden = true;
    };
    const refused = ({ code }) => {
      this.#here.disabled = false;
      this.#say(REFUSED[code] ?? REFUSED[2]);
      this.#label.focus();
    };
    navigator.geolocation.getCurrentPosition(taken, refused, {
      enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 60000,
    });
  }

  #say(text) {
    this.#status.textContent = text;
    this.#status.hidden = !text;
  }

  #clear() {
    this.#found = null;
    this.#label.value = "";
    this.#wrong.hidden = true;
    this.#here.disabled = false;
    this.#say("");
  }
}
