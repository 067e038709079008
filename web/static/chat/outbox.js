// What the citizen has said and the server has not acknowledged: kept over reloads, each message
// under a key of its own, so that two tabs cannot overwrite each other's. Its photo or voice note,
// if it has one, is in blobs.js under the same id.

import { keep, kept } from "./embedded.js";
import { denied, drop, keys, read, write } from "./storage.js";

const PREFIX = "qianmen.out.";
const TOKEN = "qianmen.session";

/** Letters and digits that nobody else draws; crypto.randomUUID is missing on plain http. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const session = {
  get: () => read(TOKEN) ?? "",
  set(token) {
    write(TOKEN, token);
    if (denied) keep(token);
  },
  forget() {
    drop(TOKEN);
    if (denied) keep("");
  },
  /** Find what is kept elsewhere, where nothing can be kept here. */
  async recall() {
    const token = denied ? await kept() : "";
    if (token) write(TOKEN, token);
  },
};

export const outbox = {
  /** Every message that is not acknowledged, oldest first. */
  all() {
    const found = [];
    for (const key of new Set(keys())) {
      if (!key.startsWith(PREFIX)) continue;
      try { found.push(JSON.parse(read(key))); } catch { drop(key); }
    }
    return found.filter((message) => message?.id).sort((a, b) => a.at - b.at);
  },
  has: (id) => read(PREFIX + id) !== null,
  add: (message) => write(PREFIX + message.id, JSON.stringify(message)),
  done: (id) => drop(PREFIX + id),
};
