"""An extension at a PBX: first on virtual time with a registrar made of text, then a whole line."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.line import Leg, LineError, LineSettings
from telephony.sip.authenticator import Authenticator
from telephony.sip.digest import Account
from telephony.sip.line import SipLine
from telephony.sip.message import Request, Response, parse_message
from telephony.sip.outbound import OutboundLeg
from telephony.sip.registration import PROBE_S, Registration
from telephony.sip.udp import SipSocket
from tests.telephony.virtual import OFFER, PEER, RTP_PORTS, Exchange, reply_to, request

SETTINGS = LineSettings(
    host="127.0.0.1",
    rtp_ports=RTP_PORTS,
    registrar="pbx.example:5070",
    user="8001",
    password="tiger",
    dead_after_s=0,
)
CONTACT = "sip:8001@127.0.0.1:5060"
CHALLENGE = 'WWW-Authenticate: Digest realm="pbx", nonce="{}", qop="auth"{}\r\n'


class Extension:
    """Our registration, and the PBX as text. The refresh comes at 85 %, back-off at 75 %."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        core = exchange.core
        core.domain = "pbx.example"
        core.transactions.authenticator = Authenticator(
            Account("8001", "tiger"), lambda peer: peer == PEER, exchange.counters
        )
        self.admitted: list[str] = []
        self.answers_probes = True
        self._probes = 0
        self.registration = Registration(
            core, PEER, self.admitted.append, lambda low, high: (low + high) / 2
        )
        self.registration.start()

    @property
    def state(self) -> str:
        return self.registration.state

    @property
    def requests(self) -> list[Request]:
        return self.exchange.requests("REGISTER")

    def reply(self, status: int, *extra: str, via: str = "") -> None:
        text = reply_to(self.requests[-1], status, extra="".join(f"{e}\r\n" for e in extra))
        self.exchange.receive(text.replace(";rport", f";rport{via}", 1))

    def accept(self, seconds: int = 300) -> None:
        self.reply(200, f"Contact: <{CONTACT}>;expires={seconds}")

    def _answer_probes(self) -> None:
        probes = self.exchange.requests("OPTIONS")
        for probe in probes[self._probes :]:
            self.exchange.receive(reply_to(probe, 404))
        self._probes = len(probes)

    def passes(self, seconds: float) -> int:
        """How many REGISTERs were sent meanwhile, repetitions of one counted once."""
        before = {r.cseq for r in self.requests}
        end = self.exchange.clock.now + seconds
        while self.exchange.clock.now < end:
            self.exchange.clock.advance(min(1, end - self.exchange.clock.now))
            if self.answers_probes:
                self._answer_probes()
        return len({r.cseq for r in self.requests} - before)


@pytest.fixture
def extension() -> Extension:
    return Extension(Exchange(SETTINGS))


def test_registers_and_refreshes_before_it_expires(extension: Extension) -> None:
    first = extension.requests[0]
    assert first.target.text == "sip:pbx.example:5070"
    assert first.to.text == "<sip:8001@pbx.example>"
    assert first.sender.uri.text == first.to.uri.text
    assert first.first("contact") == f"<{CONTACT}>;expires=300"
    assert extension.state == "registering"
    extension.accept(200)
    assert extension.state == "registered"
    assert extension.passes(169) == 0
    assert extension.passes(2) == 1
    second = extension.requests[-1]
    assert (second.call_id, second.cseq) == (first.call_id, first.cseq + 1)
    extension.accept(200)
    assert extension.state == "registered"
    assert extension.exchange.counters["register_done"] == 2


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ([f"Contact: <{CONTACT}>;expires=100"], 100),
        ([f"Contact: <sip:8001@10.9.9.9>;expires=20, <{CONTACT}>;expires=100"], 100),
        ([f"Contact: <{CONTACT.upper()};transport=udp>;expires=100", "Expires: 50"], 100),
        ([f"Contact: <{CONTACT}>", "Expires: 100"], 100),
        (["Expires: 100"], 100),
        ([], 300),
        (["Contact: <>>>;expires=1", 'Contact: "'], 300),
    ],
)
def test_the_registrar_decides_how_long(
    extension: Extension, headers: list[str], granted: int
) -> None:
    extension.reply(200, *headers)
    assert extension.passes(0.85 * granted - 1) == 0
    assert extension.passes(2) == 1


def test_challenged(extension: Extension) -> None:
    extension.reply(401, CHALLENGE.format("n", "").strip())
    first, second = extension.requests
    assert (second.call_id, second.cseq) == (first.call_id, first.cseq + 1)
    assert 'uri="sip:pbx.example:5070"' in second.first("authorization")
    extension.accept()
    assert extension.state == "registered"
    assert b"tiger" not in b"".join(extension.exchange.wire)


def test_a_nonce_that_grew_stale(extension: Extension) -> None:
    extension.reply(401, CHALLENGE.format("n", "").strip())
    extension.reply(401, CHALLENGE.format("m", ", stale=true").strip())
    assert 'nonce="m"' in extension.requests[-1].first("authorization")
    extension.accept()
    assert extension.state == "registered"


def test_a_wrong_password_is_not_hammered(extension: Extension) -> None:
    extension.reply(401, CHALLENGE.format("n", "").strip())
    extension.reply(401, CHALLENGE.format("m", "").strip())
    assert (extension.state, extension.registration.status) == ("failed", 401)
    assert extension.passes(44) == 0
    assert extension.passes(2) == 1
    extension.reply(403)
    assert extension.passes(89) == 0
    assert extension.passes(2) == 1


def test_too_short(extension: Extension) -> None:
    extension.reply(423, "Min-Expires: 1800")
    assert extension.requests[-1].first("expires") == "1800"
    extension.accept(1800)
    assert extension.state == "registered"


@pytest.mark.parametrize("least", ["300", "0", "", "x", "999999999"])
def test_a_minimum_that_helps_nothing_makes_no_loop(extension: Extension, least: str) -> None:
    extension.reply(423, f"Min-Expires: {least}")
    assert extension.state == "failed"
    assert len(extension.requests) == 1


def test_a_busy_registrar_says_when(extension: Extension) -> None:
    extension.reply(503, "Retry-After: 120 (rebuilding)")
    assert extension.passes(119) == 0
    assert extension.passes(2) == 1
    extension.accept()
    assert extension.state == "registered"


def test_no_reply(extension: Extension) -> None:
    extension.exchange.clock.advance(32.5)
    assert (extension.state, extension.registration.status) == ("failed", 0)
    waits = []
    for _ in range(9):
        start = extension.exchange.clock.now
        while extension.passes(1) == 0:
            pass
        waits.append(extension.exchange.clock.now - start)
        extension.exchange.clock.advance(32.5)
    assert waits[0] < 5
    assert waits[-1] == pytest.approx(225, abs=35)
    assert extension.exchange.counters["register_failed"] == 10


def test_a_registrar_that_takes_it_back_at_once(extension: Extension) -> None:
    extension.accept(0)
    assert extension.state == "failed"


def test_a_contact_behind_a_nat_follows_what_the_registrar_sees(extension: Extension) -> None:
    extension.reply(200, "Expires: 300", via="=40000;received=203.0.113.9")
    outside = "sip:8001@203.0.113.9:40000"
    contacts = extension.requests[-1].all("contact")
    assert contacts == (f"<{outside}>;expires=300", f"<{CONTACT}>;expires=0")
    extension.reply(200, f"Contact: <{outside}>;expires=60", via="=40000;received=203.0.113.9")
    assert extension.state == "registered"
    assert extension.exchange.core.contact(PEER)[1] == f"<{outside}>"
    assert extension.passes(52) == 1


def test_a_nat_that_never_rests_makes_no_loop(extension: Extension) -> None:
    for port in range(40000, 40010):
        extension.reply(200, "Expires: 300", via=f"={port};received=203.0.113.9")
    assert len(extension.requests) == 3
    assert extension.state == "registered"


@pytest.mark.parametrize(
    "via", ["=99999999;received=nowhere.example", "=²", "=0", "=;received=", "=65536"]
)
def test_rubbish_in_via_is_no_nat(extension: Extension, via: str) -> None:
    extension.reply(200, "Expires: 300", via=via)
    assert extension.state == "registered"


def test_a_pbx_that_was_gone_is_told_again(extension: Extension) -> None:
    extension.accept(3600)
    assert extension.passes(65) == 0
    assert len(extension.exchange.requests("OPTIONS")) == 2
    extension.answers_probes = False
    assert extension.passes(65) == 1
    assert extension.state == "registering"
    extension.accept(3600)
    assert extension.state == "registered"
    assert extension.exchange.counters["register_probe_lost"] == 1


def test_unregisters(extension: Extension) -> None:
    extension.accept()
    extension.registration.stop()
    last = extension.requests[-1]
    assert (last.first("contact"), last.first("expires")) == (f"<{CONTACT}>;expires=0", "0")
    extension.reply(401, CHALLENGE.format("n", "").strip())
    assert extension.requests[-1].first("authorization")
    extension.reply(200)
    assert extension.state == "stopped"
    assert extension.passes(4000) == 0
    assert extension.exchange.clock.pending() == 0


def test_what_was_never_registered_is_not_taken_back(extension: Extension) -> None:
    extension.reply(403)
    extension.registration.stop()
    assert len(extension.requests) == 1
    extension.exchange.clock.advance(4000)
    assert extension.exchange.clock.pending() == 0


def test_a_way_in_that_the_registrar_names(extension: Extension) -> None:
    extension.reply(
        200, "Expires: 60", "Service-Route: <sip:10.1.1.1;lr>, <sip:edge.example;lr>, <<"
    )
    assert extension.admitted == ["10.1.1.1"]


LINE = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)


@settings(max_examples=60)
@given(
    st.sampled_from([200, 202, 301, 401, 403, 407, 423, 500, 503, 699]),
    st.dictionaries(
        st.sampled_from(
            ["Contact", "Expires", "Min-Expires", "Retry-After", "Service-Route",
             "WWW-Authenticate", "Proxy-Authenticate"]
        ),
        LINE | st.integers(0, 10**12).map(str),
    ),
)  # fmt: skip
def test_whatever_the_registrar_says_we_try_again(status: int, headers: dict[str, str]) -> None:
    extension = Extension(Exchange(SETTINGS))
    extension.reply(status, *(f"{name}: {value}" for name, value in headers.items()))
    assert extension.state in ("registered", "failed", "registering")
    times = [due.at for due in extension.exchange.clock._due if not due.cancelled]
    assert any(0 < at <= 86400 for at in times if at != PROBE_S)
    extension.registration.stop()
    extension.exchange.clock.advance(100)
    assert extension.exchange.clock.pending() == 0


async def test_a_call_of_an_extension_comes_from_the_extension() -> None:
    exchange = Exchange(SETTINGS)
    exchange.core.domain = "pbx.example"
    leg = OutboundLeg(exchange.core, PEER, "sip:110@pbx.example", "13800000000", lambda _: None)
    task = asyncio.create_task(leg.call(30))
    await asyncio.sleep(0)
    (invite,) = exchange.requests("INVITE")
    assert invite.sender.uri.text == "sip:8001@pbx.example"
    assert invite.first("p-preferred-identity") == "<sip:13800000000@pbx.example>"
    assert invite.first("contact") == f"<{CONTACT}>"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    exchange.close()


# -- a whole line


class Pbx(asyncio.DatagramProtocol):
    """Registers whoever asks, on a socket of its own; keeps what came."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[Request | Response] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]  # it is

    @property
    def address(self) -> tuple[str, int]:
        found: tuple[str, int] = self._transport.get_extra_info("sockname")
        return found

    def send(self, text: str, to: tuple[str, int]) -> None:
        self._transport.sendto(text.encode(), to)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = parse_message(data)
        self.came.put_nowait(message)
        if isinstance(message, Request) and message.method == "REGISTER":
            self.send(reply_to(message, 200, extra="Expires: 300\r\n"), addr)

    async def next(self, kind: str) -> Request | Response:
        async with asyncio.timeout(60):
            while True:
                message = await self.came.get()
                if (message.method if isinstance(message, Request) else "") == kind:
                    return message

    def close(self) -> None:
        self._transport.close()


@pytest.fixture
async def pbx() -> AsyncIterator[Pbx]:
    loop = asyncio.get_running_loop()
    _, pbx = await loop.create_datagram_endpoint(Pbx, local_addr=("127.0.0.2", 0))
    yield pbx
    pbx.close()


def state(line: SipLine) -> str:
    return line.registration


async def refuse(leg: Leg) -> None:
    await leg.reject(486)


async def test_a_line_registers_hears_its_pbx_only_and_unregisters(pbx: Pbx) -> None:
    host, port = pbx.address
    line = SipLine(
        LineSettings(
            host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, registrar=f"{host}:{port}", user="8001"
        )
    )
    assert state(line) == "none"
    await line.start(refuse)
    try:
        await pbx.next("REGISTER")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.3", 0))
            stranger.setblocking(False)
            for method in ("INVITE", "OPTIONS"):
                text = request(method, branch=f"z9hG4bK{method}", body=OFFER).encode()
                stranger.sendto(text, line.address)
            pbx.send(request("INVITE", body=OFFER), line.address)
            answer = await pbx.next("")
            assert isinstance(answer, Response)
            assert answer.status == 100
            assert state(line) == "registered"
            assert line.counters()["sip_foreign_peer"] == 2
            with pytest.raises(BlockingIOError):
                stranger.recv(2048)
    finally:
        await line.stop()
    last = await pbx.next("REGISTER")
    assert last.first("expires") == "0"


async def test_a_line_that_is_a_trunk_registers_nowhere_and_ignores_strangers() -> None:
    line = SipLine(
        LineSettings(host="127.0.0.1", port=0, rtp_ports=RTP_PORTS, allowed_peers=("127.0.0.2",))
    )
    called = 0

    async def on_call(leg: Leg) -> None:
        nonlocal called
        called += 1

    await line.start(on_call)
    loop = asyncio.get_running_loop()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        peer.bind(("127.0.0.2", 0))
        stranger.bind(("127.0.0.3", 0))
        peer.setblocking(False)
        stranger.setblocking(False)
        kinds = ("INVITE", "OPTIONS", "BYE", "REGISTER", "BREW")
        for method in kinds:
            text = request(
                method, branch=f"z9hG4bK{method}", body=OFFER if method == "INVITE" else ""
            )
            stranger.sendto(text.encode(), line.address)
        stranger.sendto(b"rubbish", line.address)
        peer.sendto(request("OPTIONS").encode(), line.address)
        async with asyncio.timeout(60):
            assert b"200 OK" in await loop.sock_recv(peer, 4096)
        with pytest.raises(BlockingIOError):
            stranger.recv(2048)
    counters = line.counters()
    assert counters["sip_foreign_peer"] == len(kinds) + 1
    assert (called, counters.get("register_sent", 0), line.registration) == (0, 0, "none")
    await line.stop()


def test_a_host_within_a_call_may_speak_of_that_call_only() -> None:
    counters: Counter[str] = Counter()
    sip = SipSocket(SETTINGS, counters)
    exchange = Exchange(SETTINGS)
    sip.receive_with(exchange.core.transactions)
    sip.admit("127.0.0.2")
    sip.in_call = lambda host: host == "10.0.0.7"
    sip.datagram_received(request("INVITE", body=OFFER).encode(), ("10.0.0.7", 5060))
    assert counters["sip_foreign_peer"] == 1
    within = request("BYE", to="<sip:1@x>;tag=t").encode()
    sip.datagram_received(within, ("10.0.0.7", 5060))
    sip.datagram_received(within, ("10.0.0.8", 5060))
    assert counters["sip_foreign_peer"] == 2
    assert [r.status for r in exchange.responses(481)] == [481]
    exchange.close()


@pytest.mark.parametrize(
    "settings",
    [
        LineSettings(host="127.0.0.1", port=0, registrar="127.0.0.1"),
        LineSettings(host="127.0.0.1", port=0, registrar="127.0.0.1:0", user="1"),
        LineSettings(host="127.0.0.1", port=0, registrar="a b", user="1"),
        LineSettings(host="127.0.0.1", port=0, user="a@b"),
        LineSettings(host="127.0.0.1", port=0, register_s=5),
    ],
)
async def test_settings_that_make_no_extension(settings: LineSettings) -> None:
    with pytest.raises(LineError) as error:
        await SipLine(settings).start(refuse)
    assert error.value.code == "bad_settings"


def test_settings_do_not_print_the_password() -> None:
    assert "tiger" not in repr(SETTINGS)
