"""How many messages an account may still send to a citizen, and until when. Pure.

Five within 48 hours of a message of theirs; three within a minute of a tap on the account's menu or
on a line of a menu message, of following, of a scan. A tap on a menu message gives no allowance of
a message. Allowances are not added up: what is sent counts against all that are open.

https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Messages.html
How several open at once count is not documented for Official Accounts; that they do not add up is
WeChat's rule for mini programs, and the stricter reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from qianmen.wechatsim.codes import Refusal

WINDOW_S = 48 * 3600
CLICK_S = 60
Scene = Literal["message", "click", ""]


@dataclass(frozen=True, slots=True)
class Rules:
    """The platform's numbers; ``quota`` was 20 until 2023."""

    quota: int = 5
    click_quota: int = 3
    window_s: float = WINDOW_S
    click_s: float = CLICK_S


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of each; moments in seconds of the epoch."""

    until: float = 0.0
    left: int = 0
    click_until: float = 0.0
    click_left: int = 0

    def after(self, message: Mapping[str, Any], now: float, rules: Rules) -> Allowance:
        """What the citizen's message or event opens."""
        scene = scene_of(message)
        if scene == "message":
            return replace(self, until=now + rules.window_s, left=rules.quota)
        if scene == "click":
            return replace(self, click_until=now + rules.click_s, click_left=rules.click_quota)
        return self

    def spent(self, now: float) -> Allowance:
        """One message less; raises :class:`Refusal` 45015 (too late), 45047 (too many)."""
        open_, click = now < self.until, now < self.click_until
        if not (open_ or click):
            raise Refusal(45015)
        if not ((open_ and self.left > 0) or (click and self.click_left > 0)):
            raise Refusal(45047)
        return replace(self, left=max(self.left - open_, 0),
                       click_left=max(self.click_left - click, 0))  # fmt: skip


def scene_of(message: Mapping[str, Any]) -> Scene:
    """Which allowance a message or event opens; '' for those that open none."""
    if message["MsgType"] != "event":
        return "click" if "bizmsgmenuid" in message else "message"
    return "click" if message["Event"] in ("CLICK", "subscribe", "SCAN") else ""
