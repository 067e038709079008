"""``qianmen orders``: find work orders, read one, and take a step; each reading is audited."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from config.orders import STATES, VERBS
from qianmen.commands.shared import Json, installation, opened
from qianmen.console import print_json, show

if TYPE_CHECKING:  # seconds that other commands should not pay
    from sqlalchemy import Engine

    from config.city import City
    from handoff.order.listing import Listed, Shown

orders = typer.Typer(
    help="工单：查找、查看、办理。", no_args_is_help=True, pretty_exceptions_enable=False
)

_URGENCY = {"normal": "一般", "urgent": "加急", "danger": "紧急"}
_ACTORS = {"bot": "智能助手", "citizen": "市民", "system": "系统"}
_SCORES = {"满意": "satisfied", "基本满意": "fair", "不满意": "dissatisfied"}
Number = Annotated[str, typer.Argument(metavar="工单号")]
By = Annotated[str, typer.Option("--by", help="谁来做，记在操作记录里；不写就是系统账户名。")]


@dataclass(frozen=True, slots=True)
class _Told:
    """What an order is told with: the moment, the staff's names by login, the classes' by code."""

    zone: ZoneInfo
    now: datetime
    names: Mapping[str, str]
    classes: Mapping[str, str]

    def value(self, name: str, value: str) -> str:
        """A field's value as people read it."""
        if name == "code" and value in self.classes:
            return f"{value} {self.classes[value]}"
        return _URGENCY.get(value, value) if name == "urgency" else value

    def who(self, login: str) -> str:
        """Somebody of the staff by name; the bot and the system in words; else as it stands."""
        return self.names.get(login) or _ACTORS.get(login, login)


@dataclass(frozen=True, slots=True)
class _Desk:
    engine: Engine
    city: City
    key: str
    now: datetime
    actor: str

    def note(self, action: str, number: str, **data: Any) -> None:
        from store import audit
        from store.engine import writing

        with writing(self.engine) as session:
            audit.write(session, self.key, at=self.now, actor=self.actor, action=action,
                        target=number, data=data)  # fmt: skip


@orders.command("list")
def list_(
    state: Annotated[list[str], typer.Option("--state", help="状态，如 受理；可以给多次。")] = [],  # noqa: B006  # typer wants the plain default
    urgency: Annotated[str, typer.Option("--urgency", help="normal、urgent 或 danger。")] = "",
    mine: Annotated[str, typer.Option("--mine", metavar="LOGIN", help="这个人的工单。")] = "",
    due: Annotated[float | None, typer.Option("--due", min=0, help="几天之内到期的。")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="已经超时的。")] = False,
    number: Annotated[str, typer.Option("--number", help="工单号的开头，如 20261120。")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="最多列几件。")] = 50,
    json: Json = False,
) -> None:
    """列出工单：紧急的在前，再按期限。"""
    from handoff.order.listing import Wanted, listed
    from handoff.staff import list_staff

    for name in state:
        _known("状态", name, STATES)
    if urgency:
        _known("紧急程度", urgency, tuple(_URGENCY))
    with _doing("") as desk:
        due_by = desk.now + timedelta(days=due) if due is not None else None
        wanted = Wanted(tuple(state), urgency, mine, number, due_by, overdue, limit=limit)
        found = listed(desk.engine, wanted, desk.now)
        desk.note("orders_listed", "", orders=len(found))
        names = {person.login: person.profile.name for person in list_staff(desk.engine)}
        zone, now = desk.city.zone, desk.now
    if json:
        print_json([_document(one, now) for one in found])
        return
    for one in found:
        show(_row(one, now, zone, names))
    if not found:
        show("没有这样的工单。")


@orders.command("show")
def show_(
    number: Number,
    caller: Annotated[bool, typer.Option("--caller", help="连姓名电话一起看。")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """看一件工单：内容、经过、现在能做什么。"""
    from handoff.order.life import may
    from handoff.order.listing import shown
    from handoff.order.model import OrderError
    from handoff.staff import list_staff

    with _doing(by) as desk:
        found = shown(desk.engine, number, caller=caller)
        if found is None:
            raise OrderError("order_unknown", f"没有工单 {number[:20]}")
        desk.note("order_viewed", number, caller=caller)
        verbs = may(found.listed.order, desk.city.orders, desk.now)
        names = {person.login: person.profile.name for person in list_staff(desk.engine)}
        classes = {leaf.code: leaf.name for leaf in desk.city.classes.leaves()}
        told = _Told(desk.city.zone, desk.now, names, classes)
    if json:
        print_json(_whole(found, verbs, told.now))
    else:
        _tell(found, verbs, told)


@orders.command("do")
def do_(
    number: Number,
    verb: Annotated[str, typer.Argument(metavar="步骤", help=f"{'、'.join(VERBS.values())}。")],
    why: Annotated[str, typer.Option("--why", help="理由、答复或备注的文字。")] = "",
    department: Annotated[str, typer.Option("--department", help="主办单位。")] = "",
    with_: Annotated[list[str], typer.Option("--with", help="协办单位，可以给多次。")] = [],  # noqa: B006  # as above
    days: Annotated[int, typer.Option("--days", min=0, help="延期几个工作日。")] = 0,
    into: Annotated[str, typer.Option("--into", help="并入哪一件工单。")] = "",
    reached: Annotated[
        bool | None, typer.Option("--reached/--unreached", help="回访是否联系上。")
    ] = None,
    solved: Annotated[
        bool | None, typer.Option("--solved/--unsolved", help="回访说是否解决。")
    ] = None,
    score: Annotated[str, typer.Option("--score", help=f"{'、'.join(_SCORES)}。")] = "",
    edition: Annotated[
        int | None, typer.Option("--edition", help="只在还是这一版时才做，别人改过就不做。")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """走一步；不合规矩的步骤会说明为什么，退出码 1。"""
    from handoff.order import deeds
    from store import audit
    from store.engine import writing

    step = _verb(verb)
    if score:
        _known("满意度", score, (*_SCORES, *_SCORES.values()))
    with _doing(by) as desk, writing(desk.engine) as session:
        after = deeds.do_in(
            session, number, step, by=desk.actor, now=desk.now, rules=desk.city.orders,
            edition=edition, text=why, department=department, departments=tuple(with_),
            workdays=days, into=into, reached=reached, solved=solved,
            score=_SCORES.get(score, score),
        )  # fmt: skip
        audit.write(session, desk.key, at=desk.now, actor=desk.actor, action="order_step",
                    target=number, data={"step": step, "state": after.state})  # fmt: skip
    if json:
        print_json({"number": number, "state": after.state, "edition": after.edition})
    else:
        show(f"✔ {VERBS[step]}：{number} 现在是“{after.state}”")


@contextmanager
def _doing(by: str) -> Iterator[_Desk]:
    from config.city import load_city
    from config.secret import secret_key

    settings = installation()
    city = load_city(settings.city)
    with opened(settings) as engine:
        yield _Desk(engine, city, secret_key(settings), datetime.now(UTC),
                    f"cli:{by or getpass.getuser()}")  # fmt: skip


def _verb(told: str) -> str:
    if told in VERBS:
        return told
    known = {label: verb for verb, label in VERBS.items()}
    _known("步骤", told, tuple(known))
    return known[told]


def _known(label: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise typer.BadParameter(f"{label}没有“{value}”，可以是 {'、'.join(known)}")


def _row(one: Listed, now: datetime, zone: Any, names: Mapping[str, str]) -> str:
    order = one.order
    due = f"{order.due.astimezone(zone):%m-%d %H:%M}" if order.due else ""
    late = "超时" if order.overdue(now) else ""
    return "  ".join(
        part
        for part in (
            order.number, order.state, _URGENCY.get(order.urgency, order.urgency), order.kind,
            order.department, f"期限 {due}" if due else "", late,
            names.get(order.agent, order.agent), one.title,
        )
        if part
    )  # fmt: skip


def _document(one: Listed, now: datetime) -> dict[str, Any]:
    order = one.order
    return {
        "number": order.number, "state": order.state, "urgency": order.urgency,
        "kind": order.kind, "title": one.title, "department": order.department,
        "departments": list(order.departments), "secret": order.secret, "agent": order.agent,
        "created_at": order.created_at.isoformat(),
        "sign_by": order.sign_by.isoformat() if order.sign_by else None,
        "due": order.due.isoformat() if order.due else None,
        "overdue": order.overdue(now), "urged": order.urged, "level": order.level,
        "redone": order.redone, "repeat_count": order.repeat_count, "edition": order.edition,
    }  # fmt: skip


def _whole(found: Shown, verbs: tuple[str, ...], now: datetime) -> dict[str, Any]:
    return {
        **_document(found.listed, now), "summary": found.summary,
        "channel": found.channel, "line": found.line, "main": found.main,
        "merged": list(found.merged), "repeats": found.repeats, "may": list(verbs),
        "fields": [
            {"name": name, "value": value, "rule": rule, "confirmed_by": confirmed}
            for name, value, rule, confirmed in found.fields
        ],
        "events": [
            {"at": event.at.isoformat(), "by": event.by, "event": event.verb,
             "from": event.from_state, "to": event.to_state, "text": event.text,
             "data": event.data}
            for event in found.events
        ],
    }  # fmt: skip


def _tell(found: Shown, verbs: tuple[str, ...], told: _Told) -> None:
    from handoff.labels import field

    show(_row(found.listed, told.now, told.zone, told.names))
    if found.summary:
        show(f"  摘要：{found.summary}")
    for label, value in (("主单", found.main), ("并入的", "、".join(found.merged)),
                         ("重复于", found.repeats)):  # fmt: skip
        if value:
            show(f"  {label}：{value}")
    for name, value, _, confirmed in found.fields:
        if name not in ("title", "summary"):
            show(f"  {field(name)}：{told.value(name, value)}{'  ✔' if confirmed else ''}")
    for event in found.events:
        label = VERBS.get(event.verb, event.verb)
        state = f" → {event.to_state}" if event.to_state != event.from_state else ""
        text = f"：{event.text}" if event.text else ""
        at = f"{event.at.astimezone(told.zone):%m-%d %H:%M}"
        show(f"  {at}  {told.who(event.by)}  {label}{state}{text}")
    show(f"  现在可以：{'、'.join(VERBS[verb] for verb in verbs)}")
