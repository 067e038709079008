"""The caller joined with people: reached one after the other, replaced, given back.

The switchboard of a call works beside the dialogue, not inside it: a database, a recogniser or a
Redis that dies ends no talk between people.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import structlog

from bot.errors import ConversationError
from bot.people import AfterPerson
from config.city import Line as CityLine
from config.targets import HUNT_GROUP, Destination
from telephony import metrics
from telephony.announcing import Announcer
from telephony.company import Company
from telephony.gate import Gate
from telephony.line import Leg
from telephony.parties import CALLER
from telephony.parts import CallParts
from telephony.party import Party
from telephony.plan import Plan
from telephony.queueing import Queueing
from telephony.reaching import Reaching
from telephony.reporting import Report
from turns.calls import CallStage
from turns.calls import Leg as Role
from turns.replies import QUEUE

_log = structlog.get_logger(__name__)


class Switchboard:
    """Connects one call.

    ``on_stage`` is told when the caller is the dialogue's, waits for a person, or has one, and
    whenever the people change.
    """

    def __init__(
        self,
        leg: Leg,
        parts: CallParts,
        conversation: str,
        line: CityLine,
        on_stage: Callable[[CallStage], None],
    ) -> None:
        self._leg = leg
        self._parts = parts
        self._id = conversation
        self._line = line
        self._on_stage = on_stage
        self._work: asyncio.Task[None] | None = None
        self._adding: asyncio.Task[None] | None = None
        self._plan: Plan | None = None
        self._next: Plan | None = None
        self._expected = False
        self._over = asyncio.Event()
        self._alone = asyncio.Event()
        self.tell = Report(parts, conversation)
        self.gate = Gate()
        self.announcer = Announcer(leg, parts, conversation, self.gate)
        self.queue = Queueing(
            parts, conversation, self.announcer, self.gate, self._hunt, self._left_queue
        )
        self.company = Company(leg, parts, conversation, self.tell, self._on_change)
        self.reaching = Reaching(
            leg, parts, self.company, self.announcer, self.gate, self.tell,
            self._on_ringing, self._superseded,
        )  # fmt: skip
        self._handed_over = False
        self.dialogue_lost = False
        """There is nobody to give the caller back to."""

    @property
    def busy(self) -> bool:
        """Whether the caller is with a person, or one is being called for them."""
        return self._plan is not None

    def _superseded(self) -> bool:
        """Whether somebody else is wanted than whoever is being called."""
        return self._next is not None

    @property
    def commanded(self) -> bool:
        """Whether somebody is being called because the desk said so."""
        adding = self._adding is not None and not self._adding.done()
        return adding or bool(self._next or (self._plan and self._plan.command))

    async def connect(self, target: str) -> None:
        """Join the caller with ``target``; returns when they are the dialogue's again, or gone.

        Whoever cannot be dialled is not: then the line's own hunt group is. Who waits in the queue
        (``QUEUE``) goes on with the dialogue meanwhile: this returns at once.
        """
        if not self._expected:
            self.expect(target)
        self._expected = False
        if target != QUEUE:
            await self.until_over()

    def expect(self, target: str) -> None:
        """The caller is being told of ``target``: call it meanwhile, ``connect`` will follow."""
        self._expected = self._handed_over = True
        if target == QUEUE:
            self._wait_for_a_desk()
        elif not self.busy:
            destinations = self._parts.city.destinations(self._line, target)
            if not destinations:
                _log.error("target_refused", code="target_unknown")
                metrics.bridges.labels("target_unknown").inc()
            self.begin(Plan(destinations or self._hunt_group()))

    def _wait_for_a_desk(self) -> None:
        """A desk may have been faster than our words: nobody waits who is being joined, or is."""
        if self.company.parties:
            return
        self.queue.enter()
        if self.busy:
            self.queue.pause()
        else:
            self._on_stage("waiting")

    @contextlib.contextmanager
    def saying(self, *, must_be_heard: bool) -> Iterator[None]:
        """The dialogue speaks while inside; nobody is joined before what must be heard is."""
        with self.queue.saying(), self.gate.closed() if must_be_heard else contextlib.nullcontext():
            yield

    async def until_over(self) -> None:
        """Return when the caller has no person any more and none is being called."""
        if self.busy:
            await self._over.wait()

    def begin(self, plan: Plan) -> None:
        """Carry out ``plan``; what is being tried now, or the people there are, make room for it.

        Who has been handed over already is not given back to the dialogue, whatever becomes of it.
        """
        queued = plan.queued or bool(plan.command and self.queue.waits)
        if not self.busy:
            self._over.clear()
            self._plan = replace(plan, queued=queued)
            self._work = asyncio.create_task(self._run(self._plan))
            return
        self._next = replace(plan, back=False, queued=queued)
        self.reaching.stop()
        self.announcer.cut()
        self.company.part_all()

    def add(self, destinations: tuple[Destination, ...], role: Role, command: str) -> None:
        """Call a further party into the talk, which goes on meanwhile."""
        self._adding = asyncio.create_task(self._add(destinations, role, command))
        self._adding.add_done_callback(lambda _: self._on_change())

    async def close(self) -> None:
        """The call is over: everybody is freed."""
        tasks = [task for task in (self._work, self._adding) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.queue.leave()
        self.announcer.silence()
        self.company.end()
        await self.company.gone()

    async def _run(self, plan: Plan | None) -> None:
        try:
            while plan is not None:
                self._plan = plan
                plan = await self._serve(plan)
        except asyncio.CancelledError:
            if self._plan is not None:
                self._gone("target", self._plan.command)
            raise
        except Exception as error:  # noqa: BLE001  # the caller must not hang in the air
            _log.error("switchboard_broken", kind=type(error).__name__)
            await self._leg.hang_up()
        finally:
            self._plan = None
            self.announcer.silence()
            self.company.end()
            self._over.set()
            self.queue.resume()

    async def _serve(self, plan: Plan) -> Plan | None:
        """Reach somebody and wait until they are gone; what to do then."""
        if not plan.queued:
            self.queue.leave()
        dialler = self.reaching.dialler("target", plan.command, whisper=self._whispers(plan))
        party = await self.reaching.reach(plan, dialler)
        self._alone.clear()
        if party is None or not self.company.join(party):
            return self._take_next() or await self._nobody(plan, dialler.cause or "no_answer")
        self._plan = replace(plan, command="")
        self.queue.leave()
        self._bridged(party, plan.command)
        with contextlib.suppress(ConversationError):  # logged where it was raised
            await self._parts.core.connected(self._id, self._parts.now())
        await self._alone.wait()
        return self._take_next() or await self._left_alone()

    def _take_next(self) -> Plan | None:
        plan, self._next = self._next, None
        return plan

    def _on_ringing(self) -> None:
        self.queue.pause()
        self._on_stage("ringing")

    def _bridged(self, party: Party, command: str) -> None:
        metrics.bridges.labels("connected").inc()
        _log.info("call_bridged")
        self.tell("bridged", "target", command=command, target=party.destination.name, done=True)
        self._on_stage("person")

    async def _nobody(self, plan: Plan, cause: str) -> Plan | None:
        """Nobody came: back to the dialogue, or the hunt group, or the end; the caller is told.

        The conversation hears of it, so that somebody calls back.
        """
        if plan.command:
            # The next agent may take them from now on, whatever they are being told.
            self._plan = replace(plan, command="")
            self.tell("failed", "target", cause=cause, command=plan.command, done=True)
        if self.queue.waits and plan.queued:
            return await self._wait_on()
        if plan.command and await self.queue.stands():
            self.queue.enter()
            return await self._wait_on()
        if plan.back and not self._handed_over and not self.dialogue_lost:
            return await self._give_back()
        hunt_group = self._hunt_group()
        if plan.command and hunt_group[0].uri not in {one.uri for one in plan.destinations}:
            await self.announcer.announce("next_person")
            return self._take_next() or Plan(hunt_group)
        with contextlib.suppress(ConversationError):  # logged where it was raised
            await self._parts.core.not_connected(self._id, self._parts.now(), cause)
        await self.announcer.announce("nobody_answers")
        return await self._goodbye()

    async def _wait_on(self, prompt: str = "waiting_again") -> Plan | None:
        """The caller keeps their place in the queue, unless somebody is wanted meanwhile."""
        self.company.end()
        await self.announcer.announce(prompt)
        plan = self._take_next()
        if plan is None:
            self._on_stage("waiting")
        return plan

    def _hunt(self, keep: bool) -> None:
        """Nobody at a desk takes them: the line's hunt group."""
        if not self.busy:
            self.begin(Plan(self._hunt_group(), queued=keep))

    def _left_queue(self) -> None:
        """They wait no more, and nobody has taken them: the dialogue goes on."""
        self.queue.leave()
        self.announcer.silence()
        self._handed_over = False
        if not self.busy:
            self._on_stage("bot")

    def _whispers(self, plan: Plan) -> bool:
        return plan.queued and bool(plan.command) and self._parts.city.queue.announcements.whisper

    async def _left_alone(self) -> Plan | None:
        """The person hung up first."""
        after = await self._after_person()
        if after == "queue":
            self.queue.enter()
            return await self._wait_on("waiting_passed_on")
        if after == "survey" and not self.dialogue_lost:
            return await self._survey()
        if after == "bot" and not self.dialogue_lost:
            return await self._give_back()
        await self.announcer.announce("person_left")
        return await self._goodbye()

    async def _after_person(self) -> AfterPerson:
        try:
            return await self._parts.core.person_left(self._id, self._parts.now())
        except ConversationError:  # logged where it was raised
            return self._parts.city.targets.after_person

    async def _survey(self) -> Plan | None:
        """The dialogue asks what they thought of it; it has them from now on."""
        self.company.end()
        self._handed_over = False
        plan = self._take_next()
        if plan is not None:
            return plan
        self.tell("back", CALLER)
        self._on_stage("bot")
        with contextlib.suppress(ConversationError):  # logged where it was raised
            if await self._parts.core.ask_survey(self._id, self._parts.now()):
                return None
        await self.announcer.announce("person_left")
        return await self._goodbye()

    async def _goodbye(self) -> Plan | None:
        """The end, unless somebody is wanted meanwhile."""
        plan = self._take_next()
        if plan is None:
            await self._leg.hang_up()
        return plan

    async def _give_back(self) -> Plan | None:
        """The dialogue has the caller again, unless somebody is wanted meanwhile."""
        self.company.end()
        self._handed_over = False
        with contextlib.suppress(ConversationError):  # logged where it was raised
            await self._parts.core.parted(self._id)
        await self.announcer.announce("back_to_bot")
        plan = self._take_next()
        if plan is None:
            self.tell("back", CALLER)
            self._on_stage("bot")
        return plan

    async def _add(self, destinations: tuple[Destination, ...], role: Role, command: str) -> None:
        dialler = self.reaching.dialler(role, command)
        try:
            party = await dialler.reach(destinations, self._leg.caller)
        except asyncio.CancelledError:
            self._gone(role, command)
            raise
        finally:
            self.reaching.called = ()
        if party is None or not self.company.join(party):
            cause = dialler.cause or "no_answer"
            self.tell("failed", role, cause=cause, command=command, done=True)
            return
        self.announcer.silence()
        self.tell("joined", role, command=command, target=party.destination.name, done=True)
        self._on_stage("person")

    def _gone(self, role: Role, command: str) -> None:
        if command:
            self.tell("failed", role, cause="caller_gone", command=command, done=True)

    def changed(self) -> None:
        """Who is held or not has changed by a command."""
        if self.company.parties:
            self._on_stage("person")

    def _on_change(self) -> None:
        """Somebody came, left, held or resumed; who is left alone rings, or is served on."""
        if self.company.parties:
            self._on_stage("person")
        elif self.busy and self._adding is not None and not self._adding.done():
            self.announcer.ring()
        else:
            self._alone.set()

    def _hunt_group(self) -> tuple[Destination, ...]:
        return self._parts.city.destinations(self._line, HUNT_GROUP)
