"""The demonstration: a call and a chat that end with a work order, on the real parts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, select

from config.settings import ROOT, Settings
from handoff import labels
from qianmen.advice import told
from qianmen.citizen.call import Patience, place_call
from qianmen.citizen.chat import hold_chat
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.report import CallReport, ChatReport, SaidTurn
from qianmen.console import say, show
from qianmen.status import status
from qianmen.up import READY_S, front_door, say_places, welcome
from store.engine import open_store, reading
from store.tables import Conversation, WorkOrder, WorkOrderField

T = TypeVar("T")
_WHO = {"citizen": "市民", "bot": "前门", "agent": "坐席", "system": "系统"}

# None of these sentences stands in what Rasa or the starter model were trained with (a test).
CALL_SAYS = (
    "我租房子住，能不能把公积金取出来",
    "那要带什么材料",
    "我要反映个事儿，楼下烧烤摊油烟特别呛人",
    "在建业小区九号楼三单元门口",
    "从上个礼拜开始天天晚上都这样",
    "给我转个真人吧，我跟人说",
)
CHAT_SAYS = (
    "我租房子住，能不能把公积金取出来？",
    "那要带什么材料",
    "我要反映个事儿，楼下烧烤摊油烟特别呛人",
    "在建业小区9号楼3单元门口",
    "从上个礼拜开始天天晚上都这样",
    "我的电话是13800138000",
    "给我转个真人吧，我跟人说",
)
CALLER = "13900139000"
LOOK_S = 1.0
PASSWORD_HINT = (
    "  管理员 admin 的初始密码：第一次启动时在“已经开门”下面显示过；"  # noqa: S105  # no password
    "没记下就运行 uv run qianmen staff password admin"
)


async def with_front_door(settings: Settings, work: Callable[[Settings], Awaitable[T]]) -> T:
    """Do ``work`` on the front door that runs, else on one started for it and stopped after."""
    if await _runs(settings):
        return await work(settings)
    async with front_door(settings) as prepared:
        welcome(settings, prepared)  # with the password: the first start may be this one
        return await work(settings)


async def _runs(settings: Settings) -> bool:
    """Whether a front door runs and is ready; one that is just starting is waited for."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + READY_S
    while not (report := await status(settings))["up"]:
        if not _starting(report) or loop.time() >= until_s:
            return False
        await asyncio.sleep(LOOK_S)
    return True


def _starting(report: Mapping[str, Any]) -> bool:
    """Whether every process of a front door of ours is there, if not ready yet."""
    return all(row["state"] in ("STARTING", "RUNNING") for row in report["processes"])


def never_used(engine: Engine) -> bool:
    """Whether nobody has called or chatted yet: the first start of an installation."""
    with reading(engine) as session:
        return session.scalar(select(Conversation.id).limit(1)) is None


async def show_at_first_start(settings: Settings, engine: Engine) -> None:
    """The demonstration where nothing real can be mixed with it; it never stops the front door."""
    if not never_used(engine):
        say("演示：uv run qianmen demo")
        return
    try:
        await run_demo(settings, live=True)
    except CitizenError as error:
        say(f"✘ 演示没有做完，前门照常运行。{error.code}：{told(error.code, str(error))}")
    say("\n演示完了。前门开着：")
    say_places(settings)
    say(PASSWORD_HINT)


async def demonstrate(settings: Settings, *, live: bool) -> dict[str, Any]:
    """The demonstration as a command; ``live`` shows it, with where to go on at the end."""
    was_up = bool((await status(settings))["up"])
    report = await with_front_door(settings, partial(run_demo, live=live))
    if live:
        say("\n演示完了。" + ("前门开着：" if was_up else "前门已经停掉；要一直开着：make run"))
        if was_up:
            say_places(settings)
        say(PASSWORD_HINT)
    return report


async def run_demo(settings: Settings, *, live: bool = False) -> dict[str, Any]:
    """Hold the call and the chat; both with their turns and the order they led to.

    ``live`` shows everything to people while it happens.
    """
    say("演示一通电话和一段网页对话，约 2 分钟。")
    call = await _call(settings, live=live)
    told_by_phone = _part(settings, call)
    if live:
        _show_title("电话")
        show_turns(told_by_phone["turns"])
        show_order(told_by_phone["order"])
        _show_title("网页对话")
    else:
        say("💬 市民在网页上对话……")
    chat = await hold_chat(settings.web_address, CHAT_SAYS, on_progress=show_said if live else None)
    told_by_chat = _part(settings, chat)
    if live:
        show_order(told_by_chat["order"])
    return {"call": told_by_phone, "chat": told_by_chat}


async def _call(settings: Settings, *, live: bool) -> CallReport:
    agent = await _agent_phone(settings)
    try:
        uri = f"sip:12345@127.0.0.1:{settings.sip_port}"
        if not live:
            say("☎ 市民打来电话……")
        return await asyncio.to_thread(
            place_call, uri, CALL_SAYS, caller=CALLER, database=settings.database,
            data_key=settings.data_key,
            patience=Patience(stay_s=10.0), on_progress=say_call if live else None,
        )  # fmt: skip
    finally:
        agent.terminate()
        await agent.wait()


def _part(settings: Settings, report: CallReport | ChatReport) -> dict[str, Any]:
    order = read_order(settings, report.conversation)
    return {"turns": report.as_json()["turns"], "order": order}


async def _agent_phone(settings: Settings) -> asyncio.subprocess.Process:
    """An agent's phone at the sample city's hunt group, ready before anybody calls."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qianmen.agent_phone", "--port", str(_agent_port(settings)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=Path(ROOT),
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101  # PIPE was asked for
    await process.stdout.readline()
    return process


def _agent_port(settings: Settings) -> int:
    from config.city import load_city

    return int(load_city(settings.city).lines[0].hunt_group.rpartition(":")[2])


def read_order(settings: Settings, conversation: str) -> dict[str, Any]:
    """The order of a conversation with the provenance of each field; {} where none was written."""
    engine = open_store(settings)
    try:
        with reading(engine) as session:
            order = session.scalar(
                select(WorkOrder)
                .where(WorkOrder.conversation_id == conversation)
                .order_by(WorkOrder.created_at.desc())
                .limit(1)
            )
            if order is None:
                return {}
            fields = session.scalars(
                select(WorkOrderField).where(WorkOrderField.order_id == order.id)
            ).all()
            return _order(order) | {"fields": {field.name: _field(field) for field in fields}}
    finally:
        engine.dispose()


def _order(order: WorkOrder) -> dict[str, Any]:
    names = ("number", "kind", "urgency", "state", "title", "channel", "line", "matter")
    return {name: getattr(order, name) for name in (*names, "department")} | {
        "created_at": order.created_at.isoformat()
    }


def _field(field: WorkOrderField) -> dict[str, Any]:
    return {
        "value": field.value,
        "provenance": {
            "turn": field.turn,
            "quote": field.quote,
            "at": field.at.isoformat(),
            "confidence": round(field.confidence, 3),
            "rule": field.rule,
            "confirmed_by": field.confirmed_by,
        },
    }


def demo_succeeded(report: Mapping[str, Any]) -> bool:
    """Whether both ended with an order that tells the trouble, the place and the time, quoted."""
    return all(_order_complete(part["order"]) for part in report.values())


def _order_complete(order: Mapping[str, Any]) -> bool:
    fields = order.get("fields", {})
    told = ("what", "where", "when")
    return bool(order) and all(
        name in fields and fields[name]["provenance"]["quote"] for name in told
    )


def say_call(event: str, text: str) -> None:
    """One event of a call that goes on (see ``place_call``), as progress."""
    line = {
        "calling": f"☎ 正在拨打 {text}",
        "answered": "☎ 接通了",
        "said": f"市民：{text}",
        "pressed": f"市民按键：{text}",
        "heard": f"前门：（说了 {text.removesuffix(' s')} 秒）",
        "ended": "☎ 挂断了",
    }.get(event)
    if line:
        say(line)


def show_said(turn: SaidTurn) -> None:
    """One turn for people."""
    show(f"{_WHO.get(turn.who, turn.who)}：{turn.text}")


def _show_title(title: str) -> None:
    show(f"\n── {title} " + "─" * 40)


def show_turns(turns: Iterable[Mapping[str, Any]]) -> None:
    """A conversation for people."""
    for turn in turns:
        show(f"{_WHO.get(turn['who'], turn['who'])}：{turn['text']}")


def show_order(order: Mapping[str, Any]) -> None:
    """A work order for people: each field with the citizen's words that it was taken from."""
    if not order:
        show("（没有工单）")
        return
    show(f"工单 {order['number']}  {order['kind']}  {order['title']}")
    for name, field in order["fields"].items():
        quote = field["provenance"]["quote"]
        show(f"  {labels.field(name)}：{field['value']}" + (f"  ←「{quote}」" if quote else ""))
