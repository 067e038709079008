"""A web process whose bot never answers, to be killed: forked, for starting one takes long."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from config.city import City
from store.engine import open_engine
from tests.chat.wechat.stage import PATIENCE_S, running
from tests.fakes.dialogue import FakeDialogue
from tests.fakes.office import Office
from turns.understood import Outcome


class Stalled(FakeDialogue):
    """Tells ``pipe`` that it was asked, and is silent."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        self._pipe.send("asked")
        await asyncio.Event().wait()
        return await super().turn(sender, text, metadata)


class Dying:
    """The process, and the end of the pipe to it."""

    def __init__(self, process: ForkProcess, pipe: Connection) -> None:
        self.process, self._pipe = process, pipe

    def start(self, more: dict[str, Any]) -> str:
        """Serve with these settings; its base URL."""
        self._pipe.send(more)
        return str(self._told())

    def kill_once_asked(self) -> None:
        """``kill -9`` when a turn has reached its bot."""
        try:
            assert self._told() == "asked"
        finally:
            self.process.kill()
            self.process.join(PATIENCE_S)

    def _told(self) -> object:
        assert self._pipe.poll(PATIENCE_S), "the other process says nothing"
        return self._pipe.recv()


@contextmanager
def dying(file: Path, city: City) -> Iterator[Dying]:
    """One on the SQLite database ``file``. To be forked while there are no other threads."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, file, city))
    process.start()
    try:
        yield Dying(process, ours)
    finally:
        process.kill()
        process.join(PATIENCE_S)
        process.close()
        for end in (ours, theirs):
            end.close()


def _serve(pipe: Connection, file: Path, city: City) -> None:
    more = pipe.recv()
    engine = open_engine(f"sqlite:///{file}")
    office = Office(
        file.parent, engine, city, lambda: datetime.now(UTC), more=more, dialogue=Stalled(pipe)
    )
    with running(office.app) as url:
        pipe.send(url)
        pipe.recv()  # until killed
