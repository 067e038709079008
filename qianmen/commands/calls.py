"""``qianmen calls``: the calls under way, and what staff may do with them from a shell."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from config.settings import Settings
from qianmen.commands.shared import Json, installation, run
from qianmen.console import print_json, show
from telephony.commands import CallControl, Calls
from turns import wire
from turns.calls import CallInfo, Verb

calls = typer.Typer(help="正在进行的来电：看、接通、保持、挂断。", no_args_is_help=True)

CallId = Annotated[
    str, typer.Argument(metavar="来电编号", help="calls list 里的编号，开头 10 位以上。")
]
By = Annotated[str, typer.Option("--by", help="谁要求的，记在操作记录里；不写就是系统账户名。")]
_STAGES = {
    "bot": "智能助手",
    "waiting": "排队",
    "ringing": "正在接通",
    "person": "人工",
    "ended": "已结束",
}
_PARTIES = {"caller": "市民", "target": "接听人", "third": "第三方"}


@calls.command("list")
def list_(json: Json = False) -> None:
    """列出正在进行的来电（号码打星号）。"""
    found = run(_calls(installation()))
    if json:
        print_json(
            {"calls": [wire.dump(info) for info in found.calls],
             "lost_nodes": list(found.lost_nodes)}
        )  # fmt: skip
        return
    for info in found.calls:
        show(_row(info))
    if not found.calls:
        show("现在没有来电。")
    for node in found.lost_nodes:
        show(f"✘ {node} 的电话进程没有了，它的来电也断了")


@calls.command()
def bridge(
    call: CallId,
    target: Annotated[
        str,
        typer.Argument(metavar="转给谁", help="targets.yaml 里的名字或分机；hunt_group 是坐席组。"),
    ] = "hunt_group",
    by: By = "",
    json: Json = False,
) -> None:
    """把来电接给一个坐席、部门或值班电话，等到接通为止。"""
    _command(call, "bridge", target, by, json)


@calls.command()
def hold(
    call: CallId,
    resume: Annotated[bool, typer.Option("--resume", help="恢复通话。")] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """让市民听着音乐等一等（已经有人工接听时）。"""
    _command(call, "resume" if resume else "hold", "", by, json)


@calls.command()
def hangup(
    call: CallId,
    party: Annotated[
        str, typer.Option(help="只挂断一方：target 接听人，third 第三方；不写就全部挂断。")
    ] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """挂断来电。"""
    _command(call, "hangup", party, by, json)


def _command(call: str, verb: Verb, target: str, by: str, json: bool) -> None:
    event = run(_ordered(installation(), call, verb, target, by or getpass.getuser()))
    if json:
        print_json(event)
    else:
        show(f"✔ {verb}：{event['state']} {event['target']}".rstrip())


async def _calls(settings: Settings) -> Calls:
    async with CallControl(settings.redis) as control:
        return await control.calls()


async def _ordered(
    settings: Settings, call: str, verb: Verb, target: str, by: str
) -> dict[str, Any]:
    async with CallControl(settings.redis) as control:
        return wire.dump(await control.command(call, verb, target, by=by))


def _row(info: CallInfo) -> str:
    people = "、".join(info.parties)
    held = "、".join(_PARTIES[role] for role in info.held)
    return "  ".join(
        part
        for part in (
            info.call[:20], f"{info.began:%H:%M:%S}", info.caller, f"拨 {info.dialled}",
            _STAGES[info.state],
            people, f"保持：{held}" if held else "", info.node,
        )
        if part
    )  # fmt: skip
