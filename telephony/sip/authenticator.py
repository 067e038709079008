"""Requests of ours that were challenged, made again with credentials (RFC 3261 §22)."""

from __future__ import annotations

import dataclasses
import secrets
from collections import Counter
from collections.abc import Callable, Sequence

from telephony.sip.digest import Account, Asked, Challenge, authorization, parse_challenges
from telephony.sip.message import Address, Header, Outgoing, Response

_NAMES = {
    401: ("www-authenticate", "Authorization"),
    407: ("proxy-authenticate", "Proxy-Authorization"),
}
_MAX_ANSWERS = 3
_MAX_NONCES = 64


class Authenticator:
    """Answers for one account, and only to those that ``trusted`` says may ask.

    What else a call reaches could ask as well, and guess the password from the answer at leisure.
    """

    def __init__(
        self,
        account: Account,
        trusted: Callable[[Address], bool],
        counters: Counter[str],
        cnonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._account = account
        self._trusted = trusted
        self._counters = counters
        self._cnonce = cnonce
        self._counts: dict[str, int] = {}

    def again(self, request: Outgoing, destination: Address, response: Response) -> Outgoing | None:
        """``request`` with credentials and its next CSeq; ``None`` if it stays refused.

        A realm is answered once, and once more when it says that the nonce was stale: a wrong
        password makes no loop.
        """
        source, name = _NAMES[response.status]
        challenge = self._answerable(request, parse_challenges(response.headers.get(source, ())))
        if challenge is None or not self._trusted(destination):
            self._counters["sip_unauthorized"] += 1
            return None
        value = authorization(
            challenge,
            self._account,
            Asked(request.method, request.target, request.body),
            self._count(challenge.nonce),
            self._cnonce(),
        )
        self._counters["sip_authenticated"] += 1
        cseq = request.next_cseq() if request.next_cseq is not None else request.cseq + 1
        return dataclasses.replace(
            request,
            headers=_with(request.headers, (name, value), cseq, request.method),
            answered=(*request.answered, challenge.realm),
        )

    def _answerable(self, request: Outgoing, challenges: Sequence[Challenge]) -> Challenge | None:
        if len(request.answered) >= _MAX_ANSWERS:
            return None
        for challenge in challenges:
            tried = request.answered.count(challenge.realm)
            ours = self._account.realm in ("", challenge.realm)
            if ours and tried <= challenge.stale:
                return challenge
        return None

    def _count(self, nonce: str) -> int:
        """How often ``nonce`` has been used, now included (RFC 7616 §3.4 nc)."""
        count = self._counts.pop(nonce, 0) + 1
        self._counts[nonce] = count
        if len(self._counts) > _MAX_NONCES:
            self._counts.pop(next(iter(self._counts)))
        return count


def _with(headers: Sequence[Header], own: Header, cseq: int, method: str) -> list[Header]:
    """``headers`` with the credentials in place of older ones for the same realm."""
    realm = own[1].partition(" realm=")[2].partition(", nonce=")[0]
    kept = [
        ("CSeq", f"{cseq} {method}") if name == "CSeq" else (name, value)
        for name, value in headers
        if name != own[0] or f" realm={realm}, nonce=" not in value
    ]
    return [*kept, own]


def credentials(request: Outgoing) -> list[Header]:
    """The credentials in an INVITE: the ACK of its 2xx carries the same (RFC 3261 §13.2.2.4)."""
    return [header for _, name in _NAMES.values() for header in request.all(name)]
