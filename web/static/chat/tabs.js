// Two tabs of one browser show one conversation: what the citizen says in one stands in the other as
// well. What is told comes to each by its own socket.

const NAME = "qianmen.mine";
const channel = window.BroadcastChannel ? new BroadcastChannel(NAME) : null;

/** Let other tabs know: `what` is one of the listeners below, `args` plain data. */
export function tell(conversation, what, ...args) {
  channel?.postMessage({ conversation, what, args });
}

/** Hear other tabs; `mine` says whether a conversation is the one shown here. */
export function listen(isMine, listeners) {
  channel?.addEventListener("message", ({ data }) => {
    if (isMine(data?.conversation)) listeners[data.what]?.(...data.args);
  });
}
