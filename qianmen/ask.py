"""Ask the front door without starting it: a private Rasa, knowledge and database, thrown away.

What is asked goes through the same conversation core, dialogue and rules as a call or a chat, but
nothing of it touches the installation's records.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import itertools
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from bot.actions.regions import region_code
from bot.conversation import Conversations
from bot.join import join, read_city
from bot.rasa_client import RasaClient
from bot.rasa_process import folder as rasa_folder
from bot.rasa_process import train_if_needed
from config.city import City
from config.errors import ConfigError
from config.settings import Settings
from knowledge.load import load_folder
from language.dates import period
from qianmen.processes import Process, processes
from qianmen.readiness import until_ready
from qianmen.supervise import child_environment
from qianmen.tether import tie_to_parent
from store.engine import open_store, reading, upgrade
from store.tables import Turn, WorkOrderField
from turns import wire
from turns.heard import Heard
from turns.understood import Understood

_READY_S = 240.0
_AT_ONCE = 4  # conversations under way; Rasa answers them one by one anyway
_COLUMNS = ("text", "conversation", "turn", "channel", "region")


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a batch: what is said, in which conversation ('' one of its own)."""

    position: int
    text: str
    conversation: str = ""
    turn: int = 0
    channel: str = "web"
    region: str = ""


def read_now(text: str, city: City) -> datetime:
    """The moment of ``--now``; without a zone it is the city's. Raises :class:`ConfigError`."""
    if not text:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("bad_now", f"--now：{text} 不是 ISO 8601 的时间") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=city.zone)


def read_batch(path: Path) -> tuple[Question, ...]:
    """The rows of a TSV with a header; raises :class:`ConfigError` naming file and line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("batch_unreadable", f"{path}: {error}") from None
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    if "text" not in (rows.fieldnames or ()):
        raise ConfigError("batch_invalid", f"{path}:1: 第一行要有列名 text（可加 {_COLUMNS[1:]}）")
    return tuple(_question(path, number, row) for number, row in enumerate(rows))


def _question(path: Path, number: int, row: dict[str, str | None]) -> Question:
    turn = (row.get("turn") or "").strip()
    if turn and not turn.isdigit():
        raise ConfigError("batch_invalid", f"{path}:{number + 2}: turn: {turn} 不是整数")
    return Question(
        position=number,
        text=row.get("text") or "",
        conversation=(row.get("conversation") or "").strip(),
        turn=int(turn or 0),
        channel=(row.get("channel") or "").strip() or "web",
        region=(row.get("region") or "").strip(),
    )


async def answer_one(settings: Settings, text: str, now: str) -> dict[str, Any]:
    """One question; see :func:`answer_all`."""
    return (await answer_all(settings, (Question(0, text),), now))[0]


async def answer_batch(settings: Settings, path: Path, now: str) -> list[dict[str, Any]]:
    """A file of questions, answered in its order; see :func:`answer_all`."""
    return await answer_all(settings, read_batch(path), now)


async def answer_all(
    settings: Settings, questions: Iterable[Question], now: str
) -> list[dict[str, Any]]:
    """How each is understood and answered, in the order of ``questions``.

    Rows of one conversation follow each other by their ``turn``.
    """
    city = read_city(settings.city)
    moment = read_now(now, city)
    async with _private(settings, city, moment) as (core, engine):
        gate = asyncio.Semaphore(_AT_ONCE)

        async def talk(rows: list[Question]) -> list[tuple[int, dict[str, Any]]]:
            async with gate:
                return await _talk(core, engine, city, rows, moment)

        talks = [asyncio.create_task(talk(rows)) for rows in _conversations(questions)]
        answers = dict(itertools.chain.from_iterable(await asyncio.gather(*talks)))
    return [answers[position] for position in sorted(answers)]


def _conversations(questions: Iterable[Question]) -> list[list[Question]]:
    grouped: dict[str, list[Question]] = {}
    for question in questions:
        grouped.setdefault(question.conversation or f"\0{question.position}", []).append(question)
    return [sorted(rows, key=lambda row: (row.turn, row.position)) for rows in grouped.values()]


async def _talk(
    core: Conversations, engine: Engine, city: City, rows: list[Question], now: datetime
) -> list[tuple[int, dict[str, Any]]]:
    first = rows[0]
    name = f"ask-{first.position}"
    line = city.lines[0].number
    region = region_code(next((row.region for row in rows if row.region), ""), city)
    await core.open(name, channel=first.channel, line=line, citizen="", at=now, region=region)
    answers = []
    for row in rows:
        kind = "speech" if row.channel == "phone" else "text"
        heard = Heard(f"{name}.{row.position}", name, row.channel, line, kind, row.text, now)  # type: ignore[arg-type]  # one of two literals
        await core.answer(heard)
        told = await asyncio.to_thread(_told, engine, heard, now.astimezone(city.zone))
        answers.append((row.position, told))
    return answers


def _told(engine: Engine, heard: Heard, now: datetime) -> dict[str, Any]:
    with reading(engine) as session:
        asked = session.scalars(
            select(Turn).where(Turn.conversation_id == heard.conversation, Turn.heard == heard.id)
        ).one()
        replies = session.scalars(
            select(Turn)
            .where(Turn.conversation_id == heard.conversation, Turn.in_reply_to == heard.id)
            .order_by(Turn.seq)
        ).all()
        handed = [r.reply["order"] for r in replies if r.kind == "handoff"]
        fields = session.scalars(
            select(WorkOrderField).where(WorkOrderField.order_id.in_(handed))
        ).all()
        filled = {field.name: field.value for field in fields}
        return _report(heard.text, asked.understood, replies, filled, now)


def _report(
    text: str,
    understood: dict[str, Any],
    replies: Sequence[Turn],
    filled: dict[str, str],
    now: datetime,
) -> dict[str, Any]:
    known = wire.load(Understood, understood or {"act": "other", "decision": "miss"})
    slots = filled | {field.name: field.value for field in known.slots}
    return {
        "text": text,
        "act": known.act,
        "decision": known.decision,
        "matter": known.matter,
        "aspect": known.aspect,
        "say": "".join(reply.text for reply in replies),
        "answer_id": known.answer,
        "candidates": [wire.dump(candidate) for candidate in known.candidates],
        "options": [value for reply in replies for value in _offered(reply)],
        "slots": {name: _slot(name, value, now) for name, value in slots.items()},
    }


def _offered(reply: Turn) -> list[str]:
    """The options of a reply that asks, as they come back when one is chosen."""
    return [option["value"] for option in reply.reply.get("options", ())]


def _slot(name: str, value: str, now: datetime) -> Any:
    """``when`` as the period it means, seen from ``now``; everything else is text."""
    if name != "when":
        return value
    found = period(value, now)
    ends = (found.from_, found.to) if found else (None, None)
    return {
        key: end.isoformat() if end else "" for key, end in zip(("from", "to"), ends, strict=True)
    }


@contextlib.asynccontextmanager
async def _private(
    settings: Settings, city: City, now: datetime
) -> AsyncIterator[tuple[Conversations, Engine]]:
    """A front door without phone, pages and records: only what deciding needs."""
    await asyncio.to_thread(train_if_needed, settings)
    with tempfile.TemporaryDirectory(prefix="qianmen-ask-") as folder:
        private = _private_settings(settings, Path(folder))
        engine = open_store(private)
        upgrade(engine)
        await asyncio.to_thread(load_folder, engine, settings.city / "knowledge", now)
        (rasa_folder(private)).mkdir(parents=True)
        (rasa_folder(private) / "models").symlink_to(rasa_folder(settings) / "models")
        learned = settings.data_dir / "learned"  # trained once for all runs
        learned.mkdir(parents=True, exist_ok=True)
        (private.data_dir / "learned").symlink_to(learned)
        wanted = [p for p in processes(private) if p.name in ("redis", "actions", "rasa")]
        async with contextlib.AsyncExitStack() as stack:
            for process in wanted:
                await stack.enter_async_context(_running(process, private))
            await _all_ready(wanted)
            dialogue = RasaClient(private.rasa_address, 10.0)
            core, bus = join(private, city, engine, now=lambda: now, dialogue=dialogue)
            await dialogue.warm()
            try:
                yield core, engine
            finally:
                await core.stop()
                await bus.stop()
                engine.dispose()


async def _all_ready(wanted: Iterable[Process]) -> None:
    """Raises :class:`ConfigError` ``not_ready`` naming who is late."""
    waiting = [asyncio.create_task(until_ready(one), name=one.name) for one in wanted]
    try:
        await asyncio.wait(waiting, timeout=_READY_S)
        late = [task.get_name() for task in waiting if not task.done()]
    finally:
        for task in waiting:
            task.cancel()
    if late:
        raise ConfigError("not_ready", f"{_READY_S:.0f} 秒内没有就绪：{'、'.join(late)}")


def _private_settings(settings: Settings, folder: Path) -> Settings:
    redis, actions, rasa = _free_ports(3)
    return settings.model_copy(
        update={
            "data_dir": folder, "redis_port": redis, "actions_port": actions, "rasa_port": rasa,
            "redis_url": "", "database_url": f"sqlite:///{folder / 'ask.sqlite3'}",
        }
    )  # fmt: skip


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.asynccontextmanager
async def _running(process: Process, settings: Settings) -> AsyncIterator[None]:
    """One child for as long as this is entered; its words go to a file beside its data."""
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "redis").mkdir(exist_ok=True)
    with (settings.log_dir / f"{process.name}.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            *process.argv, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            cwd=process.folder,
            env=os.environ | settings.environment() | child_environment(settings, process),
            preexec_fn=tie_to_parent,  # only a kernel call
        )  # fmt: skip
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await child.wait()
