"""The transaction layer: matches messages to transactions (RFC 3261 §17, RFC 6026), over UDP."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from telephony.sip.authenticator import Authenticator
from telephony.sip.client import ClientTransaction
from telephony.sip.message import MAGIC_COOKIE, Address, Outgoing, Request, Response
from telephony.sip.server import ServerTransaction
from telephony.sip.timers import GIVE_UP_S, Clock

Send = Callable[[bytes, Address], None]


class User(Protocol):
    """Who gets what the transaction layer does not settle itself (the "TU" of the RFC)."""

    def on_request(self, transaction: ServerTransaction) -> None:
        """A new request, other than ACK and CANCEL."""

    def on_ack(self, request: Request, local_tag: str) -> None:
        """The ACK of a 2xx: it belongs to the dialog of ``local_tag``, not to a transaction."""

    def on_cancel(self, transaction: ServerTransaction) -> None:
        """The INVITE of this transaction is cancelled; the CANCEL itself is answered already."""


class Transactions:
    """All transactions of one socket. ``via`` gives our sent-by (host:port) for a destination."""

    def __init__(
        self,
        clock: Clock,
        send: Send,
        via: Callable[[Address], str],
        user: User,
        counters: Counter[str],
    ) -> None:
        self._clock = clock
        self._send = send
        self._via = via
        self._user = user
        self._counters = counters
        self._servers: dict[tuple[str, ...], ServerTransaction] = {}
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self.authenticator: Authenticator | None = None

    def __len__(self) -> int:
        """How many transactions are remembered."""
        return len(self._servers) + len(self._clients)

    def awaiting(self) -> bool:
        """Whether requests of ours are still unanswered."""
        return any(client.state in ("calling", "proceeding") for client in self._clients.values())

    def receive(self, message: Request | Response, source: Address) -> None:
        """One parsed message."""
        if isinstance(message, Response):
            self._receive_response(message)
        elif message.method == "ACK":
            self._receive_ack(message)
        else:
            self._receive_request(message, source)

    def _receive_response(self, response: Response) -> None:
        client = self._clients.get((response.vias[0].branch, response.cseq_method))
        if client is None:
            self._counters["sip_stray_response"] += 1
        else:
            client.receive(response)

    def _receive_ack(self, request: Request) -> None:
        server = self._servers.get(_server_key(request, "INVITE"))
        if server is not None and not server.accepted:
            server.acknowledge()
        else:
            # By the RFC it comes by a branch of its own and with our To-tag. Some phones (pyVoIP)
            # send it by the INVITE's branch and with a tag they made up: the branch then tells.
            tag = server.to_tag if server is not None else request.to.tag
            self._user.on_ack(request, tag)

    def _receive_request(self, request: Request, source: Address) -> None:
        key = _server_key(request, request.method)
        known = self._servers.get(key)
        if known is not None:
            self._counters["sip_retransmitted_request"] += 1
            known.repeat()
            return
        server = ServerTransaction(
            request, source, self._clock, self._send, lambda: self._forget_server(key)
        )
        self._servers[key] = server
        if request.method == "CANCEL":
            self._cancel(server)
        else:
            self._user.on_request(server)

    def _cancel(self, cancel: ServerTransaction) -> None:
        invite = self._servers.get(_server_key(cancel.request, "INVITE"))
        if invite is None:
            cancel.respond(481)
            return
        cancel.respond(200, to_tag=invite.to_tag)
        if not invite.final:
            self._user.on_cancel(invite)

    def _forget_server(self, key: tuple[str, ...]) -> None:
        self._servers.pop(key, None)

    def request(
        self,
        outgoing: Outgoing,
        destination: Address,
        on_response: Callable[[Response], None],
        on_timeout: Callable[[], None],
        on_again: Callable[[ClientTransaction], None] = lambda _: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> ClientTransaction:
        """Send a request of ours, again and again as the RFC says.

        ``on_response`` gets provisional responses, the final one, and every 2xx to an INVITE;
        ``on_timeout`` is called instead of a final one after 64·T1. Where the ``authenticator``
        can answer a 401 or 407, the request goes out once more with credentials and the next CSeq
        if it is still ``wanted``, and ``on_again`` gets the transaction that took its place.
        """

        def answered(response: Response) -> None:
            again = self._authenticated(outgoing, destination, response) if wanted() else None
            if again is None:
                on_response(response)
                return
            on_again(self.request(again, destination, on_response, on_timeout, on_again, wanted))

        branch = f"{MAGIC_COOKIE}{secrets.token_hex(8)}"
        return self._start(outgoing, destination, branch, answered, on_timeout)

    def _authenticated(
        self, outgoing: Outgoing, destination: Address, response: Response
    ) -> Outgoing | None:
        if self.authenticator is None or response.status not in (401, 407):
            return None
        return self.authenticator.again(outgoing, destination, response)

    def cancel(self, invite: ClientTransaction) -> None:
        """Send the CANCEL of an INVITE that got a 1xx and no final response (RFC 3261 §9.1).

        If no final response follows, the INVITE is given up after 64·T1.
        """
        self._start(
            invite.cancel_request(),
            invite.destination,
            invite.branch,
            lambda _: None,
            lambda: None,
        )
        self._clock.call_later(GIVE_UP_S, invite.terminate)

    def _start(
        self,
        outgoing: Outgoing,
        destination: Address,
        branch: str,
        on_response: Callable[[Response], None],
        on_timeout: Callable[[], None],
    ) -> ClientTransaction:
        key = (branch, outgoing.method)
        client = ClientTransaction(
            outgoing,
            destination,
            branch,
            f"SIP/2.0/UDP {self._via(destination)};branch={branch};rport",
            self._clock,
            self._send,
            on_response,
            on_timeout,
            lambda: self._forget_client(key),
        )
        self._clients[key] = client
        client.start()
        return client

    def _forget_client(self, key: tuple[str, str]) -> None:
        self._clients.pop(key, None)

    def send_ack(self, outgoing: Outgoing, destination: Address) -> None:
        """Send the ACK of a 2xx, once: it is repeated only when the 2xx is."""
        branch = f"{MAGIC_COOKIE}{secrets.token_hex(8)}"
        via = f"SIP/2.0/UDP {self._via(destination)};branch={branch};rport"
        self._send(outgoing.rendered(via), destination)

    def close(self) -> None:
        """Cancel every timer."""
        for server in tuple(self._servers.values()):
            server.terminate()
        for client in tuple(self._clients.values()):
            client.terminate()


def _server_key(request: Request, method: str) -> tuple[str, ...]:
    """RFC 3261 §17.2.3; the second form is for senders older than that RFC."""
    via = request.vias[0]
    if via.branch.startswith(MAGIC_COOKIE) and via.branch != MAGIC_COOKIE:
        return via.branch, via.host.lower(), str(via.port), method
    return request.call_id, request.sender.tag, str(request.cseq), via.text, method
