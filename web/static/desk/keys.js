// Keyboard first: / searches, up and down choose, Enter opens, Esc clears or leaves.

const search = document.querySelector("[data-search]");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    if (search) search.select();
    else location.assign("/knowledge#q");
  } else if (search && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    if (typing && event.target !== search) return;
    move(event, event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target === search) {
    event.preventDefault();
    links()[0]?.click();
  } else if (event.key === "Escape") {
    leave(event);
  }
});

function links() {
  return [...document.querySelectorAll("[data-matter] a")];
}

function move(event, by) {
  const every = links();
  const at = every.indexOf(document.activeElement);
  if (at < 0 && event.target !== search) return;
  event.preventDefault();
  const next = at + by;
  if (next < 0) search.focus();
  else every[Math.min(next, every.length - 1)]?.focus();
}

function leave(event) {
  if (!search) return;
  if (event.target === search && search.value) {
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    event.preventDefault();
  } else {
    search.focus();
  }
}

document.querySelector("[data-list]")?.addEventListener("click", (event) => {
  const row = event.target.closest("[data-matter]");
  if (row && !event.target.closest("a") && !getSelection().toString()) row.querySelector("a").click();
});

if (search && location.hash === "#q") search.focus();
