// What the desk knows, as the server's frames tell it. Pure: a frame changes `state`, and the names
// of the parts to be shown anew are returned.

export function start() {
  return {
    me: { name: "", phone: "", skills: [], rights: [] },
    status: "offline", since: null, wrapUntil: null, offer: null, mine: [], alarms: [], callbacks: [],
    waiting: { calls: 0, chats: 0, longest_s: 0, since: null }, agents: [], results: [], canned: [],
    skills: [], targets: [], reasons: {}, current: "", talks: new Map(), ahead: 0,
    reason: "", today: { taken: 0, mean_s: null }, phones: true, notice: "", chosen: "",
  };
}

/** The server's time, ms; clocks of desks are often wrong. */
export function now(state) {
  return Date.now() + state.ahead;
}

export function since(state, moment) {
  return moment ? (now(state) - Date.parse(moment)) / 1000 : 0;
}

export function talkOf(state, handoff) {
  if (!state.talks.has(handoff)) {
    state.talks.set(handoff, {
      cursor: 0, turns: [], partials: new Map(), order: null, answers: [], typing: false, connected: true,
      draft: "", failure: "",
    });
  }
  return state.talks.get(handoff);
}

export function current(state) {
  return state.current ? talkOf(state, state.current) : null;
}

export function cardOf(state, handoff = state.current) {
  return state.mine.find((card) => card.handoff === handoff) ?? null;
}

/** Whether the order on show may be changed: of a talk of mine, or one that I am finishing up. */
export function mayEdit(state) {
  return Boolean(state.current) && (cardOf(state) !== null || state.status === "wrapup");
}

const takes = {
  welcome(state, frame) {
    const { type, now: moment, ...rest } = frame;
    Object.assign(state, rest);
    state.ahead = Date.parse(moment) - Date.now();
    return ["bar", "left", "talk", "order"];
  },
  desk(state, frame) {
    state.ahead = Date.parse(frame.now) - Date.now();
    // Nobody chose it: an offer lapsed, or a telephone did not answer.
    if (state.status === "online" && frame.status === "busy" && state.chosen !== "busy") {
      state.notice = `${state.notice || "刚才派来的没有接。"}您的状态已自动改成“忙碌”，准备好了请点“在线”。`;
    }
    if (frame.status === "online" && state.status !== "online") state.notice = "";
    for (const name of ["status", "since", "reason", "today", "phones", "offer", "mine", "waiting", "alarms", "agents", "callbacks"]) {
      if (name in frame) state[name] = frame[name];
    }
    state.wrapUntil = frame.wrap_until;
    return ["bar", "left", "foot"];
  },
  turns(state, frame) {
    const talk = talkOf(state, frame.handoff);
    const known = new Map(talk.turns.map((turn, place) => [turn.seq, place]));
    const fresh = frame.turns.filter((turn) => !known.has(turn.seq));
    // Told again: what was sent along with it has come by now.
    for (const turn of frame.turns) if (known.has(turn.seq)) talk.turns[known.get(turn.seq)] = turn;
    talk.turns.push(...fresh);
    talk.cursor = Math.max(talk.cursor, frame.cursor);
    for (const turn of fresh) talk.partials.delete(turn.speaker);
    if (fresh.some((turn) => turn.speaker === "citizen")) talk.typing = false;
    return at(state, frame, ["turns"]);
  },
  partial(state, frame) {
    const { partials } = talkOf(state, frame.handoff);
    if (frame.text) partials.set(frame.speaker, frame.text);
    else partials.delete(frame.speaker);
    return at(state, frame, ["turns"]);
  },
  order(state, frame) {
    talkOf(state, frame.handoff).order = frame.order;
    return at(state, frame, ["order", "head"]);
  },
  suggest(state, frame) {
    talkOf(state, frame.handoff).answers = frame.answers;
    return at(state, frame, ["answers"]);
  },
  call(state, frame) {
    const card = cardOf(state, frame.handoff);
    if (card) for (const name of ["held", "parties", "calling", "muted", "stage"]) card[name] = frame[name];
    talkOf(state, frame.handoff).failure = frame.text;
    // The citizen has gone back to the queue, and their talk from this desk: it is said over all.
    if (frame.text && frame.stage !== "person") {
      state.notice = `您的话机没有接通：${frame.text}。${frame.stage ? "" : "市民已经回到队首，由下一位接。"}`;
    }
    return ["bar", "left", ...at(state, frame, ["head", "foot"])];
  },
  citizen(state, frame) {
    const talk = talkOf(state, frame.handoff);
    talk.typing = frame.typing;
    talk.connected = frame.connected;
    return at(state, frame, ["turns", "foot"]);
  },
  refused(state, frame) {
    if (frame.order && frame.handoff) talkOf(state, frame.handoff).order = frame.order;
    return frame.order ? ["order"] : [];
  },
};

function at(state, frame, parts) {
  return frame.handoff === state.current ? parts : [];
}

/** Take a frame of the server's; the parts that look otherwise now. */
export function reduce(state, frame) {
  return takes[frame.type]?.(state, frame) ?? [];
}
