"""A citizen who calls: a stock pyVoIP telephone that speaks, listens, and answers in its turn."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from qianmen.citizen import sip
from qianmen.citizen.dialog import Answered, Over, Progress, busy
from qianmen.citizen.ear import SAMPLE_RATE, Ear, Hearing
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.exchange import Exchange, local_address_towards
from qianmen.citizen.phone import KEYS, CitizenPhone
from qianmen.citizen.record import read_record
from qianmen.citizen.report import CallReport, SaidTurn
from qianmen.citizen.sounds import spoken
from qianmen.citizen.track import Track
from turns.ids import conversation_of_call

_STEP_S = 0.02
_LATE_S = 0.2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the citizen waits, s.

    ``there_s`` for any sign of life; ``answer_s`` for the answer; ``greeting_s`` for the first
    sound; ``reply_s`` for a reply before going on; ``longest_s`` for the end of one; ``stay_s``
    after the last reply for the voice of a person (0: hangs up at once); ``record_s`` for the
    front door to finish its record.
    """

    there_s: float = 4.0
    answer_s: float = 30.0
    greeting_s: float = 10.0
    reply_s: float = 12.0
    longest_s: float = 60.0
    stay_s: float = 0.0
    record_s: float = 3.0


def place_call(
    uri: str,
    says: Sequence[str | Path] = (),
    *,
    keys: str = "",
    last_keys: str = "",
    save: Path | None = None,
    voice: str = "cmn",
    speed: int = 160,
    caller: str = "13800138000",
    local_ip: str = "",
    database: str = "",
    data_key: str = "",
    patience: Patience | None = None,
    hearing: Hearing | None = None,
    on_progress: Callable[[str, str], None] | None = None,
) -> CallReport:
    """Call ``uri`` (``sip:12345@HOST:PORT``), say each sentence when it is the citizen's turn.

    ``says``: sentences, spoken by espeak-ng with ``voice`` and ``speed`` (words a minute), or WAV
    files. ``keys`` are pressed after the last; ``last_keys`` one by one after what is heard while
    ``patience`` lets the citizen stay, each after what the one before it brought. ``save`` is where
    the call's sound is saved (16-bit stereo, 8000 Hz: left the citizen, right what was heard).
    ``local_ip`` is found out unless given. ``database`` is the front door's, ``data_key`` opens it,
    for its record of the call. ``on_progress`` is told what happens as it happens: (``calling``,
    ``answered``, ``said``, ``heard``, ``pressed``, ``ended``; the words, where there are any).
    Blocks until the call is over.

    Raises :class:`CitizenError`; where a call was lost halfway its ``report`` holds the rest.
    """
    if any(key not in KEYS for key in (keys + last_keys).upper()):
        raise CitizenError("bad_input", "keys are 0 to 9, * and #")
    try:
        target = sip.parse_uri(uri)
        sounds = [spoken(said, voice, speed) for said in says]
    except sip.SipError:
        raise CitizenError("bad_input", "an address looks like sip:12345@HOST:PORT") from None
    call = _Call(target, caller, local_ip or local_address_towards(target), patience or Patience())
    call.ear = Ear(hearing)
    call.progress = on_progress or (lambda _event, _text: None)
    try:
        failure = call.hold(sounds, keys, last_keys)
    finally:
        call.close()
    report = call.report(database, data_key, save)
    if failure is not None:
        failure.report = report
        raise failure
    return report


class _Call:
    """One call, from the telephone's registration to its end."""

    def __init__(self, target: sip.Uri, caller: str, local_ip: str, patience: Patience) -> None:
        self._target = target
        self._patience = patience
        self._exchange = Exchange(target, caller, local_ip)
        self._exchange.start()
        self._phone = CitizenPhone(self._exchange.address, caller, local_ip)
        self._over: Over | None = None
        self._progressed = self._answered = False
        self._answered_at: datetime | None = None
        self._sound_from = 0.0
        self._track = Track()
        self._turns: list[SaidTurn] = []
        self._person_heard = False
        self.ear = Ear()
        self.progress: Callable[[str, str], None] = lambda _event, _text: None

    def hold(
        self, sounds: Sequence[tuple[str, bytes]], keys: str, last_keys: str
    ) -> CitizenError | None:
        """The whole call; what went wrong after the answer is returned, before it raised."""
        self._connect()
        try:
            self._converse(sounds, keys)
            for key in last_keys:
                self._press(key)
                self._listen(self._patience.reply_s)
        except CitizenError as error:
            return error
        return None

    def close(self) -> None:
        """Hang up and end every thread."""
        if not self._exchange.call_id or not self._phone.answered:
            self._exchange.give_up()
        self._phone.stop()
        if self._progressed or self._answered:  # else nobody is there to say goodbye to
            self._await(lambda: self._over is not None, 2.0, listen=False)
        self._exchange.stop()

    # Getting through

    def _connect(self) -> None:
        try:
            self._phone.start()
        except OSError:
            raise CitizenError("bad_input", "the telephone found no free port") from None
        if not self._phone.registered:
            raise CitizenError("unreachable", "the telephone did not register at its exchange")
        self.progress("calling", str(self._target))
        self._phone.call(self._target.user or "anybody")
        self._exchange.dial()
        where = f"{self._target.host}:{self._target.port}"
        if not self._await(self._anything, self._patience.there_s, listen=False):
            raise CitizenError("unreachable", f"nothing answers SIP at {where}")
        self._await(self._through, self._patience.answer_s, listen=False)
        if self._over is not None:
            raise self._refusal(self._over)
        if not self._phone.answered:
            raise CitizenError("no_answer", f"{where} did not take the call")
        self._answered_at = datetime.now(UTC)
        self._sound_from = time.monotonic()
        self.progress("answered", "")

    def _anything(self) -> bool:
        return self._progressed or self._answered or self._over is not None

    def _through(self) -> bool:
        return self._phone.answered or self._over is not None

    def _refusal(self, over: Over) -> CitizenError:
        if over.cause == "timeout" or over.status in {408, 480, 487}:
            return CitizenError("no_answer", "nobody took the call")
        if busy(over.status):
            return CitizenError("busy", "the line is busy")
        return CitizenError("rejected", f"the call was refused (SIP {over.status})")

    # Talking

    def _converse(self, sounds: Sequence[tuple[str, bytes]], keys: str) -> None:
        if not self._listen(self._patience.greeting_s):
            self._must_live()
            raise CitizenError("silent", "the call was answered, but nothing was ever heard")
        for text, pcm in sounds:
            self._speak(text, pcm)
            self._listen(self._patience.reply_s)
        if keys:
            self._press(keys)
            self._listen(self._patience.reply_s)
        if self._patience.stay_s and self._over is None:
            self._person_heard = self._listen(self._patience.stay_s)

    def _speak(self, text: str, pcm: bytes) -> None:
        self._must_live()
        self._track.say(pcm)
        self._turns.append(SaidTurn("citizen", text, datetime.now(UTC).isoformat()))
        self._phone.speak(pcm)
        self.progress("said", text)
        self._await(lambda: not self._phone.speaking, len(pcm) / 2 / SAMPLE_RATE + 5.0)

    def _press(self, keys: str) -> None:
        self._must_live()
        self._phone.press(keys)
        self._turns.append(SaidTurn("citizen", keys, datetime.now(UTC).isoformat()))
        self.progress("pressed", keys)
        self._await(lambda: not self._phone.pressing, 0.3 * len(keys) + 5.0)

    def _listen(self, patience_s: float) -> bool:
        """Wait for something to be said from now on, and for its end; whether it was."""
        from_s = self.ear.heard_s
        self._await(lambda: self.ear.speaking or self._heard_since(from_s), patience_s)
        if self.ear.speaking:
            self._await(lambda: self._heard_since(from_s), self._patience.longest_s)
        for utterance in self.ear.utterances:
            if utterance.end_s > from_s:
                self._turns.append(SaidTurn("bot", "", self._moment(utterance.start_s)))
                self.progress("heard", f"{utterance.end_s - utterance.start_s:.1f} s")
        return self._heard_since(from_s)

    def _heard_since(self, from_s: float) -> bool:
        return bool(self.ear.utterances) and self.ear.utterances[-1].end_s > from_s

    @property
    def _left(self) -> bool:
        return self._over is not None and self._over.cause == "bye"

    def _must_live(self) -> None:
        if self._over is not None:
            raise CitizenError("lost", "the other side hung up before the citizen had finished")

    def _moment(self, heard_s: float) -> str:
        began = self._answered_at or datetime.now(UTC)
        return (began + timedelta(seconds=heard_s)).isoformat()

    # The clockwork

    def _await(self, done: Callable[[], bool], patience_s: float, *, listen: bool = True) -> bool:
        """Step until ``done``, at most ``patience_s``; listening ends with the call."""
        until = time.monotonic() + patience_s
        while not done():
            if time.monotonic() >= until or (listen and self._over is not None):
                return done()
            time.sleep(_STEP_S)
            self._step(listen=listen)
        return True

    def _step(self, *, listen: bool) -> None:
        while True:
            try:
                event = self._exchange.events.get_nowait()
            except queue.Empty:
                break
            self._progressed |= isinstance(event, Progress)
            self._answered |= isinstance(event, Answered)
            if isinstance(event, Over):
                self._over = event
                self.progress("ended", event.cause)
        if listen:
            self._hear()

    def _hear(self) -> None:
        """What arrived goes to ear and track; silence takes the place of what did not."""
        sound = self._phone.heard()
        had_s = self._track.length_s + len(sound) / 2 / SAMPLE_RATE
        behind_s = time.monotonic() - self._sound_from - had_s
        if behind_s > _LATE_S:
            sound += bytes(2 * int(behind_s * SAMPLE_RATE))
        self._track.hear(sound)
        self.ear.feed(sound)

    # What came of it

    def report(self, database: str, data_key: str, wav: Path | None) -> CallReport:
        """After ``close``."""
        if wav is not None:
            self._track.save(wav)
        call_id = self._exchange.call_id
        conversation = conversation_of_call(call_id)
        record = read_record(database, conversation, self._patience.record_s, data_key=data_key)
        person = self._person_heard and (record is None or record.connecting)
        return CallReport(
            turns=record.turns if record else tuple(self._turns),
            conversation=record.conversation if record else call_id,
            connected=person,
            recorded=record is not None,
            order=record.order if record else "",
            heard_wav=wav,
            ended_by="other" if self._left else "citizen",
        )
