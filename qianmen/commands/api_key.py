"""``qianmen api-key``: keys with which other systems use the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from qianmen.commands.shared import Json, acting
from qianmen.console import print_json, show

if TYPE_CHECKING:  # half a second that other commands should not pay
    from handoff.apikeys import KeyInfo

api_key = typer.Typer(
    help="接口密钥：给别的系统读写工单用。", no_args_is_help=True, pretty_exceptions_enable=False
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="哪个系统，如 city-orders。")]
_RIGHTS = "see_orders、change_orders、create_orders、supervise、see_secret"


@api_key.command()
def add(
    name: Name,
    right: Annotated[list[str], typer.Option("--right", help=f"权限，可以给多次：{_RIGHTS}。")],
    json: Json = False,
) -> None:
    """做一把密钥；只显示这一次。"""
    from handoff.apikeys import add_key

    with acting() as (engine, act):
        made = add_key(engine, act, name, right)
    if json:
        print_json({"name": name, "rights": sorted({*right}), "key": made})
    else:
        show(f"✔ {name}")
        show(f"  密钥（只显示这一次，放在请求头 X-Qianmen-Key 里）：{made}")


@api_key.command("list")
def list_(json: Json = False) -> None:
    """所有的密钥，不含密文。"""
    from handoff.apikeys import list_keys

    with acting() as (engine, _):
        keys = list_keys(engine)
    if json:
        print_json([_document(one) for one in keys])
        return
    for one in keys:
        _show(one)


@api_key.command()
def disable(name: Name, json: Json = False) -> None:
    """停用：立刻不能再用。"""
    from handoff.apikeys import disable_key

    with acting() as (engine, act):
        info = disable_key(engine, act, name)
    if json:
        print_json(_document(info))
    else:
        _show(info)


def _document(info: KeyInfo) -> dict[str, Any]:
    return {
        "name": info.name, "rights": list(info.rights), "active": info.active,
        "created_at": info.created_at.isoformat(), "created_by": info.created_by,
        "used_at": info.used_at.isoformat() if info.used_at else None,
    }  # fmt: skip


def _show(info: KeyInfo) -> None:
    used = f"{info.used_at:%Y-%m-%d %H} 时用过" if info.used_at else "没有用过"
    mark, state = ("✔", "") if info.active else ("✘", "  已停用")
    show(f"{mark} {info.name:<20}{'、'.join(info.rights)}  {used}{state}")
