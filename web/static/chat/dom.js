// Everything said is put in as text, never as markup.

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

export function button(className, text, onClick) {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", () => onClick(made));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Run `work` once `item` comes into view. */
export function whenSeen(item, work) {
  if (!window.IntersectionObserver) {
    work();
    return;
  }
  const watcher = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watcher.disconnect();
    work();
  });
  watcher.observe(item);
}
