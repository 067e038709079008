"""What all commands share: the settings they run on, and the options they have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from config.logs import configure
from config.settings import Settings, load_settings

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="在标准输出打印一个 JSON 文档。")]


def installation() -> Settings:
    """The installation's settings; logs of this command go to standard error.

    Raises :class:`config.errors.ConfigError`.
    """
    loaded = load_settings()
    configure("cli", "warning" if loaded.log_level == "info" else loaded.log_level)
    return loaded


def run(work: Coroutine[Any, Any, T]) -> T:
    """Wait for ``work``."""
    return asyncio.run(work)
