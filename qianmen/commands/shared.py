"""What all commands share: the settings they run on, and the options they have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from config.logs import configure
from config.secret import secret_key
from config.settings import Settings, load_settings

if TYPE_CHECKING:  # half a second that other commands should not pay
    from sqlalchemy import Engine

    from handoff.staff import Act

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


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The installation's database; what is wrong with it is a :class:`StoreError` for people."""
    from sqlalchemy.exc import DBAPIError

    from store.engine import open_store
    from store.faults import StoreError, fault_of

    engine = open_store(settings)
    try:
        yield engine
    except DBAPIError as error:
        raise StoreError(
            fault_of(error), "数据库用不了；没有启动过就先运行 qianmen db upgrade"
        ) from None
    finally:
        engine.dispose()


@contextmanager
def acting() -> Iterator[tuple[Engine, Act]]:
    """The installation's database, and the act of whoever runs the command."""
    from handoff.staff import Act

    settings = installation()
    with opened(settings) as engine:
        yield engine, Act("command-line", datetime.now(UTC), secret_key(settings))
