// A browser may forbid storage (private windows, frames of other sites), or have no room left: then
// what is kept lasts as long as the page.

const fallback = new Map();

/** Whether the browser forbids storage here, as many do in a frame of another site. */
export const denied = (() => {
  try { return !localStorage; } catch { return true; }
})();

export function read(key) {
  try { return localStorage.getItem(key) ?? fallback.get(key) ?? null; } catch { return fallback.get(key) ?? null; }
}

export function write(key, value) {
  try { localStorage.setItem(key, value); } catch { fallback.set(key, value); }
}

export function drop(key) {
  fallback.delete(key);
  try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
}

export function keys() {
  try { return [...Object.keys(localStorage), ...fallback.keys()]; } catch { return [...fallback.keys()]; }
}
