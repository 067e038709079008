// What the citizen will see and hear, as it is being written.

import { excess, settled } from "./autosave.js";

const form = document.getElementById("wording");
const CHARS_A_SECOND = 4.2; // of the telephone's voice at its usual speed

if (form) {
  form.addEventListener("input", draw);
  form.addEventListener("desk:filled", draw);
  form.addEventListener("desk:saved", (event) => {
    if (event.detail.said !== undefined) put("said", event.detail.said);
    if (event.detail.version) {
      const button = document.querySelector("[data-play]");
      button.dataset.play = `/knowledge/versions/${event.detail.version}/sound`;
      button.disabled = false;
    }
    draw();
  });
  draw();
}
document.addEventListener("input", countLines);
document.addEventListener("desk:filled", countLines);
countLines();

function draw() {
  const { text, speech, document: source, article } = form.elements;
  put("text", text.value.trim() || "（还没有写答复）");
  put("source", source.value.trim() ? `来源：${source.value.trim()}${article.value.trim()}` : "");
  if (speech.value.trim()) put("said", speech.value.trim());
  count("text", `${length(text.value.trim())} / ${text.dataset.longest} 字${beyond(text)}`, excess(text));
  const spoken = length(speech.value.trim());
  const seconds = Math.max(1, Math.round(spoken / CHARS_A_SECOND));
  count("speech", spoken ? `${spoken} 字，约 ${seconds} 秒${beyond(speech)}` : "", excess(speech));
}

function countLines() {
  for (const place of document.querySelectorAll("[data-lines-of]")) {
    const lines = document.getElementById(place.dataset.linesOf).value.split("\n");
    place.textContent = `${lines.filter((line) => line.trim()).length} 句`;
  }
}

function put(name, words) {
  const place = document.querySelector(`[data-preview="${name}"]`);
  if (place) place.textContent = words;
}

function beyond(field) {
  const more = excess(field);
  return more ? `，超出 ${more} 字` : "";
}

function count(name, words, over) {
  const place = document.querySelector(`[data-count="${name}"]`);
  place.textContent = words;
  place.classList.toggle("over", over > 0);
}

function length(text) {
  return [...text].length;
}

// The sound is the server's own: as the telephone says it, 8 kHz.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-play]");
  if (!button) return;
  const audio = document.querySelector(".phone audio");
  const problem = document.querySelector("[data-play-problem]");
  problem.hidden = true;
  button.disabled = true;
  try {
    await settled();
    const answer = await fetch(button.dataset.play, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error((await answer.json()).message);
    const data = await answer.arrayBuffer();
    await play(audio, data);
  } catch (error) {
    problem.textContent = error.message || "语音放不出来。";
    problem.hidden = false;
  } finally {
    button.disabled = false;
  }
});

let context = null;
async function play(audio, data) {
  context ??= new AudioContext();
  await context.resume();
  const sound = await context.decodeAudioData(data);
  audio.dataset.seconds = sound.duration.toFixed(2);
  const source = context.createBufferSource();
  source.buffer = sound;
  source.connect(context.destination);
  playing?.stop();
  playing = source;
  source.start();
}
let playing = null;
