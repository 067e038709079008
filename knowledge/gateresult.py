"""What the publish gate found, as values and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

ConflictCode = Literal[
    "golden_missed", "golden_stolen", "name_doubled", "question_doubled", "noise_worse",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What a question gets: decision, and the answer's id and text where one is said.

    ``matter``, ``matter_name`` and ``aspect`` are what it was understood as (also where nothing
    is said); ``options`` what is offered, in words.
    """

    decision: str
    matter: str
    matter_name: str
    aspect: str
    answer: str
    text: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """A text of this change that looks like the question: whose, in which of ``WORD_FIELDS``.

    ``removed``: the change takes it away.
    """

    matter: str
    matter_name: str
    field: str
    text: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a publication is refused.

    ``golden_missed``: a golden question of a changed matter does not get its answer.
    ``golden_stolen``: another matter's golden question no longer gets its answer.
    ``name_doubled``, ``question_doubled``: ``question`` would stand for two matters (or two aspects
    of one); ``before`` is the one that has it, ``after`` the one that claims it too.
    ``noise_worse``: asked with noise, too many more golden questions fail (``question`` names the
    kind of noise; ``before`` and ``after`` are None).

    ``matter``, ``aspect``: whose question it is. ``message`` is one Chinese sentence.
    """

    code: ConflictCode
    question: str
    matter: str
    matter_name: str
    aspect: str
    before: Told | None
    after: Told | None
    causes: tuple[Cause, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Noise:
    """Golden questions asked with one kind of noise: how many, and how many were right."""

    kind: str
    asked: int
    right_before: int
    right_after: int


@dataclass(frozen=True, slots=True)
class Failing:
    """A golden question that failed before this change and still fails: told, not refused."""

    question: str
    matter: str
    matter_name: str
    aspect: str
    after: Told


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's finding; ``ok``: it may be published. ``seconds``: what it took."""

    ok: bool
    asked: int
    right_before: int
    right_after: int
    conflicts: tuple[Conflict, ...]
    failing: tuple[Failing, ...]
    improved: int
    noise: tuple[Noise, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For the page, the release's row and ``--json``."""
        document: Mapping[str, Any] = asdict(self)
        return {**document, "seconds": round(self.seconds, 3)}
