"""What the gate says of a finding: what was told, and which changed words caused it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.gateresult import Cause, Told
from knowledge.matters import MatterEntry
from knowledge.published import Snapshot
from knowledge.search import Found
from knowledge.signs import signs

_CAUSES = 3


@dataclass(frozen=True, slots=True)
class ChangedWord:
    """A text that a change adds to a matter's field, or takes away."""

    matter: str
    field: str
    text: str
    removed: bool


def said_of(found: Found, published: Snapshot) -> Told:
    """What the citizen would be told."""
    answer, context = found.answer, found.context
    matter = answer.matter if answer else context.matter
    aspect = answer.aspect if answer else context.aspect
    name = next((entry.name for entry in published.matters if entry.code == matter), "")
    return Told(
        found.decision, matter, name, aspect,
        answer.id if answer else "", answer.text if answer else "",
        tuple(option.label for option in found.options),
    )  # fmt: skip


def changed_words(
    before: Sequence[MatterEntry], after: Sequence[MatterEntry]
) -> tuple[ChangedWord, ...]:
    """All words that come or go."""
    old, new = (set(_words(matters)) for matters in (before, after))
    come = [ChangedWord(*word, removed=False) for word in sorted(new - old)]
    return (*come, *(ChangedWord(*word, removed=True) for word in sorted(old - new)))


def causes(
    question: str, matter: str, words: Sequence[ChangedWord], names: Mapping[str, str]
) -> tuple[Cause, ...]:
    """The changed words most like ``question``, those of ``matter`` first among equals."""
    said = _runs(question)
    ranked = sorted(
        ((_alike(said, word.text), word.matter == matter, word) for word in words),
        key=lambda one: (-one[0], not one[1], one[2].text),
    )
    return tuple(
        Cause(word.matter, names.get(word.matter, ""), word.field, word.text, word.removed)
        for alike, _, word in ranked[:_CAUSES]
        if alike > 0
    )


def _words(matters: Sequence[MatterEntry]) -> Iterator[tuple[str, str, str]]:
    for matter in matters:
        yield matter.code, "name", matter.name
        yield from ((matter.code, "aliases", text) for text in matter.aliases)
        yield from ((matter.code, "phrasings", text) for text in matter.phrasings)
        for texts in matter.questions.values():
            yield from ((matter.code, "questions", text) for text in texts)


def _runs(text: str) -> frozenset[str]:
    grams = signs(text).grams()
    return frozenset(run for _, _, chars, sounds in grams for run in (chars, f"~{sounds}"))


def _alike(said: frozenset[str], text: str) -> float:
    runs = _runs(text)
    return len(said & runs) / max(1, min(len(runs), len(said)))
