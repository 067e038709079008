"""Many callers at the wire in one cheap process: one SIP socket, one RTP socket, no library.

All calls name the same port for their sound; whose a packet is, its source port tells. Arrival
times are the kernel's (SO_TIMESTAMPNS).
"""

from __future__ import annotations

import socket
import struct
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qianmen.bench import g711
from qianmen.citizen import sdp, sip
from qianmen.citizen.dialog import Answered, Dialog, Identity, Over

_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; Python names it from 3.14 on
_TIMESPEC = struct.Struct("qq")
_HEADER = struct.Struct("!BBHII")
_ANCILLARY = socket.CMSG_SPACE(16)
_BUFFER_BYTES = 8 << 20
_SLOTS = 10
_SLOT_NS = 2_000_000
_FRAME = 160
QUIET = bytes([g711.SILENCE]) * _FRAME


@dataclass(eq=False)
class LoadCall:
    """One call: its dialog, where its sound goes, and what it says (20 ms A-law payloads)."""

    dialog: Dialog
    says: Sequence[bytes]
    to: tuple[str, int] | None = None
    over: Over | None = None
    began: float = 0.0
    answered: float = 0.0
    hung_up: bool = False
    frame: int = 0


@dataclass
class Tally:
    """What became of the calls; ``setup_ms`` from INVITE to 200."""

    answered: int = 0
    failed: int = 0
    ended: int = 0
    setup_ms: list[float] = field(default_factory=list)


class Load:
    """Calls ``target`` from ``local_ip``; each call says one of ``says``, over and over."""

    def __init__(
        self, target: sip.Uri, local_ip: str, says: Sequence[Sequence[bytes]], sip_port: int = 0
    ) -> None:
        self._target = target
        self._says = says or [[QUIET]]
        self._sip, self._rtp = _bound(local_ip, sip_port), _bound(local_ip)
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        port = self._rtp.getsockname()[1]
        self._sdp = sdp.render(sdp.Audio(local_ip, port, (sdp.PCMA,), event=101))
        self._calls: dict[str, LoadCall] = {}
        self._slots: list[list[LoadCall]] = [[] for _ in range(_SLOTS)]
        self._by_wake: deque[LoadCall] = deque()
        self.arrivals: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.measuring = False
        self.tally = Tally()

    def close(self) -> None:
        """Close the sockets."""
        self._sip.close()
        self._rtp.close()

    def start_call(self, *, sound: bool = True) -> LoadCall:
        """Send an INVITE. Without ``sound`` the call is ended as soon as it is answered."""
        number = len(self._calls)
        me = Identity.new(f"139{number:08d}", self._sip.getsockname())
        call = LoadCall(Dialog(me, self._target, self._sdp), self._says[number % len(self._says)])
        call.began = time.monotonic()
        call.hung_up = not sound
        self._calls[me.call_id] = call
        call.dialog.invite(call.began)
        self._by_wake.append(call)
        self._serve(call)
        return call

    @property
    def pending(self) -> int:
        """How many calls are neither over nor answered for good."""
        return sum(call.over is None for call in self._calls.values())

    def hang_up(self) -> None:
        """End every call that runs."""
        for call in tuple(self._calls.values()):
            if call.over is None:
                call.dialog.hang_up(time.monotonic())
                self._serve(call)

    def ticks(self, seconds: float) -> Iterator[int]:
        """Run for ``seconds``; yields every 2 ms, so that the caller may start calls."""
        start = time.monotonic_ns()
        for tick in range(round(seconds * 1e9 / _SLOT_NS)):
            self._slot(tick % _SLOTS)
            yield tick
            self._receive()
            left = start + (tick + 1) * _SLOT_NS - time.monotonic_ns()
            if left > 0:
                time.sleep(left / 1e9)

    # Sound

    def _slot(self, number: int) -> None:
        send = self._rtp.sendto
        for call in self._slots[number]:
            if call.to is None:
                continue
            frame = call.frame
            call.frame = frame + 1
            head = _HEADER.pack(
                0x80, sdp.PCMA, frame & 0xFFFF, frame * _FRAME & 0xFFFFFFFF, id(call) & 0xFFFFFFFF
            )
            try:
                send(head + call.says[frame % len(call.says)], call.to)
            except OSError:  # their port is gone: the call will say so
                continue

    def _receive(self) -> None:
        self._receive_sound()
        now = time.monotonic()
        while True:
            try:
                data, source = self._sip.recvfrom(sip.MAX_MESSAGE_BYTES)
            except OSError:
                break
            self._message(data, source, now)
        for _ in range(min(20, len(self._by_wake))):
            call = self._by_wake.popleft()
            if call.over is None:
                call.dialog.tick(now)
                self._serve(call)
                self._by_wake.append(call)

    def _receive_sound(self) -> None:
        receive, measuring, arrivals = self._rtp.recvmsg, self.measuring, self.arrivals
        while True:
            try:
                data, told, _, source = receive(512, _ANCILLARY)
            except OSError:
                return
            if measuring and told and len(data) > 12:
                seconds, nanoseconds = _TIMESPEC.unpack_from(told[0][2])
                number = data[2] << 8 | data[3]
                arrivals[source[1]].append((seconds * 1_000_000_000 + nanoseconds, number))

    # Signalling

    def _message(self, data: bytes, source: tuple[str, int], now: float) -> None:
        try:
            message = sip.parse(data)
        except sip.SipError:
            return
        if message.method == "REGISTER":  # pyVoIP takes the load for its exchange
            self._sip.sendto(sip.render(sip.reply(message, 200, "OK")), source)
            return
        call = self._calls.get(message.get("call-id"))
        if call is not None:
            call.dialog.receive(message, now)
            self._serve(call)

    def _serve(self, call: LoadCall) -> None:
        for data, address in call.dialog.take():
            self._sip.sendto(data, address)
        for event in call.dialog.events():
            if isinstance(event, Answered):
                self._answered(call, event)
            elif isinstance(event, Over):
                self._ended(call, event)

    def _answered(self, call: LoadCall, event: Answered) -> None:
        call.answered = time.monotonic()
        self.tally.answered += 1
        self.tally.setup_ms.append((call.answered - call.began) * 1000)
        if call.hung_up:
            call.dialog.hang_up(call.answered)
            self._serve(call)
            return
        audio = sdp.parse(event.sdp)
        call.to = (audio.host, audio.port)
        min(self._slots, key=len).append(call)

    def _ended(self, call: LoadCall, event: Over) -> None:
        call.over = event
        call.to = None
        if event.cause in ("hung_up", "bye") and call.answered:
            self.tally.ended += 1
        else:
            self.tally.failed += 1


def _bound(host: str, port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((host, port))
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    except OSError:
        sock.close()
        raise
    return sock
