"""What is learned from labelled questions: one classifier of matters and one of aspects.

Both look at the same features. Every example is also shown with part of its characters struck
out and only their sounds left, so that a misrecognised word still tells something.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from knowledge.asking import NOTHING, Phrasings
from knowledge.features import STRUCK, Row, Vocabulary
from knowledge.linear import Linear, fit
from knowledge.matters import MatterEntry
from knowledge.othercity import of_another_city
from knowledge.signs import Signs, signs

OUTSIDE = ""
"""The class of texts that ask about something that is no matter here."""

GENERIC = "*"
"""The class of texts that ask without saying about what: 要带什么材料."""

OUTSIDE_PATH = Path(__file__).resolve().parent / "outside.txt"

_STRUCK_SHARE = 0.3
_FEWEST_STRANGERS = 200
_TAUGHT_NAMES = 300
_MOST_MATTERS = 400
_MATTER_STRENGTH = 1.0
_ASPECT_STRENGTH = 1.0

Example = tuple[Signs, str]
"""A text and its label."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained pair of classifiers. ``matters`` has the labels ``OUTSIDE`` and ``GENERIC`` too,
    ``aspects`` the label ``NOTHING``. ``rows``: the questions they learned from, cut into features.
    """

    vocabulary: Vocabulary
    matters: Linear
    aspects: Linear
    rows: Mapping[str, Row] = field(default_factory=dict)


@cache
def read_outside(path: Path = OUTSIDE_PATH) -> tuple[str, ...]:
    """Sentences that no published matter answers, one a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip())


def learn(
    matters: Sequence[MatterEntry], phrasings: Phrasings, outside: Sequence[str] | None = None
) -> Learned:
    """Train both classifiers; the same input gives the same ones.

    ``outside``: what is asked about no matter (``outside.txt`` if not given); what asks about
    another city is told by its name, and would only teach that the matter is none. Of more than 400
    matters only names and near questions are used: the first classifier then knows none.
    """
    given = matters if len(matters) <= _MOST_MATTERS else ()
    chance = random.Random(12345)  # noqa: S311 - the same model at every start, no secret
    strangers = read_outside() if outside is None else outside
    here = _fair(given, [text for text in strangers if not of_another_city(text)])
    about = _about(given, phrasings, here)
    asked = _asked(given, phrasings, taught_names(matters), chance)
    texts = list(dict.fromkeys(text for text, _ in (*about, *asked)))
    vocabulary = Vocabulary.of(texts)
    rows = {text: (vocabulary.row(text), vocabulary.row(_struck(text, chance))) for text in texts}
    return Learned(
        vocabulary,
        _fitted(rows, about, len(vocabulary), _MATTER_STRENGTH, balanced=False),
        _fitted(rows, asked, len(vocabulary), _ASPECT_STRENGTH, balanced=True),
        {
            text: rows[signs(text)][0]
            for matter in given
            for texts in matter.questions.values()
            for text in texts
        },
    )


def _fair(matters: Sequence[MatterEntry], strangers: Sequence[str]) -> Sequence[str]:
    """No more strangers than there is said about matters: few matters would be drowned."""
    said = sum(len(one.names) + sum(map(len, one.questions.values())) for one in matters)
    step = max(1, len(strangers) // max(_FEWEST_STRANGERS, said))
    return strangers[::step]


def _struck(text: Signs, chance: random.Random) -> Signs:
    chars = (STRUCK if chance.random() < _STRUCK_SHARE else char for char in text.chars)
    return Signs(tuple(chars), text.syllables)


def taught_names(matters: Sequence[MatterEntry]) -> tuple[str, ...]:
    """Names that the classifier of aspects learns to pass over; a fair sample of many."""
    names = [name for matter in matters for name in (matter.name, *matter.aliases)]
    step = max(1, len(names) // _TAUGHT_NAMES)
    return tuple(names[::step])


def _about(
    matters: Sequence[MatterEntry], phrasings: Phrasings, outside: Iterable[str]
) -> list[Example]:
    found = [
        (signs(text), matter.code)
        for matter in matters
        for texts in (matter.names, *matter.questions.values())
        for text in texts
    ]
    found += [(signs(text), OUTSIDE) for text in outside]
    return found + [(signs(text), GENERIC) for text in phrasings.all if text]


def _asked(
    matters: Sequence[MatterEntry], phrasings: Phrasings, names: Sequence[str],
    chance: random.Random,
) -> list[Example]:  # fmt: skip
    found = [
        (signs(text), str(aspect))
        for matter in matters
        for aspect, texts in matter.questions.items()
        for text in texts
    ]
    named = [signs(name) for name in names]
    alone = [(signs(text), label) for label, texts in phrasings.aspects.items() for text in texts]
    alone += [(signs(text), NOTHING) for text in phrasings.nothing]
    for text, label in alone:
        found.append((text, label))
        if named:
            found.append((_joined(chance.choice(named), text), label))
            found.append((_joined(text, chance.choice(named)), label))
    return found + [(name, NOTHING) for name in named]


def _joined(first: Signs, second: Signs) -> Signs:
    return Signs(first.chars + second.chars, first.syllables + second.syllables)


def _fitted(
    rows: dict[Signs, tuple[Row, Row]], examples: Sequence[Example], width: int,
    strength: float, *, balanced: bool,
) -> Linear:  # fmt: skip
    both = [(row, label) for text, label in examples for row in rows[text]]
    return fit(
        [row for row, _ in both], [label for _, label in both], width, strength, balanced=balanced
    )
