"""Trackers made and filled quickly.

A tracker gets a copy of each of the domain's slots, six times a turn, and ``copy.copy`` goes by
pickling's way for them; and for each event that is read, Rasa looks through all kinds of events
anew, and asks of each whether it is abstract.
"""

from __future__ import annotations

from typing import Any

from rasa.shared.core.events import Event
from rasa.shared.core.slots import Slot


def install() -> None:
    """Copy slots directly, and remember the kinds of events."""
    rasas_resolve = Event.resolve_by_type
    kinds: dict[str, type[Event]] = {}

    def resolve(type_name: str, default: type[Event] | None = None) -> type[Event] | None:
        kind = kinds.get(type_name)
        if kind is None:
            kind = rasas_resolve(type_name, default)
            if kind is not None and kind.type_name == type_name:
                kinds[type_name] = kind
        return kind

    Event.resolve_by_type = staticmethod(resolve)
    Slot.__copy__ = copied


def copied(slot: Slot) -> Slot:
    """As ``copy.copy``'s of an object without a way of its own: a new one, the same attributes."""
    new: Any = slot.__class__.__new__(slot.__class__)
    new.__dict__.update(slot.__dict__)
    return new
