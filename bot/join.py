"""Join the conversation core from its real parts, alike in every process that serves citizens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine

from bot.bus import Bus
from bot.conversation import Conversations, Dialogue, Parts
from bot.jsonhttp import JsonHttp
from bot.lookahead import Lookahead
from bot.noting import noter
from bot.rasa_client import RasaClient
from bot.service_queue import ServiceQueue
from bot.urgent import Urgent, urgent
from bot.urgent_opinion import standard
from bot.urgent_words import UrgentWords
from config.city import City, load_city
from config.errors import ConfigError
from config.settings import Settings
from handoff.classify import rules_of
from handoff.filled import fields_filled
from handoff.order.journal import journal_of
from handoff.prefill import Said
from handoff.told import Spoken
from store.engine import reading
from store.tables import Matter
from turns.orders import OrderField

_ANY = "阳光花园小区三号楼昨天晚上十点有人说拖欠工资三千二百元，电话13800138000，想要退款"
_LAST_TEXTS = 64
"""A dangerous turn is asked about two or three times, and so is what was heard half of."""
_LOOK_AHEAD_S = 1.0
"""Longer than a pause before the end of a turn, it tells nothing any more."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def join(
    settings: Settings,
    city: City,
    engine: Engine,
    *,
    now: Callable[[], datetime] = _utc_now,
    dialogue: Dialogue | None = None,
) -> tuple[Conversations, Bus]:
    """The core and its bus; ``Bus.start`` and ``Bus.stop`` are the caller's."""
    bus, learned = Bus(settings.redis), settings.data_dir / "learned"
    dialogue = dialogue or RasaClient(settings.rasa_address, settings.rasa_timeout_s)
    parts = Parts(
        engine=engine,
        city=city,
        dialogue=dialogue,
        bus=bus,
        urgent=urgent_rule(city),
        matter_facts=matter_facts(engine),
        extract=extractor(city, learned),
        now=now,
        foresight=_foresight(settings, dialogue),
        journal=journal_of(settings),
        queue=ServiceQueue(engine, city.queue, lambda: not bus.down),
        note=noter(rules_of(city, learned)),
    )
    return Conversations(parts), bus


def _foresight(settings: Settings, dialogue: Dialogue) -> Lookahead | None:
    if not isinstance(dialogue, RasaClient):
        return None
    return Lookahead(dialogue, JsonHttp(settings.actions_address, _LOOK_AHEAD_S))


def read_city(folder: Path) -> City:
    """The city's folder, with its urgent words checked as well; raises :class:`ConfigError`."""
    city = load_city(folder)
    try:
        UrgentWords.from_dict(city.urgent)
    except ValueError as error:
        raise ConfigError("config_invalid", f"urgent.yaml: {error}") from None
    return city


def urgent_rule(city: City) -> Callable[[str], Urgent | None]:
    """Danger and the wish for a person, by the city's words; remembers the last few texts."""
    words = UrgentWords.from_dict(city.urgent)
    return lru_cache(maxsize=_LAST_TEXTS)(lambda text: urgent(text, words))


def matter_facts(engine: Engine) -> Callable[[str], tuple[str, str]]:
    """Name and department of a matter code, from the database; ('', '') where unknown."""

    def facts(code: str) -> tuple[str, str]:
        if not code:
            return "", ""
        with reading(engine) as session:
            row = session.get(Matter, code)
            return (row.name, row.department) if row else ("", "")

    return facts


def warm(city: City, learned: Path | None = None) -> None:
    """Load what the first turn and the first hand-over of a process would else wait for: calendars,
    places, weights. Synchronous, some hundred ms: in a thread, before anybody is served.
    """
    now = datetime.now(city.zone)
    standard().score(_ANY)
    said = Said("warm", _ANY, now, 1.0, "")
    extractor(city, learned)((said,), now)


def extractor(
    city: City, data: Path | None = None
) -> Callable[[tuple[Said, ...], datetime], tuple[OrderField, ...]]:
    """Fields found in what was said, each with the turn it came from, and what follows from them:
    kind, class, urgency, departments. Not the content: prefill puts it together.
    """
    rules = rules_of(city, data)

    def extract(said: tuple[Said, ...], _: datetime) -> tuple[OrderField, ...]:
        turns = [Spoken(one.id, one.text, one.at, one.confidence, "citizen", one.act)
                 for one in said]  # fmt: skip
        return fields_filled(turns, rules)

    return extract
