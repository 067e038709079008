"""Calls as Rasa makes them, and a small knowledge, for tests of the actions without Rasa."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from bot.actions.calls import FIELDS, read_call
from bot.actions.dialogue import Dialogue
from bot.actions.outcome import Result
from config.city import City
from knowledge.matters import MatterEntry, PublishedAnswer
from knowledge.search import Search
from turns import wire
from turns.context import Context
from turns.orders import OrderDraft, WrittenOrder
from turns.replies import Ask, Say
from turns.understood import Outcome


def published() -> Search:
    """Two matters with two answers each."""
    matters = (
        MatterEntry("gjj.rent", "租房提取公积金", "住房公积金管理中心", "12329",
                    ("租房提取",), ("租房子提公积金", "租房住取公积金", "公积金付房租")),
        MatterEntry("ss.card", "社会保障卡申领", "人力资源和社会保障局", "12333",
                    ("社保卡",), ("办社保卡", "领社保卡")),
    )  # fmt: skip
    answers = [
        answer("gjj.rent", "租房提取公积金", "条件", "连续缴存满三个月可以提取。"),
        answer("gjj.rent", "租房提取公积金", "材料", "带身份证和银行卡。"),
        answer("ss.card", "社会保障卡申领", "材料", "带身份证。"),
        answer("ss.card", "社会保障卡申领", "地点", "到社保卡服务网点。"),
    ]
    return Search.build(matters, answers)


def answer(matter: str, name: str, aspect: str, text: str) -> PublishedAnswer:
    """A published answer for the whole city."""
    return PublishedAnswer(
        id=f"{matter}:{aspect}:city", matter=matter, matter_name=name, aspect=aspect, region="city",
        text=text, speech="", source="示例规定第一条", valid_from=date(2026, 1, 1), valid_to=None,
        version=1, sample=True,
    )  # fmt: skip


@dataclass
class Orders:
    """Where orders land; each key is written once."""

    drafts: dict[str, OrderDraft] = field(default_factory=dict)
    at: datetime = datetime(2026, 11, 20, 4, tzinfo=UTC)

    async def write(self, draft: OrderDraft) -> WrittenOrder:
        """Remember ``draft``."""
        repeated = draft.key in self.drafts
        self.drafts.setdefault(draft.key, draft)
        return WrittenOrder("o1", f"2026112000{len(self.drafts):03}", self.at, repeated)


@dataclass
class Conversation:
    """Plays Rasa's part: keeps the slots, runs the form's loop, one citizen turn at a time."""

    city: City
    search: Search
    now: datetime
    orders: Orders = field(default_factory=Orders)
    channel: str = "web"
    caller: str = ""
    slots: dict[str, Any] = field(default_factory=dict)
    active: bool = False
    context: Context = field(default_factory=Context)
    last: list[dict[str, Any]] = field(default_factory=list)
    turns: int = 0

    async def say(self, text: str, act: str, confidence: float = 0.9) -> Outcome:
        """One turn, as Rasa would run it: every action until one listens; one outcome."""
        self.turns += 1
        outcomes: list[Outcome] = []
        action = "validate_complaint_form" if self.active else "action_turn"
        while action:
            result = await self.run(action, text, act, confidence)
            if result.outcome:
                outcomes.append(result.outcome)
            action = self._after(action, result)
        assert len(outcomes) == 1, "exactly one outcome a turn"
        self.context = outcomes[0].context
        self.last = [wire.dump(reply) for reply in outcomes[0].replies]
        return outcomes[0]

    async def run(self, action: str, text: str, act: str, confidence: float) -> Result:
        """One action, over the wire format."""

        async def knowledge() -> Search:
            return self.search

        dialogue = Dialogue(self.city, knowledge, self.orders.write)
        result = await dialogue.run(read_call(self.body(action, text, act, confidence)))
        wired = result.dump()
        for event in wired["events"]:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
        return result

    def body(self, action: str, text: str, act: str, confidence: float = 0.9) -> dict[str, Any]:
        """What Rasa posts."""
        return {
            "next_action": action,
            "sender_id": "c1",
            "version": "3.6.21",
            "tracker": {
                "sender_id": "c1",
                "slots": {**dict.fromkeys(FIELDS), **self.slots},
                "latest_message": {
                    "text": text,
                    "intent": {"name": act, "confidence": confidence},
                    "entities": [],
                    "metadata": {
                        "heard": f"h{self.turns}", "at": self.now.isoformat(), "confidence": 0.8,
                        "channel": self.channel, "line": "12345", "caller": self.caller,
                        "context": wire.dump(self.context), "last_replies": self.last,
                    },
                },
                "events": None,
                "active_loop": {"name": "complaint_form"} if self.active else {},
            },
        }  # fmt: skip

    def _after(self, action: str, result: Result) -> str:
        if result.next_action:
            assert result.next_action == "complaint_form"
            self.active = True
            return "validate_complaint_form"
        if action == "validate_complaint_form" and self.slots["requested_slot"] is None:
            self.active = False
            return "action_close_form"
        return ""


def told(outcome: Outcome) -> str:
    """All that is said, joined."""
    return "\n".join(reply.text for reply in outcome.replies if isinstance(reply, Say | Ask))


def values(outcome: Outcome) -> dict[str, str]:
    """The form's fields as they stand."""
    return {item.name: item.value for item in outcome.understood.slots}
