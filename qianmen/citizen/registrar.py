"""The registrar and exchange that a stock pyVoIP telephone needs, without sockets (pure).

pyVoIP 1.6.8 insists on registering, waits for a 100 before it believes in its own INVITE, puts a
wrong To-tag into its ACK, repeats nothing and cannot CANCEL. So the registrar answers for it: one
call at a time, a dialog with the telephone on one side and :class:`Dialog` on the other, under the
telephone's own Call-ID and From-tag. The sound goes past it: SDP passes through.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from qianmen.citizen import sdp, sip
from qianmen.citizen.dialog import Answered, Dialog, DialogEvent, Identity, Progress

EXPIRES_S = 3600
_REPEATS = 8
_GAP_S = 0.5

Datagram = tuple[bytes, tuple[str, int]]


@dataclass(slots=True)
class _Pending:
    """What the telephone has not acknowledged yet."""

    message: sip.Message
    at: float
    left: int = _REPEATS


class Registrar:
    """Stands between one telephone and the address that it calls.

    ``inner`` is where the telephone sees it, ``outer`` where the world does. The telephone's
    INVITE is held until ``dial``. ``events()`` tells what became of the call.
    """

    def __init__(
        self, target: sip.Uri, caller: str, inner: tuple[str, int], outer: tuple[str, int]
    ) -> None:
        self._target = target
        self._caller = caller
        self._inner, self._outer = inner, outer
        self._tag = secrets.token_hex(5)
        self._phone: tuple[str, int] | None = None
        self._invite: sip.Message | None = None
        self._pending: _Pending | None = None
        self._bye_cseq = 0
        self._to_phone: list[Datagram] = []
        self._events: list[DialogEvent] = []
        self._dialling = self._unwanted = False
        self.dialog: Dialog | None = None
        self.registered = False

    @property
    def call_id(self) -> str:
        """The Call-ID under which the other side sees the call; '' before there is one."""
        return self._invite.get("call-id") if self._invite else ""

    def take(self) -> list[Datagram]:
        """What is to be sent to the telephone."""
        out, self._to_phone = self._to_phone, []
        return out

    def events(self) -> list[DialogEvent]:
        """What happened to the call since the last time."""
        events, self._events = self._events, []
        return events

    @property
    def wake_at(self) -> float | None:
        """When ``tick`` has something to do (monotonic s)."""
        times = [self._pending.at] if self._pending else []
        if self.dialog is not None and self.dialog.wake_at is not None:
            times.append(self.dialog.wake_at)
        return min(times, default=None)

    def dial(self, now: float) -> None:
        """Let the telephone's call go out, at once or when its INVITE comes."""
        self._dialling = True
        self._place(now)

    def give_up(self, now: float) -> None:
        """End the call in whatever state it is; pyVoIP itself cannot before the answer."""
        self._unwanted = True
        if self.dialog is not None:
            self.dialog.hang_up(now)
            self._relay(now)

    def tick(self, now: float) -> None:
        """Repeat what was not answered, on both sides."""
        if self.dialog is not None:
            self.dialog.tick(now)
            self._relay(now)
        pending = self._pending
        if pending is None or now < pending.at:
            return
        pending.left -= 1
        pending.at = now + _GAP_S
        if pending.left <= 0 or self._phone is None:
            self._pending = None
        else:
            self._to_phone.append((sip.render(pending.message), self._phone))

    def from_phone(self, message: sip.Message, sender: tuple[str, int], now: float) -> None:
        """The telephone sent this."""
        self._phone = sender
        if message.status:
            self._pending = None  # its 200 to our BYE
        elif message.method == "REGISTER":
            self._register(message)
        elif message.method == "INVITE":
            self._called(message, now)
        elif message.method == "ACK":
            self._pending = None
        elif message.method == "BYE":
            self._answer(message, 200, "OK")
            self.give_up(now)
        else:
            self._answer(message, 405, "Method Not Allowed")

    def from_world(self, message: sip.Message, now: float) -> None:
        """The other side sent this; a message of no call of ours is ignored."""
        if self.dialog is not None and message.get("call-id") == self.call_id:
            self.dialog.receive(message, now)
            self._relay(now)

    def _register(self, message: sip.Message) -> None:
        self.registered = True
        answer = sip.reply(message, 200, "OK", self._tag)
        extra = (("contact", message.get("contact")), ("expires", str(EXPIRES_S)))
        self._to_phone_send(sip.Message(status=200, reason="OK", headers=(*answer.headers, *extra)))

    def _called(self, message: sip.Message, now: float) -> None:
        if self._invite is not None:
            if message.get("call-id") != self.call_id:
                self._answer(message, 486, "Busy Here")
            return
        self._invite = message
        self._answer(message, 100, "Trying")
        if self._dialling:
            self._place(now)

    def _place(self, now: float) -> None:
        if self._invite is None or self.dialog is not None or self._unwanted:
            return
        me = Identity(self._caller, self._outer, self.call_id, self._invite.tag("from"))
        self.dialog = Dialog(me, self._target, self._invite.body, patience_s=120.0)
        self.dialog.invite(now)

    def _relay(self, now: float) -> None:
        """Tell the telephone, in words it understands, what the other side did."""
        if self.dialog is None or self._invite is None:
            return
        for event in self.dialog.events():
            self._events.append(event)
            if isinstance(event, Progress):
                self._progress(event)
            elif isinstance(event, Answered):
                self._answered(event, now)
            elif event.cause == "bye":
                self._hang_up_phone(now)
            # A refusal is not passed on: pyVoIP prints a TODO, or resets Python's warning filters.

    def _progress(self, event: Progress) -> None:
        if event.status > 100 and self._invite is not None:
            self._answer(self._invite, 180, "Ringing")

    def _answered(self, event: Answered, now: float) -> None:
        assert self._invite is not None  # noqa: S101  # only a relayed INVITE can be answered
        try:
            body = sdp.render(sdp.parse(event.sdp))
        except sdp.SdpError:
            self.give_up(now)
            return
        answer = sip.reply(self._invite, 200, "OK", self._tag, body, self._contact)
        self._to_phone_send(answer)
        self._pending = _Pending(answer, now + _GAP_S)

    def _hang_up_phone(self, now: float) -> None:
        assert self._invite is not None  # noqa: S101  # as above
        host, port = self._inner
        self._bye_cseq += 1
        branch = f"z9hG4bK{secrets.token_hex(9)}"
        bye = sip.Message(
            method="BYE",
            uri=self._invite.get("contact").strip("<>"),
            headers=(
                ("via", f"SIP/2.0/UDP {host}:{port};branch={branch}"),
                ("max-forwards", "70"),
                ("from", f"{self._invite.get('to')};tag={self._tag}"),
                ("to", self._invite.get("from")),
                ("call-id", self.call_id),
                ("cseq", f"{self._bye_cseq} BYE"),
                ("contact", self._contact),
            ),
        )
        self._to_phone_send(bye)
        self._pending = _Pending(bye, now + _GAP_S)

    @property
    def _contact(self) -> str:
        return f"<sip:{self._inner[0]}:{self._inner[1]}>"

    def _answer(self, request: sip.Message, status: int, reason: str) -> None:
        tag = "" if status == 100 else self._tag
        self._to_phone_send(sip.reply(request, status, reason, tag))

    def _to_phone_send(self, message: sip.Message) -> None:
        if self._phone is not None:
            self._to_phone.append((sip.render(message), self._phone))
