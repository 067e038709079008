"""A front door of the simplest kind, for callers to be tested against: raw SIP and RTP over UDP.

Written without the simulator's own message code, so that both cannot be wrong alike.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from qianmen.bench import g711

RATE = 8000
FRAME = 160
PAUSE_S = 0.3


def ulaw_decode(data: bytes) -> np.ndarray:
    """G.711 µ-law to 16-bit samples (ITU-T G.711 table 2a)."""
    code = ~np.frombuffer(data, dtype=np.uint8)
    exponent = (code >> 4) & 7
    mantissa = (code & 0x0F).astype(np.int32)
    size = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


# Payload number: silence, and the two extremes of the law.
LAWS = {0: (b"\xff", b"\x00", b"\x80"), 8: (b"\xd5", b"\x2a", b"\xaa")}


def silence(law: int) -> bytes:
    return LAWS[law][0] * FRAME


def tone(law: int, seconds: float) -> list[bytes]:
    """A loud square wave of 250 Hz."""
    _, low, high = LAWS[law]
    return [(low * 16 + high * 16) * (FRAME // 32)] * round(seconds * 50)


def decode(law: int, data: bytes) -> np.ndarray:
    return ulaw_decode(data) if law == 0 else g711.decode(data)


@dataclass
class Heard:
    """What the fake noticed."""

    requests: list[str] = field(default_factory=list)
    acks: list[str] = field(default_factory=list)
    call_ids: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    turns: int = 0
    packets: int = 0
    sequence_gaps: int = 0
    sources: set[int] = field(default_factory=set)


class SipPeer:
    """Answers one call on a free port; use as a context manager.

    ``invite``: how it takes the call: answer, busy (486), refuse (404), ring (180 and no more),
    deaf (not a word). ``greet_s`` and ``reply_s`` are the seconds of sound of its greeting and of
    each reply, 0 for none; a reply comes when the caller has spoken and been quiet for 0.3 s
    (``PAUSE_S``). ``law`` is the codec: 0 PCMU, 8 PCMA.
    ``hang_up_after``: sends BYE after that many replies (0: after the greeting, None: never).
    ``media``: sends RTP at all. ``second_voice_s``: a further voice comes so long after a reply.
    """

    def __init__(
        self,
        invite: str = "answer",
        *,
        greet_s: float = 0.4,
        reply_s: float = 0.4,
        hang_up_after: int | None = None,
        media: bool = True,
        second_voice_s: float = 0.0,
        lose_first_ack: bool = False,
        law: int = 0,
    ) -> None:
        self.law = law
        self.invite, self.media = invite, media
        self.greet_s, self.reply_s = greet_s, reply_s
        self.hang_up_after, self.second_voice_s = hang_up_after, second_voice_s
        self.heard = Heard()
        self.bye_answered = threading.Event()
        self.ended = threading.Event()
        self._lose_ack = lose_first_ack
        self._sip = self._socket()
        self._rtp = self._socket()
        self._stop = threading.Event()
        self._talking = threading.Event()
        self._threads = [threading.Thread(target=self._serve), threading.Thread(target=self._talk)]
        self._invited: tuple[dict[str, str], tuple[str, int]] | None = None
        self._ok = b""
        self._media_to: tuple[str, int] | None = None
        self._ok_at = 0.0

    @staticmethod
    def _socket() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.02)
        return sock

    @property
    def uri(self) -> str:
        return f"sip:12345@127.0.0.1:{self._sip.getsockname()[1]}"

    def __enter__(self) -> SipPeer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._sip.close()
        self._rtp.close()

    # SIP

    def _serve(self) -> None:
        while not self._stop.is_set():
            if self._ok_at and time.monotonic() > self._ok_at + 0.5:
                self._ok_at = time.monotonic()
                self._answer_again()
            try:
                data, sender = self._sip.recvfrom(8192)
            except (TimeoutError, OSError):
                continue
            self._take(data.decode(), sender)

    def _take(self, text: str, sender: tuple[str, int]) -> None:
        head, _, body = text.partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = {key.lower(): value for key, _, value in (x.partition(": ") for x in lines)}
        if start.startswith("SIP/2.0"):
            if "BYE" in headers["cseq"]:
                self.bye_answered.set()
            return
        method = start.split()[0]
        self.heard.requests.append(method)
        if method == "INVITE":
            self._invited_by(headers, body, sender)
        elif method == "ACK":
            self._acknowledged(headers)
        elif method == "CANCEL":
            self._send(self._response(headers, "200 OK"), sender)
            assert self._invited is not None
            self._send(self._response(self._invited[0], "487 Request Terminated"), sender)
            self.ended.set()
        elif method == "BYE":
            self._talking.clear()
            self._send(self._response(headers, "200 OK"), sender)
            self.ended.set()

    def _invited_by(self, headers: dict[str, str], body: str, sender: tuple[str, int]) -> None:
        self.heard.call_ids.append(headers["call-id"])
        if self.invite == "deaf":
            return
        if self._invited is not None:
            if headers["call-id"] != self._invited[0]["call-id"]:
                self._send(self._response(headers, "486 Busy Here"), sender)
            return
        self._invited = (headers, sender)
        media = re.search(r"c=IN IP4 (\S+).*?m=audio (\d+)", body, re.DOTALL)
        assert media
        self._media_to = (media[1], int(media[2]))
        self._send(self._response(headers, "180 Ringing"), sender)
        if self.invite == "answer":
            self._ok = self._response(headers, "200 OK", self._sdp())
            self._ok_at = time.monotonic()
            self._send(self._ok, sender)
        elif self.invite in {"busy", "refuse"}:
            status = "486 Busy Here" if self.invite == "busy" else "404 Not Found"
            self._send(self._response(headers, status), sender)

    def _answer_again(self) -> None:
        assert self._invited is not None
        self._send(self._ok, self._invited[1])

    def _acknowledged(self, headers: dict[str, str]) -> None:
        self.heard.acks.append(headers["to"])
        if self._lose_ack:
            self._lose_ack = False
            return
        self._ok_at = 0.0
        if self.invite == "answer":
            self._talking.set()

    def _sdp(self) -> str:
        port = self._rtp.getsockname()[1]
        return (
            "v=0\r\no=fake 1 1 IN IP4 127.0.0.1\r\ns=fake\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {self.law} 101\r\nc=IN IP4 127.0.0.1\r\n"
            f"a=rtpmap:{self.law} {'PCMA' if self.law else 'PCMU'}/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
        )

    def _response(self, headers: dict[str, str], status: str, body: str = "") -> bytes:
        to = headers["to"] if "tag=" in headers["to"] else headers["to"] + ";tag=fake"
        port = self._sip.getsockname()[1]
        lines = [
            f"SIP/2.0 {status}", f"Via: {headers['via']}", f"From: {headers['from']}", f"To: {to}",
            f"Call-ID: {headers['call-id']}", f"CSeq: {headers['cseq']}",
            f"Contact: <sip:fake@127.0.0.1:{port}>",
        ]  # fmt: skip
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _bye(self) -> None:
        assert self._invited is not None
        headers, sender = self._invited
        port = self._sip.getsockname()[1]
        lines = [
            f"BYE {headers['contact'].strip('<>')} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKfakebye", "Max-Forwards: 70",
            f"From: {headers['to']};tag=fake", f"To: {headers['from']}",
            f"Call-ID: {headers['call-id']}", "CSeq: 1 BYE", "Content-Length: 0",
        ]  # fmt: skip
        self._send(("\r\n".join(lines) + "\r\n\r\n").encode(), sender)

    def _send(self, data: bytes, to: tuple[str, int]) -> None:
        self._sip.sendto(data, to)

    # RTP

    def _talk(self) -> None:
        while not self._talking.wait(0.05):
            if self._stop.is_set():
                return
        outgoing = tone(self.law, self.greet_s) if self.media else []
        sequence, replies, spoke, quiet = 0, 0, False, 0
        while self._talking.is_set() and not self._stop.is_set():
            frame = outgoing.pop(0) if outgoing else silence(self.law)
            if self.media:
                self._send_rtp(sequence, frame)
            sequence += 1
            loud = self._receive_rtp()
            spoke, quiet = spoke or loud > 0, 0 if loud > 0 else quiet + 1
            if spoke and quiet > PAUSE_S * 50 and self.media:
                spoke = False
                replies += 1
                self.heard.turns += 1
                outgoing = self._reply()
            if not outgoing and self.hang_up_after == replies and sequence > self.greet_s * 50 + 75:
                self._talking.clear()
                self._bye()
            time.sleep(0.019)

    def _reply(self) -> list[bytes]:
        sound = tone(self.law, self.reply_s)
        if self.second_voice_s:
            sound += [silence(self.law)] * round(self.second_voice_s * 50) + tone(self.law, 0.5)
        return sound

    def _send_rtp(self, sequence: int, payload: bytes) -> None:
        assert self._media_to is not None
        header = struct.pack("!BBHII", 0x80, self.law, sequence, sequence * FRAME, 77)
        self._rtp.sendto(header + payload, self._media_to)

    def _receive_rtp(self) -> int:
        """Loud packets among those waiting."""
        loud = 0
        self._rtp.settimeout(0.001)
        while True:
            try:
                packet = self._rtp.recv(2048)
            except (TimeoutError, OSError):
                return loud
            loud += self._one_packet(packet)

    def _one_packet(self, packet: bytes) -> int:
        _, kind, sequence, _, source = struct.unpack_from("!BBHII", packet)
        heard = self.heard
        if heard.packets and sequence != self._expected:
            heard.sequence_gaps += 1
        self._expected = sequence + 1
        heard.packets += 1
        heard.sources.add(source)
        if kind & 0x7F == 101:
            if kind & 0x80:
                heard.keys.append("0123456789*#ABCD"[packet[12]])
            return 0
        return int(float(decode(self.law, packet[12:]).std()) > 500)

    _expected = 0
