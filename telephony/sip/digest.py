"""Digest authentication as a client: challenges read, credentials made (pure).

RFC 7616 with SIP's rules (RFC 3261 §22, RFC 8760). aiosipua's own module reads one challenge
only and knows neither the ``-sess`` algorithms, SHA-512-256 nor auth-int. ``userhash`` is not
used: a registrar may offer it and must take the plain name too (RFC 7616 §3.4.4).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Qop = Literal["", "auth", "auth-int"]

_HASHES = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}
_MAX_LENGTH = 4096
_MAX_CHALLENGES = 8
_PART = re.compile(
    r"""(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)
        (?:\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s",=]+))
        |(?=\s|$))""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One Digest challenge that can be answered.

    ``algorithm`` is as the server wrote it, empty where it named none (MD5 then). ``qop`` is what
    we answer with: ``auth`` where it is offered, else ``auth-int``, else none (RFC 2617).
    """

    realm: str
    nonce: str
    algorithm: str = ""
    qop: Qop = ""
    opaque: str | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to a PBX or a trunk; a ``realm`` that is not empty limits who is answered."""

    user: str
    password: str
    realm: str = ""

    def __repr__(self) -> str:
        return f"Account(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that is authenticated; ``uri`` is its Request-URI."""

    method: str
    uri: str
    body: bytes = b""


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """The challenges in WWW-Authenticate or Proxy-Authenticate values that can be answered.

    In their order, which is the server's preference (RFC 8760 §2.4). Never raises: other schemes,
    unknown algorithms, other qop, what has no realm or nonce, and rubbish are left out.
    """
    found: list[Challenge] = []
    for value in values:
        for scheme, params in _schemes(value[:_MAX_LENGTH]):
            challenge = _challenge(params) if scheme == "digest" else None
            if challenge is not None and len(found) < _MAX_CHALLENGES:
                found.append(challenge)
    return tuple(found)


def _schemes(text: str) -> list[tuple[str, dict[str, str]]]:
    """Scheme and parameters of each challenge in one header value."""
    schemes: list[tuple[str, dict[str, str]]] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            at += 1
            continue
        at = match.end()
        name = match["name"].lower()
        if match["quoted"] is None and match["token"] is None:
            schemes.append((name, {}))
        elif schemes:
            quoted = match["quoted"]
            plain = match["token"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
            schemes[-1][1].setdefault(name, plain)
    return schemes


def _challenge(params: dict[str, str]) -> Challenge | None:
    offered = params.get("qop")
    qop = _chosen_qop(offered)
    algorithm = params.get("algorithm", "")
    texts = (params.get("realm", ""), params.get("nonce", ""), params.get("opaque", ""))
    known = _hash_name(algorithm) is not None
    if "realm" not in params or not texts[1] or not known or (offered and not qop):
        return None
    if any(_CONTROL.search(text) for text in texts):
        return None
    stale = params.get("stale", "").lower() == "true"
    return Challenge(texts[0], texts[1], algorithm, qop, params.get("opaque"), stale)


def _chosen_qop(offered: str | None) -> Qop:
    options = [option.strip().lower() for option in (offered or "").split(",")]
    if "auth" in options:
        return "auth"
    return "auth-int" if "auth-int" in options else ""


def _hash_name(algorithm: str) -> str | None:
    """Python's name of the hash; ``None`` for what we or this OpenSSL do not know."""
    base = (algorithm or "MD5").lower().removesuffix("-sess")
    name = _HASHES.get(base)
    return name if name in hashlib.algorithms_available else None


def authorization(
    challenge: Challenge, account: Account, asked: Asked, count: int, cnonce: str
) -> str:
    """The value of Authorization or Proxy-Authorization that answers ``challenge``.

    ``count`` is how often its nonce has been used, this time included; ``cnonce`` is ours, hex.
    """
    session = challenge.algorithm.lower().endswith("-sess")
    parts = [
        ("username", _quoted(account.user)),
        ("realm", _quoted(challenge.realm)),
        ("nonce", _quoted(challenge.nonce)),
        ("uri", _quoted(asked.uri)),
        ("response", _quoted(_response(challenge, account, asked, count, cnonce))),
    ]
    if challenge.algorithm:
        parts.append(("algorithm", challenge.algorithm))
    if challenge.qop or session:
        parts.append(("cnonce", _quoted(cnonce)))
    if challenge.qop:
        parts += [("qop", challenge.qop), ("nc", f"{count:08x}")]
    if challenge.opaque is not None:
        parts.append(("opaque", _quoted(challenge.opaque)))
    return "Digest " + ", ".join(f"{name}={value}" for name, value in parts)


def _response(challenge: Challenge, account: Account, asked: Asked, count: int, cnonce: str) -> str:
    """RFC 7616 §3.4.1; without qop RFC 2617 §3.2.2.1."""

    def hexdigest(data: bytes) -> str:
        # The server chooses; MD5 is still what most PBX offer (RFC 8760 §2.4).
        name = _hash_name(challenge.algorithm) or "md5"
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()

    def digest(text: str) -> str:
        # A realm that is no UTF-8 is hashed byte for byte as it came.
        return hexdigest(text.encode("utf-8", "surrogateescape"))

    secret = digest(f"{account.user}:{challenge.realm}:{account.password}")
    if challenge.algorithm.lower().endswith("-sess"):
        secret = digest(f"{secret}:{challenge.nonce}:{cnonce}")
    request = f"{asked.method}:{asked.uri}"
    if challenge.qop == "auth-int":
        request += f":{hexdigest(asked.body)}"
    middle = f"{count:08x}:{cnonce}:{challenge.qop}:" if challenge.qop else ""
    return digest(f"{secret}:{challenge.nonce}:{middle}{digest(request)}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
