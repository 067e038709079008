"""Who follows the account, what each may still be sent, and what each has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qianmen.wechatsim.allowance import Allowance, Rules
from qianmen.wechatsim.codes import Refusal
from qianmen.wechatsim.view import Seen

TYPING_S = 15
TYPING_AFTER_S = 30


@dataclass
class Citizen:
    """One follower. ``takes``: the templates that they subscribed to."""

    openid: str
    subscribed: bool = True
    allowance: Allowance = field(default_factory=Allowance)
    seen: list[Seen] = field(default_factory=list)
    takes: set[str] = field(default_factory=set)
    spoke_at: float = 0.0
    typing_until: float = 0.0

    def says(self, message: Mapping[str, Any], now: float, rules: Rules) -> None:
        """A message or an event of theirs reached the platform."""
        self.allowance = self.allowance.after(message, now, rules)
        if message["MsgType"] != "event":
            self.spoke_at = now
            self.seen.append(Seen(now, "citizen", str(message["MsgType"]), said(message)))
        elif message["Event"] in ("subscribe", "unsubscribe"):
            self.subscribed = message["Event"] == "subscribe"
        elif message["Event"] in ("CLICK", "SCAN"):
            shown = f"［{message['Event']} {message['EventKey']}］"
            self.seen.append(Seen(now, "citizen", "event", shown))

    def types(self, command: object, now: float) -> None:
        """The account shows that it writes; raises :class:`Refusal` 45072, 45080, 45081."""
        if command == "CancelTyping":
            self.typing_until = 0.0
        elif command != "Typing":
            raise Refusal(45072)
        elif now - self.spoke_at > TYPING_AFTER_S:
            raise Refusal(45080)
        elif now < self.typing_until:
            raise Refusal(45081)
        else:
            self.typing_until = now + TYPING_S


def said(message: Mapping[str, Any]) -> str:
    """A citizen's message as their own phone shows it."""
    kind = message["MsgType"]
    if kind == "text":
        return str(message["Content"])
    if kind == "location":
        return f"［位置］{message['Label']}"
    if kind == "link":
        return f"［链接］{message['Title']}"
    names = {"image": "图片", "voice": "语音", "video": "视频", "shortvideo": "视频"}
    return f"［{names.get(str(kind), str(kind))}］"
