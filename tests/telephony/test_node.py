"""Calls published and commanded over a real Redis, which goes away and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis.asyncio as redis

from telephony import commands, node
from telephony.commands import CallControl, ControlError
from telephony.node import Node
from tests.fakes.valkey import valkey
from tests.ports import free_port
from turns.calls import CallCommand, CallEvent, CallInfo

AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
INFO = CallInfo("call-1234567890", "n1", "139****9000", "12345", "12345", "bot", AT, AT)
Audited = list[tuple[str, str, str]]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[str]:
    with valkey(tmp_path / "redis", port):
        yield f"redis://127.0.0.1:{port}/0"


class Call:
    """A call that does what it is told at once, and keeps what it was told."""

    def __init__(self, at: Node, info: CallInfo = INFO) -> None:
        self.node, self.info = at, info
        self.taken: asyncio.Queue[CallCommand] = asyncio.Queue()
        self.answers = True
        at.opened(info, self.take)

    def take(self, command: CallCommand) -> None:
        self.taken.put_nowait(command)
        if self.answers:
            self.node.told(CallEvent(command.call, "held", "caller", AT, "", command.id, done=True))


@asynccontextmanager
async def running(
    url: str, name: str = "n1", audited: Audited | None = None
) -> AsyncIterator[Node]:
    def audit(command: CallCommand, event: CallEvent) -> None:
        if audited is not None:
            audited.append((command.by, command.verb, event.cause or event.state))

    one = Node(url, name, lambda: AT, audit)
    one.start()
    yield one
    await one.stop()


async def listed(control: CallControl, count: int) -> tuple[CallInfo, ...]:
    async with asyncio.timeout(60):
        while True:
            found = (await control.calls()).calls
            if len(found) == count:
                return found
            await asyncio.sleep(0.02)


async def test_calls_of_all_nodes_are_listed_and_go(server: str) -> None:
    async with CallControl(server) as control, running(server) as one, running(server, "n2") as two:
        Call(one)
        Call(two, replace(INFO, call="call-22222222", node="n2"))
        assert {info.call for info in await listed(control, 2)} == {INFO.call, "call-22222222"}
        one.changed(replace(INFO, state="person", parties=("110",)))
        async with asyncio.timeout(60):
            while (await control.find("call-123456")).state != "person":  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.02)
        with pytest.raises(ControlError, match="没有这个来电"):
            await control.find("call-1234")  # too short to be meant
        one.closed(INFO.call)
        await listed(control, 1)
        one.changed(INFO)  # a change that comes late brings nothing back
        await asyncio.sleep(0.1)
        assert len((await control.calls()).calls) == 1
        two.opened(replace(INFO, call="call-22222223", node="n2"), lambda _: None)
        await listed(control, 2)
        with pytest.raises(ControlError) as caught:
            await control.find("call-2222222")
        assert caught.value.code == "call_ambiguous"


async def test_a_command_is_carried_out_once_and_answered_again(server: str) -> None:
    audited: Audited = []
    async with CallControl(server) as control, running(server, audited=audited) as one:
        call = Call(one)
        await listed(control, 1)
        for _ in range(2):
            event = await control.command(INFO.call, "hold", by="zhang", id_="k1")
            assert (event.state, event.command, event.done) == ("held", "k1", True)
        assert call.taken.qsize() == 1
        one.told(CallEvent(INFO.call, "failed", "target", AT, "busy", "k2", done=True))
        call.answers = False
        waiting = asyncio.create_task(
            control.command(INFO.call, "bridge", "110", by="li", id_="k2")
        )
        assert (await call.taken.get()).id == "k1"
        assert (await call.taken.get()).target == "110"
        one.told(CallEvent(INFO.call, "ringing", "target", AT, "", "k2"))
        one.told(CallEvent(INFO.call, "failed", "target", AT, "busy", "k2", done=True))
        with pytest.raises(ControlError) as caught:
            await waiting
        assert caught.value.code == "busy"
    assert audited == [("zhang", "hold", "held"), ("li", "bridge", "busy")]


async def test_a_command_for_no_call_is_told_so(server: str) -> None:
    async with CallControl(server) as control, running(server) as one:
        Call(one)
        await listed(control, 1)
        with pytest.raises(ControlError) as caught:
            await control.command("call-of-nobody", "hold", by="zhang")
        assert caught.value.code == "call_unknown"
        events = control.events("0-0")
        await control.send("n1", CallCommand("k9", "call-of-nobody", "hold"))
        _, event = await anext(events)
        assert (event.command, event.state, event.cause) == ("k9", "failed", "call_unknown")
        one.closed(INFO.call)
        with pytest.raises(ControlError) as caught:
            await control.command(INFO.call, "hold", by="zhang", timeout_s=60)
        assert caught.value.code == "call_unknown"


async def test_rubbish_on_the_streams_is_passed_over(server: str) -> None:
    async with CallControl(server) as control, running(server) as one:
        Call(one)
        await listed(control, 1)
        async with redis.from_url(server, decode_responses=True) as raw:
            for text in ("", "{", "[]", '{"id": 1}'):
                await raw.xadd(commands.commands_for("n1"), {"c": text})
                await raw.xadd(commands.EVENTS, {"e": text})
                await raw.hset(commands.calls_of("n1"), f"x{text}", text)
        event = await control.command(INFO.call, "hold", by="zhang")
        assert event.state == "held"
        assert len((await control.calls()).calls) == 1


async def test_an_old_command_is_no_longer_meant(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "EXPIRED_MS", -10_000)
    async with CallControl(server) as control, running(server) as one:
        call = Call(one)
        await listed(control, 1)
        with pytest.raises(ControlError) as caught:
            await control.command(INFO.call, "hangup", by="zhang")
        assert caught.value.code == "expired"
        assert call.taken.empty()


async def test_what_a_dead_process_was_ordered_is_not_done_by_the_next(server: str) -> None:
    async with CallControl(server) as control:
        await control.send("n1", CallCommand("old", INFO.call, "hangup"))
        async with running(server) as one:
            call = Call(one)
            await listed(control, 1)
            await control.command(INFO.call, "hold", by="zhang")
            assert call.taken.qsize() == 1


async def test_a_node_that_dies_is_seen(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "LIVE_S", 1)
    async with CallControl(server) as control, running(server) as one:
        Call(one)
        await listed(control, 1)
        for task in one._tasks:
            task.cancel()
        async with asyncio.timeout(60):
            while not (await control.calls()).lost_nodes:  # noqa: ASYNC110  # polled by nature
                await asyncio.sleep(0.05)
        assert (await control.calls()).calls == ()
        with pytest.raises(ControlError) as caught:
            await control.command(INFO.call, "hold", by="zhang")
        assert caught.value.code == "node_lost"
    async with CallControl(server) as control:
        assert (await control.calls()).lost_nodes == ()


async def test_calls_go_on_while_redis_is_gone(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "BEAT_S", 0.3)
    url = f"redis://127.0.0.1:{port}/0"
    async with CallControl(url) as control, running(url) as one:
        Call(one)
        with pytest.raises(ControlError) as caught:
            await control.calls()
        assert caught.value.code == "redis_lost"
        one.told(CallEvent(INFO.call, "bridged", "target", AT))
        one.partial(INFO.call, "agent", "您好")
        with valkey(tmp_path / "redis", port):
            assert await listed(control, 1) == (INFO,)
            _, event = await anext(control.events("0-0"))
            assert event.state == "bridged"
            await control.command(INFO.call, "hold", by="zhang")
        one.told(CallEvent(INFO.call, "resumed", "caller", AT))
        with valkey(tmp_path / "again", port):  # an empty one: all that lived only there is lost
            assert await listed(control, 1) == (INFO,)
            _, event = await anext(control.events("0-0"))
            assert event.state == "resumed"
            await control.command(INFO.call, "hold", by="zhang")


async def test_words_being_said_reach_who_listens(server: str) -> None:
    async with CallControl(server) as control, running(server) as one:
        words = control.partials(INFO.call)
        first = asyncio.ensure_future(anext(words))
        async with asyncio.timeout(60):
            while not first.done():
                one.partial(INFO.call, "agent", "您好")
                await asyncio.sleep(0.02)
        assert first.result() == ("agent", "您好")
