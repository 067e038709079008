"""The demonstration: a call and a chat that end with a work order, on the real parts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from config.settings import ROOT, Settings
from qianmen.citizen.call import Patience, place_call
from qianmen.citizen.chat import hold_chat
from qianmen.citizen.report import CallReport, ChatReport
from qianmen.console import say
from qianmen.status import status
from qianmen.up import front_door, welcome
from store.engine import open_store, reading
from store.tables import WorkOrder, WorkOrderField

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


async def with_front_door(settings: Settings, work: Callable[[Settings], Awaitable[T]]) -> T:
    """Do ``work`` on the front door that runs, else on one started for it and stopped after."""
    if (await status(settings))["up"]:
        return await work(settings)
    async with front_door(settings) as prepared:
        welcome(settings, prepared)  # with the password: the first start may be this one
        return await work(settings)


async def run_demo(settings: Settings) -> dict[str, Any]:
    """Hold the call and the chat; both with their turns and the order they led to."""
    agent = await _agent_phone(settings)
    try:
        uri = f"sip:12345@127.0.0.1:{settings.sip_port}"
        say("☎ 市民打来电话……")
        call = await asyncio.to_thread(
            place_call, uri, CALL_SAYS, caller=CALLER, database=settings.database,
            data_key=settings.data_key,
            patience=Patience(stay_s=10.0),
        )  # fmt: skip
    finally:
        agent.terminate()
        await agent.wait()
    say("💬 市民在网页上对话……")
    chat = await hold_chat(settings.web_address, CHAT_SAYS)
    return {"call": _part(settings, call), "chat": _part(settings, chat)}


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


def show_demo(report: Mapping[str, Any]) -> None:
    """The demonstration for people."""
    for name, title in (("call", "电话"), ("chat", "网页对话")):
        say(f"\n── {title} " + "─" * 40)
        show_turns(report[name]["turns"])
        _show_order(report[name]["order"])


def show_turns(turns: Iterable[Mapping[str, Any]]) -> None:
    """A conversation for people."""
    for turn in turns:
        say(f"{_WHO.get(turn['who'], turn['who'])}：{turn['text']}")


def _show_order(order: Mapping[str, Any]) -> None:
    if not order:
        say("（没有工单）")
        return
    say(f"工单 {order['number']}  {order['kind']}  {order['title']}")
    for name, field in order["fields"].items():
        quote = field["provenance"]["quote"]
        say(f"  {name:<11}{field['value']}" + (f"  ←「{quote}」" if quote else ""))
