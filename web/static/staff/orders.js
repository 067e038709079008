// The list of work orders: what htmx does not do by itself.

const filter = document.getElementById("filter");
const list = document.getElementById("list");
const KEPT = "qianmen.filter";
const NAMES = ["search", "view", "state", "kind", "urgency", "department", "code", "channel", "sort"];

// Narrowing the list down starts at its first page again.
filter.addEventListener("input", () => {
  const page = filter.elements.page;
  for (const field of page instanceof RadioNodeList ? page : [page]) {
    if (field?.type === "hidden") field.value = "1";
  }
  keep();
}, { capture: true });

// The views stand below the form, with their counts: what is chosen there is chosen in the form.
list.addEventListener("input", (event) => {
  if (event.target.name === "view") filter.dispatchEvent(new Event("input", { bubbles: true }));
});

// The search stands in no address (it may be a phone number): this tab remembers it instead.
function keep() {
  const kept = NAMES.map((name) => filter.elements[name]?.value ?? "");
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

function restore() {
  const kept = sessionStorage.getItem(KEPT);
  if (!kept || location.search) return;
  const values = JSON.parse(kept);
  if (values.length !== NAMES.length) return;
  let changed = false;
  NAMES.forEach((name, place) => {
    const field = filter.elements[name];
    if (!field || field.value === values[place]) return;
    field.value = values[place];
    changed = true;
  });
  if (changed) filter.dispatchEvent(new Event("input", { bubbles: true }));
}

// A hidden tab need not ask; nor while somebody is choosing what to export.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden || list.querySelector(".export[open]")) event.preventDefault();
});

list.addEventListener("click", (event) => {
  const native = event.target.closest("[data-native]");
  if (native) {
    event.preventDefault();
    download(native.formAction);
    return;
  }
  const row = event.target.closest(".orders__row");
  if (row && !event.target.closest("a") && !getSelection().toString()) row.querySelector("a").click();
});

// A file comes by an ordinary submission, which htmx would take for its own.
function download(address) {
  const before = filter.action;
  filter.action = address;
  HTMLFormElement.prototype.submit.call(filter);
  filter.action = before;
  list.querySelector(".export")?.removeAttribute("open");
}

// j and k walk through the rows, Enter opens one, / goes to the search.
let at = "";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && typing) event.target.blur();
  if (typing) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter" && at && !event.target.closest("a, button, summary")) {
    document.getElementById(at)?.querySelector("a").click();
  }
});

function walk(step) {
  const rows = [...list.querySelectorAll(".orders__row")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.id === at);
  const next = here < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, here + step));
  at = rows[next].id;
  show();
  rows[next].scrollIntoView({ block: "nearest" });
}

function show() {
  for (const row of list.querySelectorAll(".orders__row")) {
    row.classList.toggle("orders__row_at", row.id === at);
  }
}

document.addEventListener("htmx:after:swap", show);
addEventListener("load", restore);
