"""A dialog: the state that two user agents share (RFC 3261 §12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from telephony.sip.error import SipError
from telephony.sip.message import Address, Header, Message, Outgoing, Request, Response
from telephony.sip.uri import NameAddr, parse_name_addr

MAX_FORWARDS = ("Max-Forwards", "70")


@dataclass(slots=True)
class Dialog:
    """``local`` and ``remote`` are whole From/To values, tags included.

    ``target`` is the other side's Contact URI; ``routes`` the route set in the order in which it
    is to be sent; ``peer`` where its SIP last came from, used where ``target`` names no IP.
    """

    call_id: str
    local: str
    local_tag: str
    remote: str
    remote_tag: str
    target: str
    routes: Sequence[NameAddr]
    peer: Address
    local_cseq: int = 0
    remote_cseq: int = -1
    extra: Sequence[Header] = field(default=())

    @classmethod
    def accepting(cls, invite: Request, tag: str, peer: Address) -> Dialog:
        """Our side of a call that ``invite`` opens. Raises ``SipError("uri")``."""
        return cls(
            call_id=invite.call_id,
            local=_tagged(invite.to.text, tag),
            local_tag=tag,
            remote=invite.sender.text,
            remote_tag=invite.sender.tag,
            target=_contact(invite),
            routes=_routes(invite),
            peer=peer,
            remote_cseq=invite.cseq,
        )

    @classmethod
    def established(cls, invite: Outgoing, local_tag: str, ok: Response, peer: Address) -> Dialog:
        """Our side of a call that we made and ``ok`` answers. Raises ``SipError("uri")``."""
        return cls(
            call_id=ok.call_id,
            local=invite.all("From")[0][1],
            local_tag=local_tag,
            remote=ok.to.text,
            remote_tag=ok.to.tag,
            target=_contact(ok),
            routes=tuple(reversed(_routes(ok))),
            peer=peer,
            local_cseq=ok.cseq,
        )

    def moves_to(self, message: Message) -> None:
        """A target refresh (re-INVITE or its 2xx): the Contact may have changed."""
        if message.first("contact"):
            self.target = _contact(message)

    def in_order(self, request: Request) -> bool:
        """Whether the CSeq goes up (RFC 3261 §12.2.2); remembers it if so."""
        if request.cseq <= self.remote_cseq:
            return False
        self.remote_cseq = request.cseq
        return True

    def request(
        self,
        method: str,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        cseq: int | None = None,
    ) -> Outgoing:
        """A request of ours within the dialog; an ACK takes the CSeq of its INVITE."""
        if cseq is None:
            cseq = self.next_cseq()
        target, routes = self._request_uri_and_routes()
        return Outgoing(
            method,
            target,
            [
                *(("Route", route) for route in routes),
                MAX_FORWARDS,
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{cseq} {method}"),
                *self.extra,
                *headers,
            ],
            body,
            self.next_cseq,
        )

    def next_cseq(self) -> int:
        """The CSeq of our next request, a repetition with credentials included."""
        self.local_cseq += 1
        return self.local_cseq

    def _request_uri_and_routes(self) -> tuple[str, list[str]]:
        routes = [route.text for route in self.routes]
        if not self.routes or "lr" in self.routes[0].uri.params:
            return self.target, routes
        # A strict router wants its own address as the Request-URI (RFC 3261 §12.2.1.1).
        return self.routes[0].uri.text, [*routes[1:], f"<{self.target}>"]

    @property
    def next_hop(self) -> Address:
        """Where our requests go: first route, else Contact, else where the peer's SIP comes from.

        Host names are not looked up: the peer's own address stands for them.
        """
        if self.routes:
            return self.routes[0].uri.endpoint or self.peer
        return parse_name_addr(f"<{self.target}>").uri.endpoint or self.peer


def _tagged(to: str, tag: str) -> str:
    return to if ";tag=" in to.replace(" ", "").lower() else f"{to};tag={tag}"


def _contact(message: Message) -> str:
    """The Contact URI; some peers leave it out, then their From or To must do."""
    contacts = message.all("contact")
    if contacts and contacts[0] != "*":
        return parse_name_addr(contacts[0]).uri.text
    party = message.sender if isinstance(message, Request) else message.to
    return party.uri.text


def _routes(message: Message) -> tuple[NameAddr, ...]:
    routes = tuple(parse_name_addr(text) for text in message.all("record-route"))
    if any(route.uri.scheme not in ("sip", "sips") for route in routes):
        raise SipError("uri", "route is no SIP URI")
    return routes
