"""A release as a row: what it changed, and what is needed to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.editing import WORD_FIELDS, Act, Version
from knowledge.gateresult import GateResult
from knowledge.schedule import own_end
from knowledge.versionrows import key_of, plain, version_of
from store import audit
from store.tables import Answer, Matter, Release

Image = dict[str, Any]
"""A row as JSON, as far as publishing changes it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What was done: the release's id, the knowledge revision from now on, and the changes.

    ``versions`` are those whose state the release changed on purpose (published, retired, taken
    back); ``matters`` the codes whose words changed. ``result`` is the gate's, None without one.
    """

    release: int
    revision: int
    result: GateResult | None
    versions: tuple[Version, ...]
    matters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseNote:
    """A release for the list. ``answers``: ids (``gjj.rent:条件:city``); ``matters``: codes.

    ``kind``: ``published`` or ``retired``.
    """

    id: int
    at: datetime
    by: str
    why: str
    kind: str
    revision: int
    answers: tuple[str, ...]
    matters: tuple[str, ...]
    result: dict[str, Any]
    undone_at: datetime | None
    undone_by: str


def releases(session: Session, limit: int = 50) -> tuple[ReleaseNote, ...]:
    """The releases, newest first."""
    rows = session.scalars(select(Release).order_by(Release.id.desc()).limit(limit))
    return tuple(
        ReleaseNote(
            row.id, row.at, row.actor, row.why, row.changes.get("kind", "published"), row.revision,
            tuple(row.changes.get("made", ())),
            tuple(one["code"] for one in row.changes.get("matters", ())),
            row.result, row.undone_at, row.undone_by,
        )
        for row in rows
    )  # fmt: skip


class Releasing:
    """Collects what a release changes, then writes its row and its line in the audit."""

    def __init__(self, session: Session, act: Act, why: str) -> None:
        self._session, self._act, self._why = session, act, why
        self._rows: dict[int, tuple[Answer, Image]] = {}
        self._matters: dict[str, tuple[Matter, Image]] = {}

    def before(self, *rows: Answer) -> None:
        """Remember how these rows are now."""
        for row in rows:
            self._rows.setdefault(row.id, (row, image_of(self._session, row)))

    def before_words(self, matter: Matter) -> None:
        """Remember how the matter's words are now."""
        self._matters.setdefault(matter.code, (matter, words_image(matter)))

    def done(
        self, revision: int, result: GateResult | None, made: Sequence[Answer],
        matters: Sequence[Matter] = (),
    ) -> Publication:  # fmt: skip
        """Write the release; ``made`` are the rows it is about."""
        release = Release(
            at=self._act.at, actor=self._act.by, why=self._why, revision=revision,
            result=result.as_json() if result else {}, changes={}, undone_by="",
        )  # fmt: skip
        self._session.add(release)
        self._session.flush()
        kind = "published" if result is not None else "retired"
        for row in made:
            if result is not None:
                row.release_id = release.id
        release.changes = self._changes(kind, made)
        self._session.flush()
        versions = tuple(version_of(self._session, row) for row in made)
        codes = tuple(matter.code for matter in matters)
        self._audit(f"knowledge_{kind}", release.id, revision, made, codes)
        return Publication(release.id, revision, result, versions, codes)

    def _changes(self, kind: str, made: Sequence[Answer]) -> dict[str, Any]:
        answers = [
            {"id": number, "before": image, "after": image_of(self._session, row)}
            for number, (row, image) in self._rows.items()
        ]
        matters = [
            {"code": code, "before": image, "after": words_image(row)}
            for code, (row, image) in self._matters.items()
        ]
        return {
            "kind": kind, "made": [key_of(row).id for row in made],
            "versions": [row.id for row in made], "answers": answers, "matters": matters,
        }  # fmt: skip

    def _audit(
        self, action: str, release: int, revision: int, made: Sequence[Answer],
        matters: Sequence[str],
    ) -> None:  # fmt: skip
        data = {
            "revision": revision,
            "answers": [f"{key_of(row).id} {row.version}" for row in made],
            "matters": list(matters), "why": self._why,
        }  # fmt: skip
        audit.write(
            self._session, self._act.key, at=self._act.at, actor=self._act.by, action=action,
            target=f"release:{release}", data=data,
        )  # fmt: skip


def image_of(session: Session, row: Answer) -> Image:
    """What of an answer's row publishing changes."""
    return {
        "state": row.state, "speech": row.speech, "valid_to": plain(row.valid_to),
        "own_end": plain(own_end(session, row)), "release": row.release_id,
        "changed_by": row.changed_by,
    }  # fmt: skip


def put_image(row: Answer, image: Image) -> None:
    """Give the row back what it had."""
    row.state, row.speech = image["state"], image["speech"]
    row.valid_to = date.fromisoformat(image["valid_to"]) if image["valid_to"] else None
    row.release_id, row.changed_by = image["release"], image["changed_by"]


def words_image(matter: Matter) -> Image:
    """What of a matter's row publishing changes."""
    fields = {name: getattr(matter, name) for name in WORD_FIELDS}
    return {"fields": fields, "pending": matter.pending, "changed_by": matter.changed_by}
