"""How many customer-service messages a citizen may still be sent, with time passed in. Pure.

The platform's rule (客服消息, 下发条数限制): after a message of the user's, 5 within 48 hours (20
until 2023); after a click on the account's menu, a follow or a scan, 3 within one minute. Which of
two open allowances a message is taken from it does not say, so each message is taken from both:
what is left here is never more than what is left there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Deed = Literal["message", "click", "subscribe", "scan"]
"""What a citizen did: wrote or spoke; clicked the menu, or an option of a ``msgmenu``; followed the
account; scanned one of its codes."""
EARLIER = timedelta(seconds=60)
"""The long window is taken to end so much before it does: their clock is not ours."""
EARLIER_CLICK = timedelta(seconds=3)
"""The same for the minute after a click; what is sent must have arrived by its end."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``message``: how many after each message within ``window``; ``click``: after the rest."""

    message: int = 5
    click: int = 3
    window: timedelta = timedelta(hours=48)
    click_window: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left: ``left`` until ``window_until``, ``click_left`` until ``click_until``."""

    window_until: datetime | None = None
    left: int = 0
    click_until: datetime | None = None
    click_left: int = 0

    def available(self, now: datetime) -> int:
        """How many messages may be sent at ``now``."""
        return max(self._in_window(now), self._after_click(now))

    def lasting(self, now: datetime) -> int:
        """How many of them may still be sent in an hour: those that no click's minute ends."""
        return self._in_window(now)

    def usable_until(self, now: datetime) -> datetime | None:
        """Until when anything may be sent as things stand; None where nothing may be."""
        ends = []
        if self._in_window(now) and self.window_until:
            ends.append(self.window_until - EARLIER)
        if self._after_click(now) and self.click_until:
            ends.append(self.click_until - EARLIER_CLICK)
        return max(ends, default=None)

    def _in_window(self, now: datetime) -> int:
        open_ = self.window_until is not None and now < self.window_until - EARLIER
        return max(self.left, 0) if open_ else 0

    def _after_click(self, now: datetime) -> int:
        open_ = self.click_until is not None and now < self.click_until - EARLIER_CLICK
        return max(self.click_left, 0) if open_ else 0


def granted(
    quota: Quota, deed: Deed, at: datetime, now: datetime, rules: Rules, *, fresh: bool = False
) -> Quota:
    """After a deed of the citizen's at ``at`` by the platform's clock; nothing is ever taken away.

    A deed that is told late (a retry, a queue) opens no longer a window than one told in time.
    ``fresh``: it is told for the first time; two in one second have the same ``at``.
    """
    since = min(at, now)
    if deed == "message":
        until = since + rules.window
        if _is_later(quota.window_until, until, fresh=fresh):
            return quota  # told out of order: a later one has been counted
        return replace(quota, window_until=until, left=rules.message)
    until = since + rules.click_window
    if _is_later(quota.click_until, until, fresh=fresh):
        return quota
    return replace(quota, click_until=until, click_left=rules.click)


def _is_later(known: datetime | None, until: datetime, *, fresh: bool) -> bool:
    return known is not None and (known > until or (known == until and not fresh))


def spent(quota: Quota, messages: int = 1) -> Quota:
    """After ``messages`` were sent, or may have been."""
    return replace(
        quota,
        left=max(quota.left - messages, 0),
        click_left=max(quota.click_left - messages, 0),
    )


def given_back(quota: Quota, before: Quota) -> Quota:
    """A message that was counted (``before`` is what was left then) has certainly not been sent.

    Where the citizen did something since, the new allowance stands as it is.
    """
    if quota.window_until == before.window_until:
        quota = replace(quota, left=min(quota.left + 1, before.left))
    if quota.click_until == before.click_until:
        quota = replace(quota, click_left=min(quota.click_left + 1, before.click_left))
    return quota


def exhausted(quota: Quota) -> Quota:
    """The platform says that there were too many (45047): nothing before the next deed."""
    return replace(quota, left=0, click_left=0)


def closed(quota: Quota, now: datetime) -> Quota:
    """The platform says that the window is over (45015)."""
    return replace(exhausted(quota), window_until=_earlier(quota.window_until, now),
                   click_until=_earlier(quota.click_until, now))  # fmt: skip


def _earlier(until: datetime | None, now: datetime) -> datetime | None:
    return None if until is None else min(until, now)
