"""A work order's life as the city lives it: allowed steps, deadlines, escalation, repeats.

Which steps there are, and which invariants nobody may configure away, is code
(``handoff.order.life``); from where to where they lead is here, since cities differ.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

State = Literal[
    "受理", "派单", "签收", "办理", "答复", "回访", "办结", "归档", "退单", "争议审核"
]  # fmt: skip
Verb = Literal[
    "dispatch", "sign", "handle", "answer", "visit", "close", "archive",
    "return", "dispute", "decide", "reassign", "redo",
    "extend", "urge", "supervise", "raise", "merge", "unmerge", "note",
]  # fmt: skip
VERBS: Final[dict[str, str]] = {
    "dispatch": "派单", "sign": "签收", "handle": "办理", "answer": "答复", "visit": "回访",
    "close": "办结", "archive": "归档", "return": "退单", "dispute": "提交争议审核",
    "decide": "争议裁定", "reassign": "改派", "redo": "重办", "extend": "延期", "urge": "催办",
    "supervise": "督办", "raise": "提级", "merge": "并单", "unmerge": "拆单", "note": "备注",
}  # fmt: skip
"""What people call the steps."""
STATES: Final[tuple[str, ...]] = (
    "受理", "派单", "签收", "办理", "答复", "回访", "办结", "归档", "退单", "争议审核",
)  # fmt: skip
STAYING: Final[frozenset[str]] = frozenset(
    {"extend", "urge", "supervise", "raise", "merge", "unmerge", "note"}
)
"""Steps after which an order is in the state it was in."""
Urgency = Literal["normal", "urgent", "danger"]
OrderKind = Literal["咨询", "求助", "投诉", "举报", "建议", "表扬", "其他"]
Unreached = Literal["left_out", "unsatisfied", "satisfied"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Span(_Part):
    """A length of time: minutes by the clock, or whole working days; exactly one of the two."""

    minutes: Annotated[int, Field(ge=0, le=60 * 24 * 366)] | None = None
    workdays: Annotated[int, Field(ge=1, le=250)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Span:
        if (self.minutes is None) == (self.workdays is None):
            raise ValueError("give minutes or workdays, one of the two")
        return self


class Move(_Part):
    """One allowed step: ``verb`` leads from any state of ``from`` to ``to`` ('' it stays)."""

    verb: Verb
    from_: tuple[State, ...] = Field(alias="from", min_length=1)
    to: State | Literal[""] = ""

    @model_validator(mode="after")
    def _leads(self) -> Move:
        if (self.verb in STAYING) == bool(self.to):
            what = "leads nowhere: leave out to" if self.to else "to: missing"
            raise ValueError(f"{self.verb}: {what}")
        if self.verb == "sign" and self.from_ != ("派单",):
            raise ValueError("sign: only what was dispatched can be signed")
        return self


class Limit(_Part):
    """Deadlines of the orders that fit; what is left out of a condition fits everything.

    ``dispatch`` and ``answer`` count from acceptance, ``sign`` from dispatch. A deadline that this
    row does not give is taken from the next row that fits.
    """

    urgency: tuple[Urgency, ...] = ()
    kinds: tuple[OrderKind, ...] = ()
    departments: tuple[str, ...] = ()
    dispatch: Span | None = None
    sign: Span | None = None
    answer: Span | None = None


class Return(_Part):
    """退单: within so long after dispatch; ``most`` times, then only 争议审核 decides."""

    within: Span = Span(workdays=2)
    most: Annotated[int, Field(ge=0, le=20)] = 2


class Extension(_Part):
    """延期: so many times, each so many working days at most."""

    most: Annotated[int, Field(ge=0, le=10)] = 1
    workdays: Annotated[int, Field(ge=1, le=250)] = 10


class Escalation(_Part):
    """What the keeper does by itself when signing or answering is so long overdue."""

    late: Literal["sign", "answer"]
    after: Span = Span(minutes=0)
    do: Literal["urge", "supervise", "raise"]


class Repeats(_Part):
    """Repeated requests: within ``days``; the ``raise_at``-th raises the order (提级), 0 never."""

    days: Annotated[int, Field(ge=1, le=3650)] = 30
    raise_at: Annotated[int, Field(ge=0, le=100)] = 3


class Secrecy(_Part):
    """是否保密: the roles that see who reported; whoever has taken the order sees it too."""

    roles: tuple[str, ...] = ("supervisor",)
    own: bool = True


class Calendar(_Part):
    """The city's own days off and make-up days, beside the State Council's; ``day_ends`` is when
    the offices close: a deadline in working days runs until then (民法典 Art. 203).
    """

    days_off: tuple[date, ...] = ()
    working: tuple[date, ...] = ()
    day_ends: time = time(18, 0)


_OPEN: Final = ("受理", "派单", "签收", "办理", "退单", "争议审核")
_LIVE: Final = (*_OPEN, "答复", "回访")


def _moves() -> tuple[Move, ...]:
    table: tuple[tuple[str, tuple[str, ...], str], ...] = (
        ("dispatch", ("受理", "退单"), "派单"),
        ("sign", ("派单",), "签收"),
        ("handle", ("签收",), "办理"),
        ("answer", ("受理", "签收", "办理"), "答复"),
        ("visit", ("答复", "回访"), "回访"),
        ("close", ("答复", "回访"), "办结"),
        ("archive", ("办结",), "归档"),
        ("return", ("派单", "签收"), "退单"),
        ("dispute", ("派单", "签收", "退单"), "争议审核"),
        ("decide", ("争议审核",), "派单"),
        ("reassign", ("派单", "签收", "办理", "退单"), "派单"),
        ("redo", ("答复", "回访", "办结"), "派单"),
        ("extend", ("签收", "办理"), ""),
        ("urge", _OPEN, ""),
        ("supervise", _LIVE, ""),
        ("raise", _LIVE, ""),
        ("merge", _LIVE, ""),
        ("unmerge", _LIVE, ""),
        ("note", STATES, ""),
    )
    return tuple(Move.model_validate({"verb": v, "from": f, "to": t}) for v, f, t in table)


class OrderRules(_Part):
    """``orders.yaml``: everything about an order's life that differs by city.

    ``visit_before_close``: 办结 only after 回访, for orders whose citizen wants one; some cities
    close first. ``levels`` names who takes a raised order on, from the first level. ``redo_most``:
    what is unsolved may be closed only after it was done again so often. ``unreached``: how a
    citizen who could not be reached counts in the three rates.
    """

    timezone: str = "Asia/Shanghai"
    moves: tuple[Move, ...] = Field(default_factory=_moves, min_length=1)
    visit_before_close: bool = True
    redo_most: Annotated[int, Field(ge=0, le=10)] = 2
    levels: tuple[str, ...] = Field(default=("部门负责人", "分管领导", "主要领导"), min_length=1)
    calendar: Calendar = Calendar()
    limits: tuple[Limit, ...] = (
        Limit(urgency=("danger",), dispatch=Span(minutes=5), sign=Span(minutes=15),
              answer=Span(workdays=1)),
        Limit(urgency=("urgent",), dispatch=Span(minutes=120), sign=Span(minutes=30),
              answer=Span(workdays=2)),
        Limit(dispatch=Span(minutes=1440), sign=Span(workdays=1), answer=Span(workdays=5)),
    )  # fmt: skip
    returns: Return = Field(default=Return(), alias="return")
    extension: Extension = Extension()
    escalation: tuple[Escalation, ...] = (
        Escalation(late="sign", do="urge"),
        Escalation(late="answer", do="supervise"),
        Escalation(late="answer", after=Span(workdays=2), do="raise"),
    )
    repeats: Repeats = Repeats()
    secrecy: Secrecy = Secrecy()
    unreached: Unreached = "left_out"

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)

    def leads(self, verb: str, state: str) -> str | None:
        """Where ``verb`` leads from ``state`` (``state`` itself where it stays); None: nowhere."""
        for move in self.moves:
            if move.verb == verb and state in move.from_:
                return move.to or state
        return None

    def may_see_caller(self, *, secret: bool, roles: tuple[str, ...], own: bool = False) -> bool:
        """Whether somebody of ``roles`` may see who reported; ``own``: the order is theirs."""
        return not secret or (own and self.secrecy.own) or bool({*roles} & {*self.secrecy.roles})

    @model_validator(mode="after")
    def _whole(self) -> OrderRules:
        seen: set[tuple[str, str]] = set()
        for move in self.moves:
            for state in move.from_:
                if (move.verb, state) in seen:
                    raise ValueError(f"moves: {move.verb} from {state}: given twice")
                seen.add((move.verb, state))
        verbs = {move.verb for move in self.moves}
        lost = [verb for verb in ("dispatch", "sign", "answer", "close") if verb not in verbs]
        if lost:
            raise ValueError(f"moves: {lost[0]} is missing: no order could ever be closed")
        return self
