"""``qianmen trace``: what all processes logged of one turn, conversation or order."""

from __future__ import annotations

from typing import Annotated

import typer

from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, show


def trace(
    wanted: Annotated[str, typer.Argument(metavar="编号", help="工单号、会话编号或跟踪号。")],
    json: Json = False,
) -> None:
    """把各进程日志里同一句话、会话或工单的记录按时间排好。"""
    from qianmen.tracing import as_text, follow
    from store.engine import open_store

    settings = installation()
    engine = open_store(settings)
    try:
        lines = follow(engine, settings.log_dir, wanted)
    finally:
        engine.dispose()
    if json:
        print_json({"lines": lines})
        return
    for line in lines:
        show(as_text(line))
