// One work order: from a field to the words, and the sound, it came from.

const talk = document.getElementById("talk");
let chosen = null;

document.querySelector(".order__fields").addEventListener("click", (event) => {
  const field = event.target.closest(".field_sourced");
  if (!field || event.target.closest(".play") || getSelection().toString()) return;
  event.preventDefault();
  choose(field, true);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest(".play");
  if (!button) return;
  const field = button.closest(".field_sourced");
  if (field) choose(field, true);
  const turn = button.closest(".say") ?? talk.querySelector(`[data-seq="${field?.dataset.seq}"]`);
  play(turn?.dataset.recording, Number(button.dataset.start));
});

function choose(field, scroll) {
  chosen?.classList.remove("field_chosen");
  chosen = field;
  field.classList.add("field_chosen");
  show(scroll);
}

/** Mark the quote in the turn it stands in; the whole turn where the words differ. */
function show(scroll) {
  unmark();
  const turn = talk.querySelector(`[data-seq="${CSS.escape(chosen.dataset.seq)}"]`);
  if (!turn) return;
  turn.classList.add("say_chosen");
  mark(turn.querySelector(".say__text"), chosen.dataset.quote);
  if (scroll) bring(turn);
}

/** To the middle of the transcript; on a narrow page, where that does not scroll, of the page. */
function bring(turn) {
  if (talk.scrollHeight <= talk.clientHeight + 1) {
    turn.scrollIntoView({ block: "center", behavior: smooth() });
    return;
  }
  const top = turn.getBoundingClientRect().top - talk.getBoundingClientRect().top + talk.scrollTop;
  talk.scrollTo({ top: top - (talk.clientHeight - turn.clientHeight) / 2, behavior: smooth() });
}

function mark(paragraph, quote) {
  const text = paragraph?.firstChild;
  const at = quote && text?.nodeType === Node.TEXT_NODE ? text.data.indexOf(quote) : -1;
  if (at < 0) return;
  const range = document.createRange();
  range.setStart(text, at);
  range.setEnd(text, at + quote.length);
  range.surroundContents(document.createElement("mark"));
}

function unmark() {
  for (const turn of talk.querySelectorAll(".say_chosen")) turn.classList.remove("say_chosen");
  for (const found of talk.querySelectorAll("mark")) {
    const paragraph = found.parentNode;
    found.replaceWith(found.firstChild);
    paragraph.normalize();
  }
}

function smooth() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}

let following = true;
document.addEventListener("htmx:before:swap", () => {
  following = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 40;
});
// What came new replaced the marks: put them back before anything is painted.
document.addEventListener("htmx:after:swap", () => {
  if (chosen) show(false);
  if (following) talk.scrollTop = talk.scrollHeight;
});
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});

function play(recording, startMs) {
  const audio = document.querySelector(`audio[data-recording="${CSS.escape(recording ?? "")}"]`);
  if (!audio) return;
  audio.currentTime = startMs / 1000;
  audio.play();
}

// While the recording plays, the turn that is heard stands out.
for (const audio of document.querySelectorAll("audio[data-recording]")) {
  audio.addEventListener("timeupdate", () => {
    const now = audio.currentTime * 1000;
    for (const turn of talk.querySelectorAll(".say[data-start]")) {
      const heard = !audio.paused && turn.dataset.recording === audio.dataset.recording
        && now >= Number(turn.dataset.start) && now < Number(turn.dataset.end);
      turn.classList.toggle("say_playing", heard);
    }
  });
}

if (location.hash === "#reply") document.getElementById("text")?.focus();
talk.scrollTop = talk.scrollHeight;

// One key for each thing that is done often; the opened step's first field is ready to be filled.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});
document.querySelector(".deeds")?.addEventListener("toggle", (event) => {
  const deed = event.target.closest(".deed[open]");
  deed?.querySelector("select, textarea, input:not([type=hidden])")?.focus();
}, true);
document.getElementById("refused")?.scrollIntoView({ block: "center" });
