"""The session timer of one leg: refreshed by us or by the other side, else the call is over."""

from __future__ import annotations

from telephony.sip.error import SipError
from telephony.sip.message import Header, Message, Request, Response
from telephony.sip.reinvite import DEAD, Reinvites
from telephony.sip.session_timer import SessionTimer, agreed, answered, asking, read_min_se
from telephony.sip.within import Within

AGAIN_S = 10.0
_UNKNOWN = (405, 501)


class SessionRefresh:
    """Refreshes by UPDATE if the other side allows it (nothing to renegotiate), else re-INVITE."""

    def __init__(self, within: Within, reinvites: Reinvites) -> None:
        self._within = within
        self._leg = within.leg
        self._reinvites = reinvites
        self._least_s = 0
        self._updates = False
        self._timer = SessionTimer(
            self._leg.core.clock, lambda: within.spawn(self._refresh()), self._expire
        )

    def learn(self, message: Message) -> None:
        """What the other side allows, from its INVITE or the 2xx to ours."""
        self._updates = "UPDATE" in message.all("allow")

    def check(self, invite: Request) -> None:
        """The INVITE of a new call. Raises ``SipError`` as ``accept`` would."""
        answered(invite, self._leg.core.settings.session_expires_s)
        self.learn(invite)

    def accept(self, request: Request) -> list[Header]:
        """The other side opens or refreshes the session; what our 2xx says.

        Raises ``SipError``, among it ``TooSmallError``.
        """
        terms, headers = answered(request, self._leg.core.settings.session_expires_s)
        self._timer.restart(terms)
        return headers

    def invitation(self) -> list[Header]:
        """Of an INVITE of ours."""
        return asking(self._leg.core.settings.session_expires_s, self._least_s)

    def retries(self, refusal: Response) -> bool:
        """Whether our INVITE, refused with 422, is worth sending with a longer interval."""
        return self._raise_least(refusal)

    def accepted(self, ok: Response) -> None:
        """The other side took our INVITE or refresh."""
        self._timer.restart(agreed(ok))

    def headers(self) -> list[Header]:
        """Of a request of ours within the dialog: who refreshes stays who it is."""
        terms = self._timer.terms
        if terms is None:
            return asking(0)
        return asking(terms.interval_s, self._least_s, "uac" if terms.ours else "uas")

    def stop(self) -> None:
        """The call is over."""
        self._timer.stop()

    def _expire(self) -> None:
        self._leg.core.counters["sip_session_expired"] += 1
        self._leg.bye("error")

    async def _refresh(self) -> None:
        """Until it is refreshed; if it never is, the timer ends the call."""
        while True:
            response = await self._ask()
            if response is not None and response.status < 300:
                self.accepted(response)
                return
            if response is None or response.status in DEAD:
                self._leg.bye("error", response.status if response else 0)
                return
            if not self._learns_from(response):
                await self._within.pause(AGAIN_S)

    def _learns_from(self, refusal: Response) -> bool:
        """Whether it is worth asking again at once, in another way."""
        if refusal.status == 422:
            return self._raise_least(refusal)
        if refusal.status in _UNKNOWN and self._updates:
            self._updates = False
            return True
        return False

    def _raise_least(self, refusal: Response) -> bool:
        before = self._least_s
        try:
            self._least_s = max(before, read_min_se(refusal))
        except SipError:
            return False
        return self._least_s > before

    async def _ask(self) -> Response | None:
        if self._updates:
            return await self._within.ask("UPDATE", self._leg.offering_headers())
        return await self._reinvites.refresh()
