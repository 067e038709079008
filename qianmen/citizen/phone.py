"""A stock pyVoIP 1.6.8 telephone in a citizen's hand: call, speak, listen, press keys, hang up.

Sound is 16-bit signed little-endian PCM, 8000 Hz, mono; pyVoIP itself works with 8 bits.
pyVoIP knows no way to send digits: :class:`_KeySocket` puts RFC 4733 events into its RTP stream.
"""

from __future__ import annotations

import secrets
import socket
import struct
import threading
import time
import warnings
from collections import deque
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pyVoIP imports audioop
    import pyVoIP.VoIP  # before pyVoIP.SIP, which imports it in a circle
from pyVoIP.SIP import Counter

from qianmen.citizen.exchange import udp_socket
from telephony.pyvoip.eightbit import to_8_bit, to_16_bit

FRAME_SAMPLES = 160
KEYS = "0123456789*#ABCD"
EVENT_PAYLOAD = 101
"""What pyVoIP always offers for telephone-event."""
_VOLUME = 10
_THREADS_END_S = 2.0
_PRESS_PACKETS = 5
_END_PACKETS = 3
_GAP_PACKETS = 5
_HEADER = struct.Struct("!BBHII")
LISTENS_AFTER_S = 1.1
"""pyVoIP reads its SIP port from one second after its start on (SIP.py 964)."""


def key_payloads(keys: str) -> list[tuple[bool, int, bytes] | None]:
    """RFC 4733 §2.5 packets for ``keys``, one an RTP slot of 20 ms; None leaves the sound alone.

    Each is (marker, age in slots since the press began, payload). Raises ``ValueError`` for what
    is not a key of a telephone.
    """
    slots: list[tuple[bool, int, bytes] | None] = []
    for key in keys.upper():
        if key not in KEYS:
            raise ValueError(f"{key!r} is not a key of a telephone")
        for slot in range(_PRESS_PACKETS + _END_PACKETS):
            ending = slot >= _PRESS_PACKETS
            duration = FRAME_SAMPLES * min(slot + 1, _PRESS_PACKETS)
            flags = (0x80 if ending else 0) | _VOLUME
            payload = struct.pack("!BBH", KEYS.index(key), flags, duration)
            slots.append((slot == 0, slot, payload))
        slots += [None] * _GAP_PACKETS
    return slots


class _KeySocket:
    """The RTP socket that pyVoIP sends on, with keys in the place of sound while one is pressed.

    Keeps pyVoIP's pacing, sequence numbers and SSRC, so that the stream stays one. Swallows what
    is sent after the call: pyVoIP's sender would warn about its closed socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._slots: deque[tuple[bool, int, bytes] | None] = deque()

    def press(self, keys: str) -> None:
        """Queue ``keys``."""
        self._slots.extend(key_payloads(keys))

    @property
    def pressing(self) -> bool:
        """Keys are still to be sent."""
        return bool(self._slots)

    def sendto(self, packet: bytes, address: tuple[str, int]) -> None:
        """Called by pyVoIP's sender every 20 ms."""
        slot = self._slots.popleft() if self._slots else None
        if slot is not None:
            packet = _as_event(packet, slot)
        try:
            self._sock.sendto(packet, address)
        except OSError:  # hung up, or their port is gone: nothing that a telephone would notice
            return

    def close(self) -> None:
        """As a socket."""
        self._sock.close()


def _as_event(packet: bytes, slot: tuple[bool, int, bytes]) -> bytes:
    """The event of ``slot`` under the packet's number; its time stays that of the press."""
    marker, age, payload = slot
    first, _, number, timestamp, source = _HEADER.unpack_from(packet)
    kind = EVENT_PAYLOAD | (0x80 if marker else 0)
    began = (timestamp - age * FRAME_SAMPLES) & 0xFFFFFFFF
    return _HEADER.pack(first, kind, number, began, source) + payload


class CitizenPhone:
    """One telephone, registered at ``server``, for one call."""

    def __init__(self, server: tuple[str, int], number: str, local_ip: str) -> None:
        sound = _free_port(local_ip)  # pyVoIP takes any port of its range, free or not
        self._phone: Any = pyVoIP.VoIP.VoIPPhone(
            server[0],
            server[1],
            number,
            "",
            myIP=local_ip,
            sipPort=_free_port(local_ip),
            rtpPortLow=sound,
            rtpPortHigh=sound,
        )
        # pyVoIP counts its calls from 1 and makes the Call-ID from that and the port alone: the
        # next telephone on this port would call under the same Call-ID.
        self._phone.sip.callID = Counter(start=secrets.randbits(62))
        self._call: Any = None
        self._keys: _KeySocket | None = None
        self._listens_at = 0.0

    def start(self) -> None:
        """Register. Raises what pyVoIP raises where the registrar does not answer (30 s)."""
        self._phone.start()
        self._listens_at = time.monotonic() + LISTENS_AFTER_S

    @property
    def registered(self) -> bool:
        """The registrar took it."""
        return bool(self._phone.get_status() == pyVoIP.VoIP.PhoneStatus.REGISTERED)

    def call(self, number: str) -> None:
        """Send the INVITE (returns at the exchange's 100), then wait until pyVoIP listens.

        In this order: while pyVoIP's receiver runs, its `call` may find the socket unblocked.
        """
        self._call = self._phone.call(number)
        time.sleep(max(0.0, self._listens_at - time.monotonic()))

    @property
    def answered(self) -> bool:
        """Connected: sound flows."""
        if self._call is None or self._call.state != pyVoIP.VoIP.CallState.ANSWERED:
            return False
        if self._keys is None and self._call.RTPClients:
            client = self._call.RTPClients[0]
            self._keys = client.sout = _KeySocket(client.sout)
        return True

    @property
    def over(self) -> bool:
        """Connected once, and no more."""
        return self._call is not None and self._call.state == pyVoIP.VoIP.CallState.ENDED

    def speak(self, pcm: bytes) -> None:
        """Queue sound to be said."""
        self._call.write_audio(to_8_bit(pcm))

    @property
    def speaking(self) -> bool:
        """What was to be said is not all sent yet."""
        if self._call is None or not self._call.RTPClients:
            return False
        sending = self._call.RTPClients[0].pmout
        with sending.bufferLock:
            return bool(sending.buffer.tell() < sending.buffer.getbuffer().nbytes)

    def press(self, keys: str) -> None:
        """Queue keys to be pressed; raises ``ValueError``."""
        if self._keys is not None:
            self._keys.press(keys)

    @property
    def pressing(self) -> bool:
        """Keys are still to be sent."""
        return self._keys is not None and self._keys.pressing

    def heard(self) -> bytes:
        """What arrived since the last time.

        Past `read_audio`, which fills up with silence and so cannot tell it from nothing.
        """
        if self._call is None or not self._call.RTPClients:
            return b""
        received = self._call.RTPClients[0].pmin
        with received.bufferLock:
            data = received.buffer.read()
        return to_16_bit(data)

    def stop(self) -> None:
        """Hang up, deregister, end pyVoIP's threads."""
        self._phone.stop()
        owners = [self._phone.sip, *(self._call.RTPClients if self._call is not None else ())]
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                owner = getattr(thread.function, "__self__", None)
                if any(owner is mine for mine in owners):
                    thread.join(_THREADS_END_S)


def _free_port(host: str) -> int:
    with udp_socket(host) as sock:
        return int(sock.getsockname()[1])
