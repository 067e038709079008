"""What the desk may do with one call: each verb, and why it cannot be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from config.city import City
from config.city import Line as CityLine
from config.targets import Destination
from telephony import metrics
from telephony.connecting import Switchboard
from telephony.line import Leg, LineError, Referred
from telephony.parties import CALLER, ROLES
from telephony.plan import Plan
from turns.calls import CallCommand, CallState
from turns.calls import Leg as Role

_log = structlog.get_logger(__name__)
REFER_S = 30.0
"""How long a trunk may take for a blind transfer before we make it ourselves."""


class CommandError(Exception):
    """A command that cannot be carried out; ``code`` is one of ``turns.calls.FAILURES``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Commands:
    """The commands for one call, carried out beside each other; every one ends in an event that is
    ``done``.
    """

    def __init__(self, leg: Leg, city: City, line: CityLine, switchboard: Switchboard) -> None:
        self._leg = leg
        self._city = city
        self._line = line
        self._board = switchboard
        self._tasks: set[asyncio.Task[None]] = set()
        self._referring: CallCommand | None = None
        self._verbs: dict[str, Callable[[CallCommand], Awaitable[None]]] = {
            "bridge": self._bridge,
            "transfer": self._transfer,
            "three_way": self._three_way,
            "whisper": self._whisper,
            "hold": self._hold,
            "resume": self._hold,
            "mute": self._mute,
            "unmute": self._mute,
            "hangup": self._hang_up,
        }

    def take(self, command: CallCommand) -> None:
        """Carry it out, in a task of its own."""
        task = asyncio.create_task(self._carry_out(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def progress(self, event: Referred) -> None:
        """News of a blind transfer."""
        if self._referring is not None and event.status < 200:
            self._board.tell("transferring", CALLER, cause=str(event.status),
                             command=self._referring.id)  # fmt: skip

    async def close(self) -> None:
        """The call is over: nothing more is done with it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, command: CallCommand) -> None:
        code = "ok"
        try:
            await self._verbs[command.verb](command)
        except CommandError as error:
            code = error.code
            self._failed(command, code)
        except asyncio.CancelledError:
            self._gone(command)
            raise
        except Exception as error:  # noqa: BLE001  # whatever breaks, who commanded it must hear
            _log.error("command_broken", verb=command.verb, kind=type(error).__name__)
            code = "command_failed"
            self._failed(command, code)
        metrics.commands.labels(command.verb, code).inc()

    def _gone(self, command: CallCommand) -> None:
        """The call ended meanwhile; after a transfer that is as it should be."""
        if self._leg.ended is not None and self._leg.ended.cause == "transferred":
            self._board.tell("transferred", CALLER, cause="200", command=command.id, done=True)
        else:
            self._failed(command, "caller_gone")

    def _failed(self, command: CallCommand, code: str) -> None:
        role = CALLER if command.verb in ("hold", "resume", "hangup") else "target"
        self._board.tell("failed", role, cause=code, command=command.id,
                         target=command.target[:64], done=True)  # fmt: skip

    # Whom to call

    async def _bridge(self, command: CallCommand) -> None:
        destinations = self._destinations(command)
        self._must_be_free()
        if self._board.company.parties:
            raise CommandError("in_progress")
        self._board.begin(Plan(destinations, command.id, back=not self._board.busy))

    async def _transfer(self, command: CallCommand) -> None:
        destinations = self._destinations(command)
        self._must_be_free()
        if destinations[0].refer and await self._referred(command, destinations[0]):
            return
        if self._leg.ended is not None:
            raise CommandError("caller_gone")
        self._board.begin(Plan(destinations, command.id, back=not self._board.busy))

    async def _referred(self, command: CallCommand, destination: Destination) -> bool:
        """Whether the trunk took the caller there; what it refuses we do by a bridge."""
        self._referring = command
        self._board.tell("transferring", CALLER, command=command.id, target=destination.name)
        try:
            status = await self._leg.refer(destination.uri, timeout_s=REFER_S)
        except LineError as error:
            return self._not_referred(command, destination, error.code)
        finally:
            self._referring = None
        if status >= 300:
            return self._not_referred(command, destination, str(status))
        self._board.tell("transferred", CALLER, cause=str(status), command=command.id,
                         target=destination.name, done=True)  # fmt: skip
        await self._leg.hang_up()  # who told 202 and no more has the caller now
        return True

    def _not_referred(self, command: CallCommand, destination: Destination, cause: str) -> bool:
        self._board.tell("failed", CALLER, cause=cause, command=command.id,
                         target=destination.name)  # fmt: skip
        return False

    async def _three_way(self, command: CallCommand) -> None:
        destinations = self._destinations(command)
        if not destinations[0].three_way:
            raise CommandError("target_refused")
        if not self._board.company.parties:
            raise CommandError("not_connected")
        self._must_be_free()
        role = self._board.company.free_role
        if role is None:
            raise CommandError("in_progress")
        allowed = tuple(one for one in destinations if one.three_way)
        self._board.add(allowed, role, command.id)

    def _destinations(self, command: CallCommand) -> tuple[Destination, ...]:
        found = self._city.destinations(self._line, command.target)
        if not found:
            metrics.bridges.labels("target_unknown").inc()
            _log.warning("target_refused", code="target_unknown", verb=command.verb)
            raise CommandError("target_unknown")
        return found

    def _must_be_free(self) -> None:
        if self._board.commanded or self._referring:
            raise CommandError("in_progress")

    # Who is there

    async def _hold(self, command: CallCommand) -> None:
        role = self._role(command, CALLER)
        parked = command.verb == "hold"
        talk = self._board.company.talk
        if talk is None or not talk.park(role, parked):
            raise CommandError("not_connected")
        self._done(command, "held" if parked else "resumed", role)

    async def _mute(self, command: CallCommand) -> None:
        role = self._role(command, "target")
        muted = command.verb == "mute"
        talk = self._board.company.talk
        if talk is None or not talk.mute(role, muted):
            raise CommandError("not_connected")
        self._done(command, "muted" if muted else "unmuted", role)

    async def _whisper(self, command: CallCommand) -> None:
        role = self._role(command, "target")
        company = self._board.company
        if role not in company.parties or company.talk is None:
            raise CommandError("not_connected")
        pcm = await self._board.announcer.order_for_desk()
        try:
            await company.talk.whisper(role, pcm).done
        except LineError:
            raise CommandError("not_connected") from None
        self._done(command, "whispered", role)

    async def _hang_up(self, command: CallCommand) -> None:
        role = self._role(command, CALLER)
        if role != CALLER:
            if not self._board.company.part(role):
                raise CommandError("not_connected")
            self._done(command, "left", role)
            return
        self._done(command, "ended", role)
        await self._leg.hang_up()

    def _role(self, command: CallCommand, usual: Role) -> Role:
        wanted = command.target or usual
        role = next((role for role in ROLES if role == wanted), None)
        if role is None or (command.verb != "hangup" and not self._board.company.parties):
            raise CommandError("not_connected")
        return role

    def _done(self, command: CallCommand, state: CallState, role: Role) -> None:
        self._board.tell(state, role, command=command.id, done=True)
        self._board.changed()
