"""One audio stream in SDP (RFC 4566), as much as a simulated telephone needs."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

PCMU, PCMA = 0, 8
_STATIC = {PCMU: "PCMU/8000", PCMA: "PCMA/8000"}


class SdpError(ValueError):
    """No usable audio stream; ``code`` is ``sdp_invalid``."""

    code = "sdp_invalid"


@dataclass(frozen=True, slots=True)
class Audio:
    """Where an audio stream is received: IP literal, port, codecs in order of preference.

    ``event`` is the payload number of telephone-event (RFC 4733), None where there is none.
    """

    host: str
    port: int
    codecs: tuple[int, ...] = (PCMU,)
    event: int | None = 101


def render(audio: Audio) -> bytes:
    """SDP with one connection line and one audio line: all that pyVoIP can read."""
    numbers = [*audio.codecs, *([] if audio.event is None else [audio.event])]
    lines = [
        "v=0",
        f"o=citizen 1 1 IN IP4 {audio.host}",
        "s=-",
        f"c=IN IP4 {audio.host}",
        "t=0 0",
        f"m=audio {audio.port} RTP/AVP {' '.join(map(str, numbers))}",
        *(f"a=rtpmap:{codec} {_STATIC[codec]}" for codec in audio.codecs),
    ]
    if audio.event is not None:
        lines += [f"a=rtpmap:{audio.event} telephone-event/8000", f"a=fmtp:{audio.event} 0-15"]
    return "\r\n".join([*lines, "a=ptime:20", "a=sendrecv", ""]).encode()


def parse(body: bytes) -> Audio:
    """The first audio stream; raises :class:`SdpError` where there is none we could use."""
    host = session = ""
    media: list[str] = []
    event: int | None = None
    for line in body.decode("utf-8", "replace").splitlines():
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            if media:
                break
            media = value.split() if value.startswith("audio ") else []
        elif kind == "c":
            address = value.split()[-1].split("/")[0] if value.split() else ""
            host, session = (address, session) if media else (host, address)
        elif kind == "a" and media and "telephone-event" in value:
            number = value.removeprefix("rtpmap:").split()[0]
            event = int(number) if number.isdigit() else None
    return _audio(media, host or session, event)


def _audio(media: list[str], host: str, event: int | None) -> Audio:
    if len(media) < 4:
        raise SdpError("no audio stream in the SDP")
    codecs = tuple(int(item) for item in media[3:] if item in {str(PCMU), str(PCMA)})
    port = media[1].split("/")[0]
    if not codecs or not port.isdigit() or not 0 < int(port) < 65_536:
        raise SdpError("no audio stream in G.711 in the SDP")
    try:
        ip_address(host)
    except ValueError:
        raise SdpError("the SDP names no IP address") from None
    return Audio(host, int(port), codecs, event)
