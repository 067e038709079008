"""Asking a citizen what they thought of the person they talked with: two questions at most."""

from __future__ import annotations

from datetime import datetime

import structlog

from bot.ledger import Ledger
from bot.parts import Parts
from bot.triage import Prompt, ToDialogue, Way
from config.prompts import Prompts
from handoff import survey
from handoff.survey import LABELS, How, Score
from turns.heard import Heard
from turns.replies import Ask, Bye, Option, Reply, Say

ASKED_SCORE, ASKED_WHY, ASKED_SOLVED = ".survey", ".survey_why", ".survey_solved"
"""The ends of the ids of our questions."""
_log = structlog.get_logger(__name__)
Known = tuple[str, str]


class Surveying:
    """The survey of one conversation after the other."""

    def __init__(self, parts: Parts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger

    async def begin(self, conversation: str, at: datetime) -> bool:
        """Ask, where the city wants it and nobody has; whether we did. Raises
        :class:`ConversationError`."""
        if not self._parts.city.targets.survey:
            return False
        asked = await self._ledger.call(survey.begin, conversation, at)
        if asked is None:
            return False
        ask = _ask_score(self._parts.city.prompts, asked.handoff)
        await self._ledger.tell(conversation, ask, speaker="bot", at=at)
        return True

    async def answer(self, way: Way, heard: Heard, question: str) -> Known | None:
        """What they say to ``question``; None where that is none of ours, or it is no answer."""
        if not question.endswith((ASKED_SCORE, ASKED_WHY, ASKED_SOLVED)):
            return None
        if isinstance(way, Prompt):  # silence, or noise: nobody is asked twice
            return await self._over(heard, thanks=not question.endswith(ASKED_SCORE))
        if not isinstance(way, ToDialogue):
            return None
        if question.endswith(ASKED_SCORE):
            return await self._scored(heard)
        if question.endswith(ASKED_WHY):
            await self._keep(heard, why="" if heard.kind == "keys" else heard.text)
            return await self._over(heard, thanks=True)
        solved = survey.solved_of(heard.text)
        if solved is None:
            return None
        await self._keep(heard, solved=solved)
        return await self._over(heard, thanks=True)

    async def _scored(self, heard: Heard) -> Known | None:
        given = survey.score_of(heard.text)
        if given is None:
            return None
        at = self._parts.now()
        await self._ledger.call(survey.score, heard.conversation, given, _how(heard), at)
        _log.info("survey_scored", score=given)
        await self._ledger.reply(heard, _ask_more(self._parts.city.prompts, heard.id, given))
        return "", "survey"

    async def _keep(self, heard: Heard, *, why: str = "", solved: bool | None = None) -> None:
        at = self._parts.now()
        await self._ledger.call(survey.explain, heard.conversation, at, why=why, solved=solved)

    async def _over(self, heard: Heard, *, thanks: bool) -> Known:
        """The end: a caller is hung up where the city says goodbye after a person."""
        city, prompts = self._parts.city, self._parts.city.prompts
        voice = heard.channel == "phone"
        ends = voice and city.targets.after_person == "goodbye"
        text = prompts.survey_thanks if thanks else ""
        if ends:
            text = text + prompts.survey_bye if thanks else prompts.person_left
        text = text or (prompts.back_to_bot if voice else prompts.back_to_bot_chat)
        say = Say(f"{heard.id}.survey_over", text, interruptible=not ends)
        told: tuple[Reply, ...] = (say, Bye(f"{heard.id}.bye")) if ends else (say,)
        await self._ledger.reply(heard, *told)
        return "", "survey"


def _ask_score(prompts: Prompts, handoff: str) -> Ask:
    options = tuple(Option(label, label) for label in LABELS.values())
    return Ask(f"{handoff}{ASKED_SCORE}", prompts.survey, options, "choice",
               speech=prompts.survey_call)  # fmt: skip


def _ask_more(prompts: Prompts, turn: str, given: Score) -> Ask:
    if given == "dissatisfied":
        return Ask(f"{turn}{ASKED_WHY}", prompts.survey_why)
    options = (Option("解决了", "解决了"), Option("没有解决", "没有解决"))
    return Ask(f"{turn}{ASKED_SOLVED}", prompts.survey_solved, options, "yes_no",
               speech=prompts.survey_solved_call)  # fmt: skip


def _how(heard: Heard) -> How:
    return "keys" if heard.kind == "keys" else "voice" if heard.kind == "speech" else "button"
