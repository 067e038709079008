// A photo or a voice note goes up by HTTP: the call is the message, the same id again is harmless.

const PATIENCE_MS = 120000;

/** Resolves with `{ status, answer }`; `status` is 0 where the network broke. */
export function upload({ id, type, blob, line, token, onProgress }) {
  const where = new URLSearchParams({ kind: type, id, line });
  const request = new XMLHttpRequest(); // fetch cannot tell how much has gone up
  return new Promise((resolve) => {
    request.open("POST", `/chat/attachment?${where}`);
    request.timeout = PATIENCE_MS;
    request.setRequestHeader("X-Chat-Session", token);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", blob.type || "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    request.onloadend = () => resolve({ status: request.status, answer: parsed(request.responseText) });
    request.send(blob);
  });
}

/** What was attached, for the conversation's own citizen; raises where it cannot be had. */
export async function download(attachment, token) {
  const answer = await fetch(`/chat/attachment/${encodeURIComponent(attachment)}`, {
    headers: { "X-Chat-Session": token },
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.blob();
}

/** An answer in JSON; {} where a proxy answered in its own words. */
export function parsed(text) {
  try { return Object(JSON.parse(text)); } catch { return {}; }
}
