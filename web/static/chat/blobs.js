// Photos and voice notes: those that are not sent yet lie in IndexedDB, so that a reload keeps them;
// what this page has shown is at hand in memory. Where IndexedDB is forbidden, memory must do.

const NAME = "qianmen";
const STORE = "unsent";
const shown = new Map();
let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
  return opening;
}

async function within(mode, work) {
  const base = await open();
  return new Promise((resolve, reject) => {
    const transaction = base.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const blobs = {
  /** Keep it until it is sent; resolves when it would survive a reload, or cannot. */
  async keep(id, blob) {
    shown.set(id, blob);
    try { await within("readwrite", (store) => store.put(blob, id)); } catch { /* memory must do */ }
  },

  /** What is kept under `id`, or undefined. */
  async find(id) {
    if (shown.has(id)) return shown.get(id);
    try { return await within("readonly", (store) => store.get(id)); } catch { return undefined; }
  },

  /** It is sent: the server has it, the page may still show it. */
  async sent(id) {
    try { await within("readwrite", (store) => store.delete(id)); } catch { /* it was in memory */ }
  },
};
