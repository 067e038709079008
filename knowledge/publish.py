"""Publishing: what editors approved becomes what is said, through the gate, and back one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from knowledge.editing import Act, MatterWords, Place, Version
from knowledge.gateresult import GateResult
from knowledge.search import Search


@dataclass(frozen=True, slots=True)
class Selection:
    """What to publish: ids of versions and codes of matters; None: all that is approved."""

    versions: tuple[int, ...] | None = None
    matters: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What publishing would do, and whether the gate lets it."""

    result: GateResult
    versions: tuple[Version, ...]
    matters: tuple[MatterWords, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """What was done: the release's id, the knowledge revision from now on, and the changes."""

    release: int
    revision: int
    result: GateResult | None
    versions: tuple[Version, ...]
    matters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseNote:
    """A release for the list. ``answers``: ids (``gjj.rent:条件:city``); ``matters``: codes."""

    id: int
    at: datetime
    by: str
    why: str
    revision: int
    answers: tuple[str, ...]
    matters: tuple[str, ...]
    result: dict[str, Any]
    undone_at: datetime | None
    undone_by: str


Hook = Callable[[Sequence[Version]], None]
"""Called after publishing with the versions that are new."""


def rehearse(
    engine: Engine, place: Place, now: datetime, selection: Selection, *,
    live: Search | None = None,
) -> Rehearsal:  # fmt: skip
    """Run the gate without publishing. ``selection`` may name drafts too (state is not asked).

    ``live``: the search over what is published now, if the caller has one (``Published.search()``);
    its trained parts are used again. Takes seconds: call it in a thread.
    Raises ``answer_unknown``, ``matter_unknown``, ``wording_invalid``, ``words_invalid``,
    ``nothing_to_publish``.
    """
    raise NotImplementedError


def would_be(
    engine: Engine, place: Place, selection: Selection, *, live: Search | None = None
) -> Search:
    """The search as it would be with ``selection`` published, to try questions on."""
    raise NotImplementedError


def publish(
    engine: Engine, act: Act, place: Place, selection: Selection | None = None, *, why: str = "",
    live: Search | None = None, done: Hook | None = None,
) -> Publication:  # fmt: skip
    """Publish approved versions and approved words of matters in one transaction.

    Every process says them from its next search on. A version that starts later is kept ready: the
    present one is said until the day before. Takes seconds: call it in a thread.

    Raises ``gate_refused``, ``nothing_to_publish``, ``step_refused`` (not approved),
    ``wording_invalid``, ``words_invalid``, ``publish_busy``.
    """
    raise NotImplementedError


def retire(
    engine: Engine, act: Act, place: Place, version: int, *, edition: int, why: str
) -> Publication:
    """Stop saying a published version; a release of its own, so that it can be undone.

    Raises ``answer_unknown``, ``edit_conflict``, ``step_refused``, ``reason_missing``.
    """
    raise NotImplementedError


def undo_last(engine: Engine, act: Act, *, why: str = "") -> Publication:
    """Take the newest release back, one step: what was said before is said again.

    What it had published is approved again (or pending), not lost. Asks no gate: it was said
    before. Raises ``nothing_to_undo``, ``undo_conflict``.
    """
    raise NotImplementedError


def releases(session: Session, limit: int = 50) -> tuple[ReleaseNote, ...]:
    """The releases, newest first."""
    raise NotImplementedError
