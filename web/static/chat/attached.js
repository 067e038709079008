// A photo, a voice note, a place, as they stand in the conversation.

import { blobs } from "./blobs.js";
import { button, element, whenSeen } from "./dom.js";
import { session } from "./outbox.js";
import { download } from "./upload.js";

let playing = null;

/** What was attached to message `id`: `kind`, its server's `attachment` id once there is one. */
export function attached(id, { kind, attachment = "", text = "", label = "", duration_ms: lasts = 0, words = "" }) {
  const box = element("div", "attached");
  if (kind === "photo" || kind === "image") photo(box, id, attachment);
  else if (kind === "voice") voice(box, id, attachment, lasts);
  else if (kind === "place") box.append(element("p", "turn__bubble attached__place", `位置：${label || text || "地图上的位置"}`));
  else box.append(element("p", "turn__bubble attached__place", "附件"));
  const said = element("p", "attached__words", words ? `识别为：${words}` : "");
  said.hidden = !words;
  box.append(said);
  return box;
}

/** Show what was recognised in the voice note of `box`. */
export function recognised(box, words) {
  const said = box.querySelector(".attached__words");
  if (!said || !words) return;
  said.textContent = `识别为：${words}`;
  said.hidden = false;
}

/** How much of `box` has gone up, 0 to 1; a bar only while it is on its way. */
export function gone(box, share) {
  let bar = box.querySelector("progress");
  if (share >= 1) {
    bar?.remove();
    return;
  }
  if (!bar) {
    bar = element("progress");
    bar.max = 100;
    bar.setAttribute("aria-label", "上传进度");
    box.append(bar);
  }
  bar.value = Math.round(share * 100);
}

async function bytes(id, attachment) {
  return (await blobs.find(id)) ?? download(attachment, session.get());
}

function photo(box, id, attachment) {
  const wait = element("div", "attached__wait", "照片加载中…");
  box.append(wait);
  async function load() {
    try {
      const image = element("img", "attached__photo");
      image.alt = "您发的照片";
      image.src = URL.createObjectURL(await bytes(id, attachment));
      await image.decode();
      wait.replaceWith(image);
    } catch {
      wait.replaceChildren(button("button", "照片没有加载出来，点一下再试", () => {
        wait.textContent = "照片加载中…";
        load();
      }));
    }
  }
  whenSeen(wait, load);
}

function voice(box, id, attachment, lasts) {
  const length = lasts ? ` ${Math.max(1, Math.round(lasts / 1000))}秒` : "";
  const label = `▶ 听录音${length}`;
  const play = button("attached__play", label, async () => {
    if (play.dataset.on) {
      playing?.pause();
      return;
    }
    playing?.pause();
    try {
      playing = new Audio(URL.createObjectURL(await bytes(id, attachment)));
      playing.onended = playing.onpause = () => {
        delete play.dataset.on;
        play.textContent = label;
      };
      await playing.play();
      play.dataset.on = "";
      play.textContent = `■ 停止${length}`;
    } catch {
      play.textContent = "录音没有加载出来，点一下再试";
    }
  });
  box.append(play);
}
