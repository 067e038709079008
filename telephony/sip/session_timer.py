"""Session timers (RFC 4028): a call that nobody refreshes is over."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from telephony.sip.error import SipError
from telephony.sip.message import Header, Message, Request
from telephony.sip.timers import Cancellable, Clock

Refresher = Literal["uac", "uas"]

MIN_SE_S = 90
"""The least interval that RFC 4028 §5 allows, and the least that we take."""
MAX_SE_S = 86_400
SUPPORTED: Header = ("Supported", "timer")
_DELTA = re.compile(r"([0-9]{1,10})\s*(?:;(.*))?", re.DOTALL)
_REFRESHER = re.compile(r"\s*refresher\s*=\s*(uac|uas)\s*", re.IGNORECASE)


class TooSmallError(SipError):
    """The other side wants to be asked more often than we will: 422 with our Min-SE."""

    def __init__(self) -> None:
        super().__init__("session_interval", "session interval too small", 422)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed: ``interval_s``, and whether we are the one who refreshes."""

    interval_s: int
    ours: bool

    @property
    def refresh_s(self) -> float:
        """When to refresh (RFC 4028 §10: half the interval)."""
        return self.interval_s / 2

    @property
    def expiry_s(self) -> float:
        """When the call is over without a refresh (RFC 4028 §10)."""
        return self.interval_s - min(32.0, self.interval_s / 3)


def read_expires(message: Message) -> tuple[int, Refresher | None] | None:
    """Session-Expires: seconds and refresher. Raises ``SipError("session_expires")``."""
    text = message.first("session-expires")
    if not text:
        return None
    seconds, params = _delta(text)
    for param in params.split(";"):
        match = _REFRESHER.fullmatch(param)
        if match:
            return seconds, "uac" if match[1].lower() == "uac" else "uas"
    return seconds, None


def read_min_se(message: Message) -> int:
    """Min-SE, s; 0 if absent. Raises ``SipError("session_expires")``."""
    text = message.first("min-se")
    return _delta(text)[0] if text else 0


def _delta(text: str) -> tuple[int, str]:
    match = _DELTA.fullmatch(text.strip())
    if match is None:
        raise SipError("session_expires", "malformed session interval")
    return int(match[1]), match[2] or ""


def supports_timer(message: Message) -> bool:
    """Whether the sender knows session timers."""
    return any(tag.lower() == "timer" for tag in message.all("supported"))


def answered(request: Request, wanted_s: int) -> tuple[Terms | None, list[Header]]:
    """As user agent server (RFC 4028 §9): the terms, and what our 2xx says about them.

    ``wanted_s``: the interval that we ask for where the other side asks for none but could; 0
    for none. Raises ``TooSmallError``, ``SipError("session_expires")``.
    """
    asked, least_s, able = read_expires(request), read_min_se(request), supports_timer(request)
    if asked is None:
        if not able or not wanted_s:
            return None, []
        terms = Terms(max(wanted_s, least_s), ours=True)
        return terms, [_expires(terms.interval_s, "uas"), SUPPORTED]
    if asked[0] < MIN_SE_S and able:
        raise TooSmallError
    interval_s = min(max(asked[0], MIN_SE_S), max(MAX_SE_S, least_s))
    # Who does not know session timers cannot refresh (RFC 4028 §9, table 2).
    refresher: Refresher = (asked[1] or "uac") if able else "uas"
    require = [("Require", "timer")] if refresher == "uac" else []
    headers = [*require, _expires(interval_s, refresher), SUPPORTED]
    return Terms(interval_s, ours=refresher == "uas"), headers


def asking(interval_s: int, least_s: int = 0, refresher: Refresher | None = None) -> list[Header]:
    """As user agent client (RFC 4028 §7): the headers of an INVITE or UPDATE of ours."""
    if not interval_s:
        return [SUPPORTED]
    least = [("Min-SE", str(least_s))] if least_s > MIN_SE_S else []
    return [SUPPORTED, _expires(max(interval_s, least_s), refresher), *least]


def agreed(ok: Message) -> Terms | None:
    """As user agent client: what the 2xx to our request says; none: no timer runs.

    One that cannot be read counts as none.
    """
    try:
        found = read_expires(ok)
    except SipError:
        return None
    if found is None:
        return None
    return Terms(min(max(found[0], MIN_SE_S), MAX_SE_S), ours=found[1] != "uas")


def _expires(interval_s: int, refresher: Refresher | None) -> Header:
    chosen = f";refresher={refresher}" if refresher else ""
    return "Session-Expires", f"{interval_s}{chosen}"


class SessionTimer:
    """Runs on ``terms`` until they change: ``refresh`` is called when it is our turn to show
    that we are there, ``expire`` when neither side did.
    """

    def __init__(
        self, clock: Clock, refresh: Callable[[], object], expire: Callable[[], object]
    ) -> None:
        self.terms: Terms | None = None
        self._clock = clock
        self._refresh = refresh
        self._expire = expire
        self._timers: list[Cancellable] = []

    def restart(self, terms: Terms | None) -> None:
        """The session was agreed on or refreshed, now; ``None``: it never expires."""
        self.stop()
        self.terms = terms
        if terms is None:
            return
        self._timers.append(self._clock.call_later(terms.expiry_s, self._expire))
        if terms.ours:
            self._timers.append(self._clock.call_later(terms.refresh_s, self._refresh))

    def stop(self) -> None:
        """No more."""
        self.terms = None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
