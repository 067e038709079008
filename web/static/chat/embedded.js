// Inside the frame of another site. All that site is told is how many messages were not seen while
// the frame was folded away; and, only where the browser denies the frame any storage of its own,
// the session's token, which the site's tab keeps from page to page: without it every page of the
// site would begin a new conversation. Who may embed the page is named by the city.

const PATIENCE_MS = 1000;
const framed = window.top !== window;
let seen = true;
let number = 0;

function tell(message) {
  // The policy frame-ancestors has let nobody in whom the city has not named.
  parent.postMessage(message, location.ancestorOrigins?.[0] ?? (document.referrer || "*"));
}

/** A message came in. */
export function arrived() {
  if (!framed || seen) return;
  number += 1;
  tell({ qianmen: "unseen", number });
}

/** Let the site's tab keep the session, '' for none. */
export function keep(session) {
  if (framed) tell({ qianmen: "keep", session });
}

/** The session that the site's tab has kept; '' where there is none. */
export function kept() {
  if (!framed) return Promise.resolve("");
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS, "");
    addEventListener("message", function heard(event) {
      if (event.source !== parent || event.data?.qianmen !== "kept") return;
      removeEventListener("message", heard);
      clearTimeout(timer);
      resolve(String(event.data.session ?? ""));
    });
    tell({ qianmen: "recall" });
  });
}

if (framed) {
  addEventListener("message", (event) => {
    if (event.source !== parent || event.data?.qianmen !== "shown") return;
    seen = event.data.shown === true;
    document.documentElement.dataset.seen = String(seen);
    number = 0;
  });
  addEventListener("keydown", (event) => {
    const busy = event.isComposing || document.querySelector("dialog[open]");
    if (event.key === "Escape" && !busy && !event.defaultPrevented) tell({ qianmen: "close" });
  });
}
