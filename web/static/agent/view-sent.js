// What a citizen sent beside words: photos, voice notes, videos, places. Files are fetched by whoever
// may see them, and a player's only when it is played.

import { el } from "./dom.js";

const NAMES = { photo: "照片", voice: "语音", video: "视频", file: "文件", place: "位置" };

/** `grown` is called when a photo has come, and with it its height. */
export function sentAlong(one, turn, rights, grown) {
  return el(`div.sent.sent_${one.kind in NAMES ? one.kind : "file"}`, {}, shownAs(one, turn, rights, grown));
}

function shownAs(one, turn, rights, grown) {
  const name = NAMES[one.kind] ?? NAMES.file;
  if (one.kind === "place") return words(place(one, turn));
  if (!rights.includes("hear_recordings")) return words(`${name}（没有权限查看）`);
  if (one.state === "coming") return words(`${name}（正在取，来了就显示）`);
  if (one.state !== "here") return words(`${name}（没有取到，或者已经删除）`);
  const src = `/attachments/${encodeURIComponent(one.id)}`;
  if (one.kind === "photo") return whole(src, "看原图", picture(src, grown));
  if (one.kind === "voice") return el("audio", { controls: true, preload: "none", src, "aria-label": "市民发来的语音" });
  if (one.kind === "video") return el("video.sent__video", { controls: true, preload: "none", src, "aria-label": "市民发来的视频" });
  return whole(src, "打开", "市民发来的文件");
}

function words(text) {
  return el("span.sent__words", {}, text);
}

function place(one, turn) {
  const label = one.text && one.text !== turn.text ? `：${one.text}` : "";
  return `位置${label}${one.lat === null ? "" : `（${one.lat.toFixed(6)}，${one.lon.toFixed(6)}）`}`;
}

function whole(href, title, shown) {
  return el("a", { href, target: "_blank", rel: "noopener", title }, shown);
}

function picture(src, grown) {
  return el("img.sent__photo", { src, alt: "市民发来的照片", on: { load: grown } });
}
