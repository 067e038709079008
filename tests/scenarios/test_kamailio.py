"""Kamailio, as ops/kamailio sets it up, before two lines of ours, a trunk and a hunt group."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from config.settings import ROOT
from telephony.line import Ended, Held, Leg, LineSettings, Resumed
from telephony.sip.line import SipLine
from tests.ports import free_port
from tests.telephony.sipp import SCENARIOS, Ear
from tests.telephony.test_line import tone
from tests.telephony.virtual import request

pytestmark = pytest.mark.slow

OPS = ROOT / "ops" / "kamailio"
# Addresses of the loopback: who is who is decided by the address.
TRUNK, KAMAILIO, HUNT_GROUP, STRANGER = "127.0.0.1", "127.0.1.1", "127.0.1.4", "127.0.1.9"
PHONES = ("127.0.1.2", "127.0.1.3")
ANSWERED_S = 60.0


class Phone:
    """A line of ours behind Kamailio."""

    def __init__(self, host: str) -> None:
        ports = (25000, 25999)
        peers = (KAMAILIO,)
        self.line = SipLine(LineSettings(host=host, port=0, rtp_ports=ports, allowed_peers=peers))
        self.answers = True
        self.called = asyncio.Event()
        self.ends: list[Ended] = []
        self.held = 0

    async def __call__(self, leg: Leg) -> None:
        self.called.set()
        if self.answers:  # at once, as the front door does
            await leg.answer()
            leg.play(tone(5000))
        else:
            await leg.ring()
        async for event in leg.events():
            self.held += isinstance(event, Held | Resumed)
            if isinstance(event, Ended):
                self.ends.append(event)

    def die(self) -> None:
        """As ``kill -9``: nothing is said to anybody."""
        assert self.line._socket is not None
        self.line._socket.close()


class Front:
    """Kamailio with its two phones."""

    def __init__(self, folder: Path, phones: tuple[Phone, ...]) -> None:
        self.folder = folder
        self.phones = phones
        self.port = free_port()
        self.hunt_group_port = free_port()

    @property
    def ends(self) -> list[Ended]:
        return [end for phone in self.phones for end in phone.ends]

    def arguments(self) -> list[str]:
        """What ``-A`` defines, and where the lists lie."""
        phones = [f"1 sip:{h}:{p} 0 0\n" for h, p in (phone.line.address for phone in self.phones)]
        (self.folder / "dispatcher.list").write_text("".join(phones))
        (self.folder / "peers.list").write_text(f"1 {TRUNK} 32 0\n2 {HUNT_GROUP} 32 0\n")
        names = {
            "LISTEN_UDP": f"udp:{KAMAILIO}:{self.port}",
            "LISTEN_TCP": f"tcp:{KAMAILIO}:{self.port}",
            "PEERS_FILE": f'"{self.folder / "peers.list"}"',
            "PHONES_FILE": f'"{self.folder / "dispatcher.list"}"',
            "CONTROL_SOCKET": f'"unixs:{self.folder / "ctl"}"',
            "HUNT_GROUP": f'"sip:agents@{HUNT_GROUP}:{self.hunt_group_port}"',
            "CALLS_PER_SECOND": "20", "PING_S": "1", "FIRST_REPLY_MS": "700",
            "PHONE_ANSWERS_MS": "1500",
        }  # fmt: skip
        return [word for name, value in names.items() for word in ("-A", f"{name}={value}")]

    async def up(self) -> None:
        """Return once Kamailio answers."""
        with Wire(TRUNK) as wire:
            async with asyncio.timeout(ANSWERED_S):
                while "200 OK" not in await wire.ask(self, request("OPTIONS"), 0.2):
                    pass

    async def sipp(self, case: str, *words: str, calls: int = 1, host: str = TRUNK) -> None:
        """One scenario to its good end, as the trunk."""
        to = f"{KAMAILIO}:{self.port}"
        mine = str(free_port())
        await _run(self.folder, case, to, "-i", host, "-p", mine, "-m", str(calls), *words)

    async def hunt_group(self) -> asyncio.Task[None]:
        """People who answer one call."""
        return asyncio.create_task(
            _run(self.folder, "callee_answers", f"{KAMAILIO}:{self.port}", "-i", HUNT_GROUP,
                 "-p", str(self.hunt_group_port), "-m", "1")
        )  # fmt: skip

    async def settled(self, done: Callable[[], bool]) -> None:
        """Return once ``done``: SIPp has ended before our line has heard of it."""
        async with asyncio.timeout(ANSWERED_S):
            while not done():  # noqa: ASYNC110  # a list that grows gives no event
                await asyncio.sleep(0.01)


async def _run(folder: Path, case: str, *words: str) -> None:
    errors = folder / f"{case}.err"
    process = await asyncio.create_subprocess_exec(
        "sipp", *words, "-sf", str(SCENARIOS / f"{case}.xml"), "-cid_str", f"{case}-%u@trunk",
        "-nostdin", "-timeout", "40", "-timeout_error", "-trace_err", "-error_file", str(errors),
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    told = errors.read_text(errors="replace") if errors.exists() else ""
    assert process.returncode == 0, f"{case}: {told}{said.decode()[-2000:]}"


class Wire:
    """A socket that speaks plain text with Kamailio."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self.address: tuple[str, int] = self._socket.getsockname()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, front: Front, text: str) -> None:
        self._socket.sendto(text.encode(), (KAMAILIO, front.port))

    async def heard(self, wait_s: float = ANSWERED_S) -> str:
        """The next datagram; empty when none came in time."""
        try:
            async with asyncio.timeout(wait_s):
                return (await asyncio.get_running_loop().sock_recv(self._socket, 65535)).decode()
        except TimeoutError:
            return ""

    async def ask(self, front: Front, text: str, wait_s: float = ANSWERED_S) -> str:
        self.send(front, text)
        return await self.heard(wait_s)

    def nothing_came(self) -> bool:
        try:
            self._socket.recv(65535)
        except BlockingIOError:
            return True
        return False


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    for program, package in (("kamailio", "kamailio"), ("sipp", "sip-tester")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} missing: install the Debian package {package}")
    phones = tuple(Phone(host) for host in PHONES)
    for phone in phones:
        await phone.line.start(phone)
    front = Front(tmp_path, phones)
    told = tmp_path / "kamailio.log"
    with told.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "kamailio", "-DD", "-E", "-m", "32", "-M", "4", "-f", str(OPS / "kamailio.cfg"),
            "-Y", str(tmp_path), *front.arguments(), stdout=log, stderr=log,
        )  # fmt: skip
    ended = asyncio.create_task(process.wait())
    ready = asyncio.create_task(front.up())
    try:
        await asyncio.wait((ended, ready), return_when=asyncio.FIRST_COMPLETED)
        assert not ended.done(), told.read_text(errors="replace")[-2000:]
        await ready
        yield front
    finally:
        ready.cancel()
        if not ended.done():
            process.terminate()
        await ended
        for phone in phones:
            await phone.line.stop()
    assert process.returncode == 0
    said = told.read_text(errors="replace")
    assert "13800000000" not in said
    assert " ERROR:" not in said, said[-3000:]


async def test_calls_are_spread_and_stay_with_their_phone(front: Front) -> None:
    with Ear() as ear:
        await front.sipp("routed_hold", "-r", "20", "-key", "rtp_port", str(ear.port), calls=8)
        await front.settled(lambda: len(front.ends) == 8)
        assert ear.packets() > 8 * 10  # the greeting, straight from the phones
    assert {end.cause for end in front.ends} == {"bye"}
    assert [phone.held for phone in front.phones] == [2 * len(p.ends) for p in front.phones]
    assert all(phone.ends for phone in front.phones)


async def test_a_call_by_tcp(front: Front) -> None:
    await front.sipp("routed_call", "-t", "t1", "-key", "rtp_port", "9")
    await front.settled(lambda: [end.cause for end in front.ends] == ["bye"])


async def test_a_cancel_reaches_the_phone_that_rings(front: Front) -> None:
    for phone in front.phones:
        phone.answers = False
    await front.sipp("cancel_while_ringing")
    await front.settled(lambda: front.ends == [Ended("cancel", 487)])


async def test_a_dead_phone_costs_no_call(front: Front) -> None:
    dead, alive = front.phones
    dead.die()
    await front.sipp("routed_call", "-r", "20", "-key", "rtp_port", "9", calls=6)
    await front.settled(lambda: len(alive.ends) == 6)
    assert not dead.ends


async def test_a_phone_that_drains_gets_no_call(front: Front) -> None:
    leaving, staying = front.phones
    leaving.line._agent.draining = True  # type: ignore[union-attr]  # started
    await front.sipp("routed_call", "-r", "20", "-key", "rtp_port", "9", calls=4)
    await front.settled(lambda: len(staying.ends) == 4)
    assert not leaving.called.is_set()


async def test_a_phone_that_dies_while_it_rings(front: Front) -> None:
    for phone in front.phones:
        phone.answers = False
    call = asyncio.create_task(front.sipp("routed_call", "-key", "rtp_port", "9"))
    rings = {asyncio.create_task(phone.called.wait()): phone for phone in front.phones}
    done, waiting = await asyncio.wait(rings, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    dying, other = rings[done.pop()], rings[waiting.pop()]
    other.answers = True
    dying.die()
    await call
    await front.settled(lambda: [end.cause for end in other.ends] == ["bye"])


async def test_without_any_phone_the_hunt_group_answers(front: Front) -> None:
    for phone in front.phones:
        phone.die()
    people = await front.hunt_group()
    await front.sipp("routed_call", "-key", "rtp_port", "9")
    await people


async def test_strangers_are_refused_and_scanners_hear_nothing(front: Front) -> None:
    with Wire(STRANGER) as stranger, Wire(TRUNK) as trunk:
        for method in ("INVITE", "REGISTER", "OPTIONS", "BYE"):
            answer = await stranger.ask(front, request(method, branch=f"z9hG4bK{method}"))
            assert answer.startswith("SIP/2.0 403"), answer
        # One socket, answered in order: had the scanner been answered, that would come first.
        trunk.send(front, request("OPTIONS", extra="User-Agent: friendly-scanner\r\n"))
        answer = await trunk.ask(front, request("OPTIONS", call_id="honest", branch="z9hG4bKh"))
        assert "honest" in answer
        for number in range(64):
            stranger.send(front, request("INVITE", branch=f"z9hG4bKflood{number}"))
        assert "200 OK" in await trunk.ask(front, request("OPTIONS", branch="z9hG4bKh2"))
        refused = 0
        while await stranger.heard(0.2):
            refused += 1
        assert refused < 64
    assert not any(phone.called.is_set() for phone in front.phones)


async def test_nobody_is_relayed_to_the_world(front: Front) -> None:
    with Wire(TRUNK) as trunk, Wire(STRANGER) as victim, Wire(HUNT_GROUP) as people:
        target = f"sip:110@{victim.address[0]}:{victim.address[1]}"
        route = f"Route: <{target};lr>\r\n"
        trunk.send(front, request("INVITE", target=target, extra=route))
        await front.settled(lambda: any(phone.called.is_set() for phone in front.phones))
        answer = await people.ask(front, request("INVITE", target=target, branch="z9hG4bKp"))
        assert answer.startswith("SIP/2.0 403")
        assert victim.nothing_came()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (request("INVITE").replace("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        (request("REGISTER"), 405),
        (request("BYE", to="<sip:12345@127.0.0.1>;tag=x"), 481),
        (request("OPTIONS").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"), 400),
    ],
)
async def test_what_makes_no_call_is_answered(front: Front, text: str, status: int) -> None:
    with Wire(TRUNK) as trunk:
        assert (await trunk.ask(front, text)).startswith(f"SIP/2.0 {status}")


async def test_more_calls_than_agreed_are_told_to_come_later(front: Front) -> None:
    with Wire(TRUNK) as trunk:
        for number in range(60):
            trunk.send(front, request("INVITE", branch=f"z9hG4bK{number}", call_id=f"c{number}"))
        async with asyncio.timeout(ANSWERED_S):
            while "SIP/2.0 503" not in (answer := await trunk.heard()):
                pass
    assert "Retry-After" in answer


def test_the_hunt_groups_are_the_sample_citys() -> None:
    told = (OPS / "hunt-groups.cfg").read_text("utf-8")
    city = yaml.safe_load((ROOT / "config/cities/sample/city.yaml").read_text("utf-8"))
    assert {line["hunt_group"] for line in city["lines"]} == set(
        re.findall(r'#!define HUNT_GROUP "(.+)"', told)
    )
