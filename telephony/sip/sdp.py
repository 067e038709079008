"""Offer and answer (RFC 3264) for one audio stream of G.711 with telephone-events."""

from __future__ import annotations

import email
import email.policy
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiosipua import sdp as library

from telephony.rtp.g711 import CODECS, Codec
from telephony.rtp.stream import MediaPlan
from telephony.sip.error import SipError
from telephony.sip.message import Message

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

SDP_TYPE = "application/sdp"
EVENT_TYPE = 101
_MIRRORED: dict[str, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
# The same, where we want to hear nothing either (RFC 3264 §6.1: never more than was offered).
_ON_HOLD: dict[Direction, Direction] = {"sendrecv": "sendonly", "recvonly": "inactive"}
_PROFILES = ("RTP/AVP", "RTP/AVPF")
_MAX_MEDIA_LINES = 20


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One m= line of the other side, as much as is needed to mirror it."""

    media: str
    profile: str
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remote:
    """What the other side described: its m= lines, and which of them we talk on.

    ``held``: it wants to hear nothing. ``direction`` is ours in the answer.
    """

    lines: tuple[MediaLine, ...]
    chosen: int
    plan: MediaPlan
    direction: Direction

    @property
    def held(self) -> bool:
        """Whether we are on hold."""
        return not self.plan.sends


def sdp_text(message: Message) -> str:
    """The SDP in the body, also within multipart (RFC 5621); empty if there is no body.

    Raises ``SipError("media_type")``, status 415, if the body is something else.
    """
    if not message.body:
        return ""
    content_type = message.first("content-type")
    kind = content_type.partition(";")[0].strip().lower()
    encoding = message.first("content-encoding").lower()
    if encoding not in ("", "identity"):
        raise SipError("media_type", status=415)
    if kind == SDP_TYPE:
        return message.body.decode("utf-8", errors="replace")
    if kind.startswith("multipart/"):
        return _sdp_part(content_type, message.body)
    raise SipError("media_type", status=415)


def _sdp_part(content_type: str, body: bytes) -> str:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", errors="replace")
    parsed = email.message_from_bytes(head + body, policy=email.policy.compat32)
    for part in parsed.walk():
        if part.get_content_type() == SDP_TYPE:
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""
    raise SipError("media_type", status=415)


def read_description(text: str) -> Remote:
    """The other side's offer or answer.

    Raises ``SipError``: ``sdp`` (400), ``no_common_codec`` or ``sdp_address`` (488).
    """
    try:
        session = library.parse_sdp(text)
    except (ValueError, IndexError) as error:
        raise SipError("sdp") from error
    if not session.media or len(session.media) > _MAX_MEDIA_LINES:
        raise SipError("sdp")
    lines = tuple(MediaLine(m.media, m.proto, tuple(m.formats)) for m in session.media)
    for index, media in enumerate(session.media):
        codec = _common_codec(media)
        if codec is not None:
            return _remote(session, lines, index, codec)
    raise SipError("no_common_codec", status=488)


def _common_codec(media: library.MediaDescription) -> tuple[Codec, int] | None:
    if media.media != "audio" or not media.port or media.proto not in _PROFILES:
        return None
    for offered in media.codecs:
        codec = CODECS.get(offered.encoding_name.upper())
        if codec is not None and offered.clock_rate == 8000 and 0 <= offered.payload_type < 128:
            return codec, offered.payload_type
    return None


def _remote(
    session: library.SdpMessage,
    lines: tuple[MediaLine, ...],
    index: int,
    codec: tuple[Codec, int],
) -> Remote:
    media = session.media[index]
    connection = media.connection or session.connection
    if connection is None or not 0 < media.port < 65536:
        raise SipError("sdp")
    address = connection.address.partition("/")[0]
    asked = _direction(session, media)
    if address == "0.0.0.0":  # noqa: S104  # the old way to hold (RFC 3264 §8.4), nothing is bound
        asked = "sendonly" if asked == "sendrecv" else "inactive"
    else:
        _check_address(address)
    plan = MediaPlan(
        (address, media.port),
        *codec,
        _event_type(media),
        sends=asked in ("sendrecv", "recvonly"),
        rtcp=_rtcp_address(media, address),
        rtcp_mux="rtcp-mux" in media.attributes,
    )
    return Remote(lines, index, plan, _MIRRORED[asked])


def _rtcp_address(media: library.MediaDescription, host: str) -> tuple[str, int] | None:
    """Where the other side wants its RTCP (RFC 3605); ``None``: it does not say, or nonsense."""
    words = next(iter(media.attributes.get("rtcp", ())), "").split()
    if not words or not (words[0].isascii() and words[0].isdigit()) or len(words[0]) > 5:
        return None
    port, host = int(words[0]), words[-1] if len(words) == 4 else host
    try:
        _check_address(host)
    except SipError:
        return None
    return (host, port) if 0 < port < 65536 else None


def _direction(session: library.SdpMessage, media: library.MediaDescription) -> str:
    for attributes in (media.attributes, session.attributes):
        for direction in _MIRRORED:
            if direction in attributes:
                return direction
    return "sendrecv"


def _check_address(text: str) -> None:
    """Only an IPv4 literal: a name would need a DNS look-up, which stalls every call."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise SipError("sdp_address", status=488) from error
    if address.is_multicast or address.is_unspecified or int(address) == 0xFFFFFFFF:
        raise SipError("sdp_address", status=488)


def _event_type(media: library.MediaDescription) -> int | None:
    for offered in media.codecs:
        if (
            offered.encoding_name.lower() == "telephone-event"
            and offered.clock_rate == 8000
            and 0 <= offered.payload_type < 128
        ):
            return offered.payload_type
    return None


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of a session: ``version`` goes up with every new description (RFC 3264 §8)."""

    host: str
    port: int
    session: int
    version: int

    def offer(self) -> bytes:
        """Both laws, A-law first, and telephone-events."""
        types = [(codec.payload_type, codec.name) for codec in CODECS.values()]
        return self._description([self._audio("RTP/AVP", types, EVENT_TYPE, "sendrecv")])

    def answer(self, remote: Remote, *, on_hold: bool = False) -> bytes:
        """The answer to an offer: every m= line, the one we take, the others with port 0.

        ``on_hold``: we have put the other side on hold, and it stays there.
        """
        direction = remote.direction
        if on_hold:
            direction = _ON_HOLD.get(direction, direction)
        types = [(remote.plan.payload_type, remote.plan.codec.name)]
        return self._mirrored(remote, types, direction)

    def offer_again(self, remote: Remote, direction: Direction) -> bytes:
        """An offer within the call: the m= lines agreed on (RFC 3264 §8), numbers kept."""
        plan = remote.plan
        taken = (plan.payload_type, plan.event_type)
        others = [
            (codec.payload_type, codec.name)
            for codec in CODECS.values()
            if codec is not plan.codec and codec.payload_type not in taken
        ]
        return self._mirrored(remote, [(plan.payload_type, plan.codec.name), *others], direction)

    def _mirrored(
        self, remote: Remote, types: Sequence[tuple[int, str]], direction: Direction
    ) -> bytes:
        mux = ["a=rtcp-mux"] if remote.plan.rtcp_mux else []
        media: list[Sequence[str]] = [
            [*self._audio(line.profile, types, remote.plan.event_type, direction), *mux]
            if index == remote.chosen
            else [f"m={line.media} 0 {line.profile} {' '.join(line.formats) or '0'}"]
            for index, line in enumerate(remote.lines)
        ]
        return self._description(media)

    def _audio(
        self,
        profile: str,
        types: Sequence[tuple[int, str]],
        event_type: int | None,
        direction: Direction,
    ) -> list[str]:
        formats = [str(number) for number, _ in types]
        maps = [f"a=rtpmap:{number} {name}/8000" for number, name in types]
        if event_type is not None:
            formats.append(str(event_type))
            maps.append(f"a=rtpmap:{event_type} telephone-event/8000")
            maps.append(f"a=fmtp:{event_type} 0-15")
        first = f"m=audio {self.port} {profile} {' '.join(formats)}"
        return [first, *maps, "a=ptime:20", f"a={direction}"]

    def _description(self, media: Sequence[Sequence[str]]) -> bytes:
        lines = [
            "v=0",
            f"o=- {self.session} {self.version} IN IP4 {self.host}",
            "s=-",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            *(line for section in media for line in section),
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()
