"""The default line engine: SIP trunk endpoint on UDP; fulfils ``telephony.line.Line``."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import structlog

from telephony.line import (
    Bridge,
    Conference,
    DialError,
    Leg,
    LineError,
    LineSettings,
    OnCall,
    RegistrationState,
)
from telephony.rtp.engine import MediaEngine
from telephony.rtp.ports import PortPool
from telephony.sip.agent import Agent
from telephony.sip.authenticator import Authenticator
from telephony.sip.conference import LegConference
from telephony.sip.core import Core
from telephony.sip.digest import Account
from telephony.sip.error import SipError
from telephony.sip.inbound import InboundLeg
from telephony.sip.message import Address
from telephony.sip.outbound import OutboundLeg
from telephony.sip.registration import Registration
from telephony.sip.settings import checked, resolved
from telephony.sip.transactions import Transactions
from telephony.sip.udp import SipSocket
from telephony.sip.uri import parse_uri

log = structlog.get_logger(__name__)

GOODBYE_S = 1.0
POLL_S = 0.05
_UNFIT = re.compile(r"[^0-9A-Za-z+*#_.\-]")


class SipLine:
    """One SIP socket and all calls on it."""

    def __init__(self, settings: LineSettings | None = None) -> None:
        self._settings = settings or LineSettings()
        self._counters: Counter[str] = Counter()
        self._media = MediaEngine(self._counters)
        self._socket: SipSocket | None = None
        self._core: Core | None = None
        self._agent: Agent | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_call: OnCall | None = None
        self._registration: Registration | None = None

    @property
    def address(self) -> Address:
        """Where SIP is bound."""
        if self._socket is None:
            raise LineError("not_started", "the line is not started")
        return self._socket.address

    async def start(self, on_call: OnCall) -> None:
        """Open the port and take calls."""
        settings = checked(self._settings)
        loop = asyncio.get_running_loop()
        ports = PortPool(settings.host, settings.rtp_ports)
        core = Core(settings, loop, self._media, ports, self._counters)
        registrar = await resolved(settings.registrar, "registrar")
        core.proxy = await resolved(settings.proxy) or registrar
        agent = Agent(core, self._run)
        self._on_call = on_call
        self._socket = await SipSocket.open(settings, self._counters)
        core.port = self._socket.address[1]
        core.transactions = Transactions(
            core.clock, self._socket.send, core.sent_by, agent, self._counters
        )
        self._socket.receive_with(core.transactions)
        self._core, self._agent = core, agent
        self._identify(core, self._socket, registrar)
        log.info("line_started", host=settings.host, port=core.port)

    def _identify(self, core: Core, sock: SipSocket, registrar: Address | None) -> None:
        """Who we are to a PBX or trunk that asks, and the registration at the former."""
        settings = core.settings
        if settings.user and settings.password:
            account = Account(settings.user, settings.password, settings.realm)
            core.transactions.authenticator = Authenticator(
                account, lambda peer: peer == core.proxy or sock.is_peer(peer[0]), self._counters
            )
        if registrar is None or core.proxy is None:
            return
        for host in (registrar[0], core.proxy[0]):
            sock.admit(host)
        if self._agent is not None:
            # A PBX that keeps out of the dialogs it sets up: their requests come from telephones.
            sock.in_call = self._agent.in_call
        core.domain = settings.registrar.partition(":")[0]
        self._registration = Registration(core, core.proxy, sock.admit)
        self._registration.start()

    @property
    def registration(self) -> RegistrationState:
        """Whether the PBX knows us."""
        return self._registration.state if self._registration is not None else "none"

    def _run(self, leg: InboundLeg) -> None:
        task = asyncio.get_running_loop().create_task(self._live(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, leg: InboundLeg) -> None:
        assert self._on_call is not None  # noqa: S101  # start has set it
        try:
            await self._on_call(leg)
        except Exception:  # whatever the room above did, the caller must not hang in the air
            log.exception("call_failed")
        finally:
            leg.shut("hung_up")

    async def stop(self, drain_s: float = 0) -> None:
        """Refuse new calls, wait, hang up, close."""
        if self._socket is None or self._agent is None or self._core is None:
            return
        self._agent.draining = True
        if self._registration is not None:
            self._registration.stop()
        await _while(lambda: bool(self.legs()), drain_s)
        for leg in self._agent.alive:
            leg.shut("shutdown")
        await _while(self._core.transactions.awaiting, GOODBYE_S)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GOODBYE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._core.transactions.close()
        self._media.stop()
        self._socket.close()
        self._socket = None

    async def dial(
        self,
        target: str,
        caller: str = "",
        timeout_s: float = 20,
        on_early: Callable[[Leg], None] | None = None,
    ) -> Leg:
        """Call and return the answered leg."""
        if self._core is None or self._agent is None or self._socket is None:
            raise LineError("not_started", "the line is not started")
        uri, peer = _destination(target, self._core.proxy)
        leg = OutboundLeg(
            self._core, peer, uri, _UNFIT.sub("", caller), self._agent.forget, on_early
        )
        self._agent.add(leg)
        try:
            await leg.call(timeout_s)
        except LineError as error:
            leg.end("error")
            if isinstance(error, DialError):
                raise
            raise DialError("unreachable", str(error)) from error
        return leg

    def join(self, a: Leg, b: Leg) -> Bridge:
        """Relay between two answered legs."""
        return self.confer((a, b))

    def confer(self, legs: Iterable[Leg]) -> Conference:
        """Let answered legs hear each other."""
        conference = LegConference()
        try:
            for leg in legs:
                conference.add(leg)
        except LineError:
            conference.stop()
            raise
        return conference

    def legs(self) -> tuple[Leg, ...]:
        """The legs alive now."""
        return self._agent.alive if self._agent is not None else ()

    def counters(self) -> Mapping[str, int]:
        """A copy of the counters, and what became of the callers' packets."""
        return {**self._counters, **self._media.packets()}

    def buffered_ms(self) -> tuple[int, ...]:
        """How much sound each call's jitter buffer holds, ms."""
        return self._media.buffered_ms()


async def _while(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until ``condition`` is false, ``seconds`` at most."""
    deadline = asyncio.get_running_loop().time() + seconds
    # Polled: what ends it lies in other layers, and only a stopping line waits here.
    while condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110  # see above
        await asyncio.sleep(POLL_S)


def _destination(target: str, proxy: Address | None) -> tuple[str, Address]:
    """Request-URI and next hop. Raises ``DialError("unreachable")``."""
    try:
        uri = parse_uri(target)
    except SipError as error:
        raise DialError("unreachable", "not a URI that can be called") from error
    if uri.scheme == "tel" and proxy is not None and uri.user and not _UNFIT.search(uri.user):
        return f"sip:{uri.user}@{proxy[0]}:{proxy[1]};user=phone", proxy
    hop = uri.endpoint or (proxy if uri.host else None)
    if uri.scheme != "sip" or hop is None or "?" in uri.text:
        raise DialError(
            "unreachable",
            "cannot call this target: needs sip: with an IP address, or an outbound proxy",
        )
    return uri.text, hop
