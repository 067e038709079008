"""Bytes of a datagram made fit for the library's parser, and text that came in made fit to read.

Undecodable bytes (GBK display names, mostly) are carried through as lone surrogates
(``surrogateescape``), so that what we mirror in a response is what came, byte for byte;
``readable`` makes text of them.
"""

from __future__ import annotations

import re

from telephony.sip.error import SipError

MAX_MESSAGE_BYTES = 16 * 1024
MAX_HEADER_LINES = 128
MAX_NAME_CHARS = 200

# The library decodes as UTF-8 and would replace what it cannot: the last 128 characters of the
# last private plane stand for those bytes while it parses.
_STAND_IN = 0x10FF00
_HIDDEN = {0xDC00 + byte: _STAND_IN + byte for byte in range(0x80, 0x100)}
_SHOWN = {stand_in: surrogate for surrogate, stand_in in _HIDDEN.items()}
_STANDING_IN = re.compile(f"[{chr(_STAND_IN + 0x80)}-{chr(_STAND_IN + 0xFF)}]")
_MIRRORED = re.compile(
    rb"^(?:(via|v)|from|f|to|t|call-id|i|cseq)[ \t]*:.*(?:\n[ \t].*)*", re.IGNORECASE | re.MULTILINE
)
_MAX_VIAS = 70


def headers_in_utf8(data: bytes) -> bytes:
    """``data`` with a header section that decodes as UTF-8; ``as_came`` undoes it."""
    if data.isascii():
        return data
    blank = b"\r\n\r\n" if b"\r\n\r\n" in data else b"\n\n"
    head, separator, body = data.partition(blank)
    try:
        head.decode()
    except UnicodeDecodeError:
        head = head.decode("utf-8", "surrogateescape").translate(_HIDDEN).encode()
    return head + separator + body


def as_came(text: str) -> str:
    """A header value from the library, undecodable bytes as surrogates."""
    return text if text.isascii() or not _STANDING_IN.search(text) else text.translate(_SHOWN)


def readable(text: str) -> str:
    """Foreign text to show and to store: decoded, without control characters, bounded."""
    return without_controls(decoded(text))


def without_controls(text: str) -> str:
    """Printable characters only, ``MAX_NAME_CHARS`` at most."""
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable() or char == "\u3000")
    return text[:MAX_NAME_CHARS]


def decoded(text: str) -> str:
    """Undecodable bytes in ``text`` taken as GB18030, or replaced if they are not that either."""
    if text.isascii():
        return text
    data = text.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


class TooLargeError(SipError):
    """``remains``: first line and what an answer mirrors, fit to be parsed for that answer."""

    def __init__(self, head: bytes) -> None:
        super().__init__("too_large", "message too large", 513)
        first, _, rest = head.partition(b"\n")
        found = list(_MIRRORED.finditer(rest))
        vias = [match[0].strip() for match in found if match[1]][:_MAX_VIAS]
        others = [match[0].strip() for match in found if not match[1]][:_MAX_VIAS]
        self.remains = b"\r\n".join([first.strip(), *vias, *others, b"", b""])


def check_size(data: bytes) -> None:
    """Raises ``TooLargeError`` (RFC 3261 §21.5.7)."""
    if len(data) <= MAX_MESSAGE_BYTES and data.count(b"\n") <= MAX_HEADER_LINES:
        return
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    if len(data) > MAX_MESSAGE_BYTES or head.count(b"\n") > MAX_HEADER_LINES:
        raise TooLargeError(head)
