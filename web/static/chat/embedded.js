// Inside the frame of another site: how many messages were not seen while the frame was folded away
// is all that the site is told.

const framed = window.top !== window;
let seen = true;
let number = 0;

function tell(message) {
  parent.postMessage(message, "*"); // no more than a number: it may be anybody
}

/** A message came in. */
export function arrived() {
  if (!framed || seen) return;
  number += 1;
  tell({ qianmen: "unseen", number });
}

if (framed) {
  addEventListener("message", (event) => {
    if (event.source !== parent || event.data?.qianmen !== "shown") return;
    seen = event.data.shown === true;
    number = 0;
  });
  addEventListener("keydown", (event) => {
    const busy = event.isComposing || document.querySelector("dialog[open]");
    if (event.key === "Escape" && !busy && !event.defaultPrevented) tell({ qianmen: "close" });
  });
}
