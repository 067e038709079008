"""A caller at the wire: raw SIP and RTP over sockets of its own, in a process of its own.

Sends packets on an absolute 20 ms schedule and takes the arrival of others from the kernel
(SO_TIMESTAMPNS), so that neither a library's clock nor a busy interpreter is measured along.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qianmen.bench import g711
from qianmen.bench.sound import (
    FRAME,
    RATE,
    Samples,
    answer_ms,
    first_audible,
    stopped_ms,
    until_last_speech,
)
from qianmen.citizen import sdp, sip
from qianmen.citizen.dialog import Answered, Dialog, Identity, Over
from qianmen.citizen.ear import Ear, Hearing
from qianmen.citizen.errors import CitizenCode, CitizenError
from qianmen.citizen.exchange import udp_socket

_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; Python names it from 3.14 on
_TICK_NS = 20_000_000
_ONSET_TICKS = 15
_QUIET = bytes([g711.SILENCE]) * FRAME
_HEADER = struct.Struct("!BBHII")
_TIMESPEC = struct.Struct("qq")


@dataclass
class WireTurn:
    """One question: when it ended, and how long until the answer was heard (None: never).

    ``cut_in``: the answer began before the question had ended. ``barge_in_ms``: where the question
    was asked into the last answer, how long after its onset the last sound of that was heard.
    """

    question: int
    answer_ms: float | None = None
    cut_in: bool = False
    barge_in_ms: float | None = None


@dataclass
class WireCall:
    """One measured call; times in ms, ``pacing_ms`` the gaps between our own packets."""

    call_id: str = ""
    answered_ms: float = 0.0
    greeting_ms: float | None = None
    turns: list[WireTurn] = field(default_factory=list)
    pacing_ms: list[float] = field(default_factory=list)
    ended_early: bool = False


@dataclass(frozen=True, slots=True)
class WirePatience:
    """How long to wait, s: for the answer, for a reply, and for the end of one."""

    answer_s: float = 10.0
    reply_s: float = 12.0
    longest_s: float = 60.0


class Caller:
    """One call to ``target`` that asks ``questions`` (16-bit samples) one after the other.

    ``barge_in_s``: the next question is asked so long after the last answer began, into it.
    """

    def __init__(
        self,
        target: sip.Uri,
        questions: Sequence[Samples],
        local_ip: str,
        *,
        number: str = "13800138000",
        patience: WirePatience | None = None,
        barge_in_s: float | None = None,
    ) -> None:
        self._questions = [until_last_speech(question) for question in questions]
        self._patience = patience or WirePatience()
        self._barge_in_s = barge_in_s
        self._sip, self._rtp = udp_socket(local_ip), udp_socket(local_ip)
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        me = Identity.new(number, self._sip.getsockname())
        offer = sdp.Audio(local_ip, self._rtp.getsockname()[1], (sdp.PCMA,))
        self._dialog = Dialog(me, target, sdp.render(offer))
        self.call = WireCall(me.call_id)
        self._over: Over | None = None
        self._to: tuple[str, int] | None = None
        self._ear = Ear(Hearing(pause_s=0.7))
        self._playing: list[bytes] = []
        self._sequence = 0
        self._next_ns = self._last_sent_ns = 0
        self._arrivals: list[tuple[int, Samples]] = []
        self._fed = 0

    def run(self) -> WireCall:
        """Hold the call. Raises ``CitizenError`` where it is not answered."""
        try:
            self._connect()
            self._await_greeting()
            for number, question in enumerate(self._questions):
                if self._over is not None:
                    self.call.ended_early = True
                    break
                self.call.turns.append(self._ask(number, question))
            self._hang_up()
        finally:
            self._sip.close()
            self._rtp.close()
        return self.call

    def _connect(self) -> None:
        began = time.monotonic_ns()
        self._dialog.invite(began / 1e9)
        until = began + int(self._patience.answer_s * 1e9)
        while self._to is None and self._over is None and time.monotonic_ns() < until:
            self._turn_the_wheel(time.monotonic_ns() + 1_000_000)
        if self._to is None:
            silent = self._over is None or self._over.cause == "timeout"
            code: CitizenCode = "unreachable" if silent else "rejected"
            raise CitizenError(code, "the call was not answered")
        self.call.answered_ms = (time.monotonic_ns() - began) / 1e6
        self._next_ns = time.monotonic_ns()

    def _await_greeting(self) -> None:
        began = time.time_ns()
        heard_ns = self._first_sound(self._patience.reply_s)
        if heard_ns is not None:
            self.call.greeting_ms = (heard_ns[0] - began) / 1e6
        self._until_finished()

    def _ask(self, number: int, question: Samples) -> WireTurn:
        """Play ``question`` to its last sample, then listen for the first of the answer."""
        turn = WireTurn(number)
        padded = np.pad(question, (0, -len(question) % FRAME))
        self._playing = [
            g711.encode(padded[start : start + FRAME]) for start in range(0, len(padded), FRAME)
        ]
        self._arrivals.clear()
        into_answer = self._ear.speaking
        began_ns = self._play_out()
        ended_ns = self._last_sent_ns
        heard_ns = [at for at, sound in self._arrivals if first_audible(sound) is not None]
        if into_answer:
            onset_ns = began_ns + (first_audible(question) or 0) * 1_000_000_000 // RATE
            turn.barge_in_ms = stopped_ms(heard_ns, onset_ns, ended_ns)
        turn.cut_in = bool(heard_ns) and turn.barge_in_ms is None
        self._arrivals.clear()
        heard = None if turn.cut_in else self._first_sound(self._patience.reply_s)
        if heard is not None:
            received_ns, index = heard
            turn.answer_ms = answer_ms(
                sent_ns=ended_ns, speech_in_packet=FRAME - (len(padded) - len(question)),
                received_ns=received_ns, sound_in_packet=index,
            )  # fmt: skip
        if self._barge_in_s is None:
            self._until_finished()
        else:
            self._for_a_while(self._barge_in_s)
        return turn

    def _play_out(self) -> int:
        """Send what is to be played; when its first sample was spoken, ns."""
        self._tick()
        began_ns = self._last_sent_ns - _TICK_NS
        while self._playing and self._over is None:
            self._tick()
        return began_ns

    def _for_a_while(self, seconds: float) -> None:
        for _ in range(round(seconds * 1e9) // _TICK_NS):
            if self._over is None:
                self._tick()

    def _first_sound(self, patience_s: float) -> tuple[int, int] | None:
        """Arrival (ns, real time) and index in its packet of the first sample that is heard."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until and self._over is None:
            self._tick()
            arrivals, self._arrivals = self._arrivals, []
            for received_ns, sound in arrivals:
                index = first_audible(sound)
                if index is not None:
                    return received_ns, index
        return None

    def _until_finished(self) -> None:
        """Until the front door has spoken and is quiet again; the ear needs a moment to notice."""
        for _ in range(_ONSET_TICKS):
            if not self._ear.speaking:
                self._tick()
        until = time.monotonic() + self._patience.longest_s
        while self._ear.speaking and time.monotonic() < until and self._over is None:
            self._tick()

    def _hang_up(self) -> None:
        self._dialog.hang_up(time.monotonic())
        until = time.monotonic() + 2.0
        while self._over is None and time.monotonic() < until:
            self._turn_the_wheel(time.monotonic_ns() + _TICK_NS)

    # The wheel

    def _tick(self) -> None:
        """One packet out, whatever came in, until the next is due."""
        self._send(self._playing.pop(0) if self._playing else _QUIET)
        self._next_ns += _TICK_NS
        self._turn_the_wheel(self._next_ns)
        self._keep_the_ear_going()

    def _send(self, payload: bytes) -> None:
        if self._to is None:
            return
        number = self._sequence & 0xFFFF
        header = _HEADER.pack(0x80, sdp.PCMA, number, self._sequence * FRAME & 0xFFFFFFFF, 0x51A4)
        now = time.time_ns()
        if self._last_sent_ns:
            self.call.pacing_ms.append((now - self._last_sent_ns) / 1e6)
        self._last_sent_ns = now
        self._sequence += 1
        try:
            self._rtp.sendto(header + payload, self._to)
        except OSError:  # their port is gone: the call will say so
            return

    def _turn_the_wheel(self, until_ns: int) -> None:
        while True:
            left = until_ns - time.monotonic_ns()
            if left <= 0:
                return
            ready, _, _ = select.select([self._rtp, self._sip], [], [], left / 1e9)
            if self._rtp in ready:
                self._receive_sound()
            if self._sip in ready:
                self._receive_message()
            self._signal()

    def _signal(self) -> None:
        self._dialog.tick(time.monotonic())
        for data, address in self._dialog.take():
            self._sip.sendto(data, address)
        for event in self._dialog.events():
            if isinstance(event, Answered):
                audio = sdp.parse(event.sdp)
                self._to = (audio.host, audio.port)
            elif isinstance(event, Over):
                self._over = event

    def _receive_message(self) -> None:
        try:
            message = sip.parse(self._sip.recv(sip.MAX_MESSAGE_BYTES))
        except (OSError, sip.SipError):
            return
        self._dialog.receive(message, time.monotonic())

    def _receive_sound(self) -> None:
        data, ancillary, _, _ = self._rtp.recvmsg(2048, 64)
        received_ns = time.time_ns()
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, nanoseconds = _TIMESPEC.unpack(value[: _TIMESPEC.size])
                received_ns = seconds * 1_000_000_000 + nanoseconds
        if len(data) > 12 and data[1] & 0x7F == sdp.PCMA:
            sound = g711.decode(data[12:])
            self._arrivals.append((received_ns, sound))
            self._ear.feed(sound.tobytes())
            self._fed += len(sound)

    def _keep_the_ear_going(self) -> None:
        """Where nothing arrives, that is silence too."""
        behind = self._sequence * FRAME - self._fed
        if behind > 10 * FRAME:
            self._ear.feed(bytes(2 * behind))
            self._fed += behind
