"""What editors work with: an answer's versions, a matter's words, and what may go wrong.

Everything here is a frozen value; ``knowledge.versions``, ``knowledge.words`` and
``knowledge.publish`` read and write the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal

from config.city import City
from knowledge.matters import CITY, answer_id

if TYPE_CHECKING:
    from knowledge.decision import Calibration

State = Literal["draft", "checked", "approved", "published", "retired"]
OPEN: tuple[State, ...] = ("draft", "checked", "approved")
"""States of a version that was not published yet: an answer has at most one such version."""


class EditError(Exception):
    """A step that was refused; ``code`` is stable, the message is Chinese, for people.

    ``data`` is JSON for the page. Codes:

    - ``answer_unknown``, ``matter_unknown``, ``region_unknown``, ``aspect_unknown``,
      ``matter_taken``, ``matter_code_invalid``
    - ``edit_conflict``: somebody else changed it since; ``data``: ``by``, ``at`` (ISO),
      ``edition``, ``changed`` (names of the fields that differ from what was sent), ``theirs``
      (those values)
    - ``step_refused``: not from this state; ``data``: ``state``
    - ``second_person``: the writer may not approve; ``data``: ``writers`` (logins)
    - ``reason_missing``: this step needs a reason
    - ``wording_invalid``, ``words_invalid``: ``data``: ``faults``, each ``field``, ``code``,
      ``message``
    - ``gate_refused``: ``data`` is the gate's result as JSON
    - ``import_refused``: ``data``: ``faults``, each ``place``, ``code``, ``message``
    - ``approver_missing``: a command names nobody who may approve
    - ``publish_busy``: others kept publishing meanwhile; try again
    - ``nothing_to_publish``, ``nothing_to_undo``
    - ``undo_conflict``: what was published has been changed since; ``data``: ``answers``,
      ``matters``
    """

    def __init__(self, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it (a login, ``command-line``, ``system``), when (aware), and the audit's key."""

    by: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Place:
    """The city as the rules need it: its zone, its regions' names by code and what lies around
    each, and by what its search decides (None: as built in).
    """

    zone: tzinfo = UTC
    parents: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, str] = field(default_factory=lambda: {CITY: "全市"})
    calibration: Calibration | None = None

    def day(self, moment: datetime) -> date:
        """The city's day at ``moment`` (aware)."""
        return moment.astimezone(self.zone).date()


def place_of(city: City) -> Place:
    """The city's place: regions by code with their names; ``city`` is the whole of it.

    Raises :class:`config.errors.ConfigError` for a broken calibration.
    """
    from knowledge.calibration import read_calibration  # numpy: not for who only edits

    named = {region.code: region.name for region in city.regions}
    parents = {region.code: region.parent for region in city.regions if region.parent}
    regions = {CITY: named.get(CITY, city.name), **named}
    return Place(city.zone, parents, regions, read_calibration(city.folder))


@dataclass(frozen=True, slots=True, order=True)
class AnswerKey:
    """Which answer: one aspect of a matter in one region."""

    matter: str
    aspect: str
    region: str = CITY

    @property
    def id(self) -> str:
        """The stable name, ``gjj.rent:条件:city``."""
        return answer_id(self.matter, self.aspect, self.region)


@dataclass(frozen=True, slots=True)
class Wording:
    """What an editor writes. ``speech`` may be empty: it is then derived from ``text``.

    ``valid_from`` and ``valid_to`` are days of the city, both inclusive.
    """

    text: str
    speech: str
    document: str
    article: str
    valid_from: date
    valid_to: date | None = None
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a wording (or a matter's words) cannot be published yet.

    ``field`` is the field's name; ``code`` one of ``missing``, ``too_long``, ``too_short``,
    ``too_many``, ``dates_reversed``, ``already_over``, ``sample_unmarked``,
    ``sample_unticked``, ``unreadable``, ``unknown_field``, ``aspect_unknown``, ``doubled``;
    ``message`` is Chinese.
    """

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an answer. ``edition`` must be given back with every change.

    ``submitted``: a draft whose editor says it is ready to be checked. ``writers``: everybody who
    wrote in it; none of them may approve it.
    """

    id: int
    key: AnswerKey
    version: int
    state: State
    wording: Wording
    edition: int
    note: str
    submitted: bool
    writers: tuple[str, ...]
    created_by: str
    checked_by: str
    approved_by: str
    changed_by: str
    changed_at: datetime
    release: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step in a version's life, as the history shows it.

    ``event``: created, imported, edited (somebody else took over writing), submitted, checked,
    approved, rejected, discarded, published, retired, ended (its last day was set because another
    version starts), resumed, unpublished (undone), restored (undone).
    """

    at: datetime
    by: str
    event: str
    from_state: str
    to_state: str
    why: str
    data: Mapping[str, Any]


WORD_FIELDS = (
    "name", "department", "merged_line", "aliases", "phrasings", "questions", "golden",
)  # fmt: skip
"""What of a matter is changed by publishing only."""


@dataclass(frozen=True, slots=True)
class MatterWords:
    """A matter's own fields: ``live`` as published, ``pending`` only what is to change.

    Values are JSON: ``name``, ``department``, ``merged_line`` strings; ``aliases``, ``phrasings``
    lists; ``questions``, ``golden`` objects, aspect → list. ``is_new``: nothing of it is published.
    ``writers``: who changed what is pending; none of them may approve it.
    """

    code: str
    live: Mapping[str, Any]
    pending: Mapping[str, Any]
    edition: int
    writers: tuple[str, ...]
    approved_by: str
    changed_by: str
    changed_at: datetime | None
    is_new: bool = False

    @property
    def staged(self) -> Mapping[str, Any]:
        """The fields as they will be once published."""
        return {**self.live, **self.pending}
