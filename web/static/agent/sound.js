// The sound of an offer, made here: no file to load, and none that could be missing.

let context = null;

/** Browsers allow sound only after the first touch of a page. */
export function allow() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
}

export function allowed() {
  return context !== null && context.state === "running";
}

/** Two notes, upwards; three and sharper for danger. */
export function ring(danger) {
  if (!allowed()) return;
  const notes = danger ? [880, 1175, 880] : [660, 880];
  notes.forEach((pitch, place) => note(pitch, context.currentTime + place * 0.18));
}

function note(pitch, at) {
  const voice = context.createOscillator();
  const loudness = context.createGain();
  voice.frequency.value = pitch;
  loudness.gain.setValueAtTime(0.0001, at);
  loudness.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
  voice.connect(loudness).connect(context.destination);
  voice.start(at);
  voice.stop(at + 0.18);
}
