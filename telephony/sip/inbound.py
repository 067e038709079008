"""A call that comes in, as user agent server (RFC 3261 §13.3)."""

from __future__ import annotations

from collections.abc import Callable

from telephony.line import EndCause, LineError
from telephony.sip.core import Core
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.leg import SipLeg
from telephony.sip.message import Header, Request
from telephony.sip.sdp import Remote, read_description, sdp_text
from telephony.sip.server import ServerTransaction
from telephony.sip.uri import parse_name_addr


class InboundLeg(SipLeg):
    """Raises ``SipError`` if the INVITE cannot become a call: its offer, Contact or routes."""

    def __init__(
        self, core: Core, invite: ServerTransaction, forget: Callable[[SipLeg], None]
    ) -> None:
        super().__init__(core, invite.source, forget, owner=False)
        request = invite.request
        text = sdp_text(request)
        self._remote: Remote | None = read_description(text) if text else None
        self.local_tag = invite.to_tag
        self.dialog = Dialog.accepting(request, invite.to_tag, invite.source)
        self.dialog.extra = (("User-Agent", core.settings.user_agent),)
        self.session.check(request)
        self._invite = invite
        self._answered = False
        self.id = request.call_id
        self.caller = _caller(request)
        self.display_name = request.sender.display_name
        self.dialled = request.target.user
        self.diverted_from = _diverted_from(request)

    def same_invite(self, request: Request) -> bool:
        """Whether ``request`` is the INVITE of this leg, by another way."""
        mine = self._invite.request
        return (mine.cseq, mine.sender.tag) == (request.cseq, request.sender.tag)

    async def ring(self) -> None:
        """180."""
        self._check_alive()
        if not self._answered:
            self._invite.respond(180, self.dialog_headers(self._invite.request))

    async def answer(self) -> None:
        """200, and media."""
        self._check_alive()
        if not self._answered:
            self.media.open()
            self._answered = True
            self.offers.accept(self._invite, self._remote)

    def _check_alive(self) -> None:
        if self._ended is not None:
            raise LineError("ended", f"the call is over ({self._ended.cause})")

    async def reject(self, status: int = 603, retry_after_s: int = 0) -> None:
        """Refuse."""
        if not 300 <= status <= 699:
            raise LineError("bad_status", f"{status} refuses nothing: 300 to 699 do")
        if self._answered and self._ended is None:
            raise LineError("answered", "the call is answered: hang up instead")
        if self._ended is None:
            headers: list[Header] = [("Retry-After", str(retry_after_s))] if retry_after_s else []
            self._invite.respond(status, [*headers, self.core.agent])
            self.core.counters[f"calls_refused_{status}"] += 1
            self.end("rejected", status)

    def shut(self, cause: EndCause) -> None:
        """BYE, or 480 before the answer."""
        if self._ended is not None:
            return
        if self._answered:
            self.bye(cause)
        else:
            self._invite.respond(480, [self.core.agent])
            self.core.counters["calls_refused_480"] += 1
            self.end(cause, 480)

    def on_cancel(self) -> None:
        """The caller gave up before the answer."""
        if self._answered or self._ended is not None:
            return
        self._invite.respond(487, [self.core.agent])
        self.end("cancel", 487)

    def _on_bye(self, transaction: ServerTransaction) -> None:
        # A BYE may also end a call that still rings (RFC 3261 §15.1.2).
        self._invite.respond(487, [self.core.agent])
        super()._on_bye(transaction)


def _caller(request: Request) -> str:
    user = request.sender.uri.user
    return "" if user.lower() in ("anonymous", "unknown", "restricted") else user


def _diverted_from(request: Request) -> str:
    """The number first dialled: the last Diversion (RFC 5806 §5), the first History-Info."""
    for values in (request.all("diversion")[-1:], request.all("history-info")[:1]):
        for value in values:
            try:
                user = parse_name_addr(value).uri.user
            except SipError:
                continue
            if user and user != request.target.user:
                return user
    return ""
