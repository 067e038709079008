"""A stock pyVoIP telephone as a line: an extension at a PBX; fulfils ``telephony.line.Line``."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import structlog

from telephony.line import (
    Bridge,
    Conference,
    DialCode,
    DialError,
    Leg,
    LineError,
    LineSettings,
    OnCall,
    RegistrationState,
)
from telephony.pyvoip.leg import PyvoipBridge, PyvoipLeg, unsupported
from telephony.pyvoip.stock import StockCall, StockPhone
from telephony.sip.core import route_source
from telephony.sip.error import SipError
from telephony.sip.message import Address
from telephony.sip.settings import checked, resolved
from telephony.sip.uri import parse_uri

log = structlog.get_logger(__name__)

_STATES: dict[str, RegistrationState] = {"REGISTERED": "registered", "FAILED": "failed"}
_AGAIN_S = 30.0
_POLL_S = 0.05
_GOODBYE_S = 3.0


class PyvoipLine:
    """One telephone and its calls. ``settings.registrar`` and ``user`` must be given."""

    def __init__(self, settings: LineSettings) -> None:
        self._settings = settings
        self._counters: Counter[str] = Counter()
        self._legs: set[PyvoipLeg] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._phone: StockPhone | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._on_call: OnCall | None = None
        self._address: Address | None = None
        self._draining = self._stopped = False

    @property
    def address(self) -> Address:
        """Where SIP is bound."""
        if self._address is None:
            raise LineError("not_started", "the line is not started")
        return self._address

    @property
    def registration(self) -> RegistrationState:
        """Whether the PBX knows us."""
        if self._stopped:
            return "stopped"
        return _STATES.get(self._phone.status, "registering") if self._phone else "none"

    async def start(self, on_call: OnCall) -> None:
        """Register, in threads of pyVoIP; does not wait for it."""
        settings = checked(self._settings)
        server = await resolved(settings.registrar, "registrar")
        if server is None:
            raise LineError("bad_settings", "the pyVoIP line is an extension: it needs a registrar")
        host = settings.host if settings.host != "0.0.0.0" else route_source(server[0])  # noqa: S104  # compared
        self._address = (host, _free(host, settings.port))
        self._on_call = on_call
        self._loop = asyncio.get_running_loop()
        self._keeping = self._loop.create_task(self._keep_registered(server, self._address))
        log.info("line_started", engine="pyvoip", host=host, port=self._address[1])

    async def _keep_registered(self, server: Address, own: Address) -> None:
        """pyVoIP gives up for ever after three refusals: a new telephone then, after a while."""
        settings = self._settings
        while True:
            self._phone = StockPhone(
                server, (settings.user, settings.password), own, settings.rtp_ports, self._called
            )
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._phone.start)
            while self._phone.status != "FAILED":  # noqa: ASYNC110  # pyVoIP gives no event
                await asyncio.sleep(1)
            self._counters["register_failed"] += 1
            log.warning("register_failed", engine="pyvoip", retry_s=_AGAIN_S)
            await asyncio.sleep(_AGAIN_S)

    # -- calls that come

    def _called(self, call: StockCall) -> None:
        """In the call's thread."""
        self._loop.call_soon_threadsafe(self._welcome, call)

    def _welcome(self, call: StockCall) -> None:
        self._counters["calls_offered"] += 1
        if self._draining or len(self._legs) >= self._settings.max_calls:
            self._counters["calls_refused_486"] += 1
            call.leave()
            return
        leg = self._leg(call)
        task = self._loop.create_task(self._live(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _leg(self, call: StockCall) -> PyvoipLeg:
        leg = PyvoipLeg(call, self._counters, self._legs.discard)
        self._legs.add(leg)
        return leg

    async def _live(self, leg: PyvoipLeg) -> None:
        assert self._on_call is not None  # noqa: S101  # start has set it
        try:
            await self._on_call(leg)
        except Exception:  # whatever the room above did, the caller must not hang in the air
            log.exception("call_failed")
        finally:
            leg.end("hung_up")

    # -- calls that we make

    async def dial(
        self,
        target: str,
        caller: str = "",  # noqa: ARG002  # pyVoIP shows the extension, always
        timeout_s: float = 20,
        on_early: Callable[[Leg], None] | None = None,  # noqa: ARG002  # never comes
    ) -> Leg:
        """Call the user of ``target`` at the PBX, whatever host it names."""
        if self._phone is None or self.registration != "registered":
            raise LineError("not_started", "the telephone is not registered")
        number = _number(target)
        try:
            async with asyncio.timeout(timeout_s):
                leg = await self._placed(self._phone, number)
                await self._answered(leg)
        except TimeoutError:
            raise DialError("no_answer", f"no answer within {timeout_s:g} s") from None
        return leg

    async def _placed(self, phone: StockPhone, number: str) -> PyvoipLeg:
        dialling = asyncio.ensure_future(asyncio.to_thread(phone.dial, number))
        try:
            call = await asyncio.shield(dialling)
        except asyncio.CancelledError:
            phone.wake()
            dialling.add_done_callback(_hang_up)
            raise
        except Exception as error:  # pyVoIP raises what its parser happens to raise
            raise DialError("unreachable", f"pyVoIP: {type(error).__name__}") from error
        leg = self._leg(call)
        threading.Thread(target=call.run, name="pyVoIP call", daemon=True).start()
        return leg

    async def _answered(self, leg: PyvoipLeg) -> None:
        """pyVoIP tells of 404 and 503 only: other refusals look like nobody answering."""
        try:
            while not leg.answered:
                if leg.ended is not None:
                    status = leg.ended.status
                    code: DialCode = "unreachable" if status >= 500 else "rejected"
                    raise DialError(code, f"refused with {status}", status)
                await asyncio.sleep(_POLL_S)
        finally:
            if not leg.answered:
                leg.end("hung_up")

    # -- the rest

    def join(self, a: Leg, b: Leg) -> Bridge:
        """Relay sound between two answered legs; keys are not passed on."""
        if not isinstance(a, PyvoipLeg) or not isinstance(b, PyvoipLeg):
            raise LineError("not_answered", "these legs are of another line")
        if not (a.answered and b.answered):
            raise LineError("not_answered", "both legs must be answered to be joined")
        return PyvoipBridge(a, b)

    def confer(self, legs: Iterable[Leg]) -> Conference:  # noqa: ARG002  # the interface's
        """Cannot."""
        unsupported("hold a conference")

    def legs(self) -> tuple[Leg, ...]:
        """The legs alive now."""
        return tuple(self._legs)

    def counters(self) -> Mapping[str, int]:
        """A copy of the counters."""
        return dict(self._counters)

    def buffered_ms(self) -> tuple[int, ...]:
        """How much sound of each call waits to be heard, ms."""
        return tuple(leg.buffered_ms for leg in self._legs)

    async def stop(self, drain_s: float = 0) -> None:
        """Refuse new calls, wait, hang up, deregister."""
        if self._keeping is None:
            return
        self._draining = True
        deadline = self._loop.time() + drain_s
        while self._legs and self._loop.time() < deadline:  # noqa: ASYNC110  # only a stopping line waits
            await asyncio.sleep(_POLL_S)
        for leg in tuple(self._legs):
            leg.end("shutdown")
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_GOODBYE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        if self._phone is not None:
            await asyncio.to_thread(self._phone.stop)
        self._keeping, self._stopped = None, True


def _number(target: str) -> str:
    """Raises ``DialError("unreachable")``."""
    try:
        uri = parse_uri(target)
    except SipError as error:
        raise DialError("unreachable", "not a URI that can be called") from error
    if uri.scheme not in ("sip", "tel") or not uri.user.isascii() or not uri.user.isalnum():
        raise DialError("unreachable", "cannot call this target: a number at the PBX is needed")
    return uri.user


def _hang_up(dialling: asyncio.Future[StockCall]) -> None:
    """The call went out although nobody waits any more."""
    if not dialling.cancelled() and dialling.exception() is None:
        call = dialling.result()
        threading.Thread(target=functools.partial(_end_when_answered, call), daemon=True).start()


def _end_when_answered(call: StockCall) -> None:
    call.leave()
    call.run()


def _free(host: str, port: int) -> int:
    """``port``, or one that the system chooses for 0. Raises ``LineError("port_in_use")``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((host, port))
        except OSError as error:
            raise LineError("port_in_use", f"UDP port {port} on {host} cannot be had") from error
        found: int = sock.getsockname()[1]
        return found
