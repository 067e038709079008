// The list of work orders: what htmx does not do by itself.

const filter = document.getElementById("filter");
const KEPT = "qianmen.filter";

// Narrowing the list down starts at its first page again.
filter.addEventListener("input", () => {
  const page = filter.elements.page;
  for (const field of page instanceof RadioNodeList ? page : [page]) {
    if (field?.type === "hidden") field.value = "1";
  }
  keep();
}, { capture: true });

// The search stands in no address (it may be a phone number): this tab remembers it instead.
function keep() {
  const { search, urgency, kind } = filter.elements;
  sessionStorage.setItem(KEPT, JSON.stringify([search.value, urgency.value, kind.value]));
}

function restore() {
  const kept = sessionStorage.getItem(KEPT);
  if (!kept) return;
  const { search, urgency, kind } = filter.elements;
  const before = JSON.stringify([search.value, urgency.value, kind.value]);
  [search.value, urgency.value, kind.value] = JSON.parse(kept);
  if (before !== kept) search.dispatchEvent(new Event("input", { bubbles: true }));
}

// A hidden tab need not ask.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});

document.getElementById("list").addEventListener("click", (event) => {
  const row = event.target.closest(".orders__row");
  if (row && !event.target.closest("a") && !getSelection().toString()) row.querySelector("a").click();
});

addEventListener("load", restore);
