"""The published answers as the database has them, ready to be searched; always the newest."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from knowledge import metrics
from knowledge.decision import Calibration
from knowledge.editing import WORD_FIELDS
from knowledge.matters import MatterEntry, PublishedAnswer, answer_id
from knowledge.search import Search
from store.engine import reading
from store.faults import fault_of
from store.tables import Answer, KnowledgeRevision, Matter

_log = structlog.get_logger(__name__)

_REVISION = select(KnowledgeRevision.revision)


class KnowledgeError(Exception):
    """Nothing can be looked up; ``code`` is ``knowledge_unavailable``."""

    code = "knowledge_unavailable"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Matters and published answers of one revision; what is not yet or no longer valid too."""

    revision: int
    matters: tuple[MatterEntry, ...]
    answers: tuple[PublishedAnswer, ...]


class Published:
    """Keeps one :class:`Search` and makes a new one when the knowledge revision has grown.

    Safe to share between threads. While the database does not answer, what was published last
    goes on being said.
    """

    def __init__(
        self, engine: Engine, *, parents: Mapping[str, str] | None = None,
        regions: Mapping[str, str] | None = None, calibration: Calibration | None = None,
        zone: tzinfo = UTC, cache: Path | None = None,
    ) -> None:  # fmt: skip
        """``parents``: from a region's code to the one around it; ``regions``: to its name,
        ``city`` to the city's own;
        ``calibration`` and ``zone``: the city's. ``cache``: a folder that keeps trained
        classifiers from start to start.
        """
        self._engine = engine
        self._reader = engine.execution_options(reading_only=True)
        self._parents = dict(parents or {})
        self._regions = dict(regions or {})
        self._calibration = calibration
        self._zone = zone
        self._cache = cache
        self._lock = threading.Lock()
        self._search: Search | None = None
        self._revision = -1

    def search(self) -> Search:
        """The search over what is published now; raises :class:`KnowledgeError`.

        One small query when nothing has changed.
        """
        with self._lock:
            try:
                if self._search is not None and self._unchanged():
                    return self._search
                with reading(self._engine) as session:
                    return self._fresh(session)
            except SQLAlchemyError as error:
                if self._search is None:
                    raise KnowledgeError("the database does not answer") from error
                _log.warning("knowledge_not_refreshed", code="store_down", fault=fault_of(error))
                return self._search

    def _unchanged(self) -> bool:
        """Asked at every turn, so without a session: that would cost twice what the query does."""
        with self._reader.connect() as connection:
            return (connection.scalar(_REVISION) or 0) == self._revision

    def _fresh(self, session: Session) -> Search:
        found = snapshot(session)
        self._search = Search.build(
            found.matters, found.answers, reuse=self._search, calibration=self._calibration,
            parents=self._parents, regions=self._regions, zone=self._zone,
            cache=self._cache,
        )  # fmt: skip
        self._revision = found.revision
        metrics.answers.set(len(found.answers))
        _log.info(
            "knowledge_loaded", revision=found.revision, matters=len(found.matters),
            answers=len(found.answers),
        )  # fmt: skip
        return self._search


def revision(session: Session) -> int:
    """The knowledge revision; 0 before anything was published."""
    return session.scalar(_REVISION) or 0


def snapshot(session: Session) -> Snapshot:
    """What is published, in one transaction's view."""
    number = revision(session)
    stored = session.scalars(select(Matter).order_by(Matter.position, Matter.code))
    matters = tuple(entry_of(row.code, _words(row)) for row in stored if not is_new(row))
    names = {matter.code: matter.name for matter in matters}
    rows = session.scalars(select(Answer).where(Answer.state == "published").order_by(Answer.id))
    answers = tuple(
        published_of(row, names[row.matter_code]) for row in rows if row.matter_code in names
    )
    return Snapshot(number, matters, answers)


def is_new(row: Matter) -> bool:
    """Whether an editor made the matter and nothing of it was published yet."""
    return bool(row.pending and row.pending.get("new"))


def entry_of(code: str, words: Mapping[str, Any]) -> MatterEntry:
    """A matter from its fields as the database keeps them."""
    return MatterEntry(
        code, words["name"], words["department"], words["merged_line"], tuple(words["aliases"]),
        tuple(words["phrasings"]),
        {aspect: tuple(texts) for aspect, texts in words["questions"].items()},
        {aspect: tuple(texts) for aspect, texts in words["golden"].items()},
    )  # fmt: skip


def _words(row: Matter) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in WORD_FIELDS}


def published_of(row: Answer, matter_name: str) -> PublishedAnswer:
    """A row as what may be said."""
    return PublishedAnswer(
        id=answer_id(row.matter_code, row.aspect, row.region),
        matter=row.matter_code,
        matter_name=matter_name,
        aspect=row.aspect,
        region=row.region,
        text=row.text,
        speech=row.speech,
        source=source_line(row.document, row.article),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        version=row.version,
        sample=row.sample,
    )


def source_line(document: str, article: str) -> str:
    """The source as it is shown: document and article."""
    return f"{document}{article}"
