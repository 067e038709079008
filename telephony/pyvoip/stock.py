"""The one place that touches pyVoIP 1.6.8; everything here runs in pyVoIP's threads or in ours.

Its modules are as published; what this changes is set on objects: buffers, one lock, Call-IDs that
do not come again after a restart, the encoder of A-law (its own sends µ-law under A-law's number).
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any, Protocol

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pyVoIP imports audioop
    import pyVoIP.VoIP  # before pyVoIP.SIP, which imports it in a circle
from pyVoIP.RTP import PayloadType
from pyVoIP.SIP import Counter
from pyVoIP.VoIP import CallState, InvalidStateError, PhoneStatus

from telephony.line import FRAME_MS, LineError
from telephony.pyvoip.buffers import Inlet, Outlet

REGISTER_TIMEOUT_S = 5
_THREADS_END_S = 2.0
_LATE_S = 1.0
_RINGS_S = 180.0
_WAKE = b"-"


class Heard(Protocol):
    """What a call tells, from its own thread."""

    def on_tick(self, sound: bytes | None, keys: str) -> None:
        """20 ms have passed since the answer; ``sound`` is 8 bit, ``None`` if none came."""

    def on_over(self) -> None:
        """The other side hung up, or gave up."""


class StockCall:
    """One call of the telephone. ``run`` is its thread; the other methods belong there too."""

    def __init__(self, phone: Any, call: Any) -> None:
        self._phone = phone
        self._call = call
        self.inlet, self.outlet = Inlet(), Outlet()
        self.heard: Heard | None = None
        self._todo: list[Callable[[], None]] = []
        self._end = threading.Event()
        self._fitted = False
        self._unwanted_s = 0.0

    def header(self, name: str) -> Any:
        """A header of the INVITE, as pyVoIP keeps it; '' if there is none."""
        return self._call.request.headers.get(name, "")

    @property
    def answered(self) -> bool:
        """Sound flows."""
        return bool(self._call.state == CallState.ANSWERED)

    @property
    def refused(self) -> int:
        """The status that a call of ours was refused with, 0 if it was not."""
        return int(getattr(self._call, "refused", 0))

    @property
    def over(self) -> bool:
        """Nothing more comes of it."""
        known = self._call.call_id in self._phone.calls
        return bool(self._call.state == CallState.ENDED) or not known

    def run(self) -> None:
        """Live the call, 20 ms by 20 ms, until ``leave`` or its end."""
        due = time.monotonic()
        while not self._end.is_set() or self._rings_on():
            self._work()
            if self.over:
                if self.heard is not None:
                    self.heard.on_over()
                break
            self._tick()
            due = max(due + FRAME_MS / 1000, time.monotonic() - _LATE_S)
            time.sleep(max(0.0, due - time.monotonic()))
        self._work()
        self._release()

    def _rings_on(self) -> bool:
        """Nobody wants this call of ours any more; pyVoIP cannot CANCEL, only BYE once answered."""
        if self._call.state != CallState.DIALING or not self._phone.sip.NSD:
            return False
        self._unwanted_s += FRAME_MS / 1000
        return self._unwanted_s < _RINGS_S

    def _work(self) -> None:
        if self._call.state == CallState.DIALING:
            return
        while self._todo:
            self._todo.pop(0)()

    def _tick(self) -> None:
        if self.heard is not None and self.answered:
            self._fit()
            self.heard.on_tick(self.inlet.take(), self._call.get_dtmf(16))

    def soon(self, work: Callable[[], None]) -> None:
        """Do ``work`` in the call's thread, within 20 ms."""
        self._todo.append(work)

    def leave(self) -> None:
        """End the call from our side; its thread ends too."""
        self.soon(self._part)
        self._end.set()

    def _part(self) -> None:
        # AttributeError: its `deny` sends the 486 and then closes sockets that it never opened.
        with contextlib.suppress(InvalidStateError, OSError, AttributeError):
            if self._call.state == CallState.RINGING:
                self._call.deny()
            else:
                self._call.hangup()

    def answer(self) -> None:
        """200. Raises ``LineError``: ``ended``, ``no_media_port``, ``bad_status`` (no codec)."""
        if not all(hasattr(client, "preference") for client in self._call.RTPClients):
            raise LineError("bad_status", "no codec in common")
        try:
            self._call.answer()
        except OSError as error:
            raise LineError("no_media_port", str(error)) from error
        except InvalidStateError as error:
            raise LineError("ended", "the call is over") from error
        self._fit()

    def _fit(self) -> None:
        if self._fitted or not self._call.RTPClients:
            return
        self._fitted = True
        for client in self._call.RTPClients:
            client.pmin, client.pmout = self.inlet, self.outlet
            client.sout = _QuietSocket(client.sin)
            client.start = _started  # a re-INVITE would open its sockets and threads once more
            if client.preference == PayloadType.PCMA:
                client.encode_packet = client.encode_pcma

    def _release(self) -> None:
        """Its port can be used again: pyVoIP frees none until all are gone, then also live ones."""
        for client in self._call.RTPClients:
            with contextlib.suppress(ValueError):
                self._phone.assignedPorts.remove(client.inPort)
        self._call.assignedPorts = {}
        self._phone.calls.pop(self._call.call_id, None)


def _started() -> None:
    """Nothing more to start."""


class _QuietSocket:
    """The RTP socket; what is sent after the end vanishes, where pyVoIP would warn."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def sendto(self, packet: bytes, address: tuple[str, int]) -> None:
        """Called by pyVoIP's sender."""
        with contextlib.suppress(OSError):
            self._sock.sendto(packet, address)

    def close(self) -> None:
        """As a socket."""
        self._sock.close()


class _ReceiverLock:
    """Lets go of the SIP socket only when it blocks again: ``invite`` could find it unblocked."""

    def __init__(self, sip: Any) -> None:
        self._sip = sip
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._sip.s.setblocking(True)
        self._lock.release()


class StockPhone:
    """The telephone. ``start``, ``dial`` and ``stop`` block: call them in threads."""

    def __init__(
        self,
        server: tuple[str, int],
        account: tuple[str, str],
        own: tuple[str, int],
        rtp_ports: tuple[int, int],
        on_call: Callable[[StockCall], None],
    ) -> None:
        self._on_call = on_call
        self._own = own
        self._phone: Any = pyVoIP.VoIP.VoIPPhone(
            *server, *account, myIP=own[0], sipPort=own[1], callCallback=self._called,
            rtpPortLow=rtp_ports[0], rtpPortHigh=rtp_ports[1],
        )  # fmt: skip
        sip = self._phone.sip
        # Otherwise counted from 1 at each start: the PBX would take a new call for an old one.
        sip.callID = Counter(start=secrets.randbits(62))
        sip.register_timeout = REGISTER_TIMEOUT_S
        # Its own print the number that was called, and reset Python's warning filters.
        vars(self._phone).update(
            _callback_RESP_NotFound=self._refused, _callback_RESP_Unavailable=self._refused
        )
        vars(sip).update(recvLock=_ReceiverLock(sip))

    def start(self) -> None:
        """Register; returns after the first answer, or none. Raises ``OSError`` without a port."""
        self._phone.start()

    @property
    def status(self) -> str:
        """``REGISTERED``, ``REGISTERING``, ``FAILED``, ``INACTIVE`` or ``DEREGISTERING``."""
        status: PhoneStatus = self._phone.get_status()
        return str(status.name)

    def _called(self, call: Any) -> None:
        """In a thread of the call's own, which pyVoIP must see alive as long as the call is."""
        stock = StockCall(self._phone, call)
        self._on_call(stock)
        stock.run()

    def _refused(self, response: Any) -> None:
        """404 or 503 to a call of ours; pyVoIP tells of no other refusal."""
        call = self._phone.calls.pop(response.headers["Call-ID"], None)
        if call is None or call.state != CallState.DIALING:
            return
        call.refused = int(response.status)
        call.state = CallState.ENDED
        ack = self._phone.sip.gen_ack(response)
        self._phone.sip.out.sendto(ack.encode(), (self._phone.server, self._phone.port))

    def dial(self, number: str) -> StockCall:
        """Call ``number`` at the PBX; returns once it says 100 or 180, not before.

        Raises what pyVoIP raises, ``wake`` included.
        """
        return StockCall(self._phone, self._phone.call(number))

    def wake(self) -> None:
        """Make a ``dial`` that nobody answers raise: pyVoIP waits for ever."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(_WAKE, self._own)

    def stop(self) -> None:
        """Deregister, close, wait for pyVoIP's threads."""
        owners = [self._phone.sip]
        for call in tuple(self._phone.calls.values()):
            owners += call.RTPClients
        self._phone.stop()
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                owner = getattr(thread.function, "__self__", None)
                if any(owner is mine for mine in owners):
                    thread.join(_THREADS_END_S)
