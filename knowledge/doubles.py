"""Names and questions that would stand for two matters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from knowledge.gateresult import Cause, Conflict, ConflictCode, Told
from knowledge.matters import MatterEntry
from knowledge.published import Snapshot
from language.normal import bare, for_matching


class Owner(NamedTuple):
    """Whose a text is; ``aspect`` is '' for a name."""

    matter: str
    aspect: str


_Found = Mapping[str, Mapping[Owner, tuple[str, str]]]
"""A text as it is compared → its owners → the text as written, and its field."""


def doubled(before: Snapshot, after: Snapshot) -> Iterator[Conflict]:
    """Names of two matters and questions of two answers that a change brings in."""
    kinds: tuple[tuple[ConflictCode, Callable[[MatterEntry], _Texts]], ...] = (
        ("name_doubled", _names), ("question_doubled", _questions),
    )  # fmt: skip
    for code, texts in kinds:
        was = _owners(before, texts)
        for compared, owners in _owners(after, texts).items():
            new = [owner for owner in owners if owner not in was.get(compared, {})]
            if len(owners) > 1 and new:
                has = next((owner for owner in owners if owner != new[-1]), new[-1])
                yield _conflict(code, has, new[-1], owners, after)


_Texts = Iterable[tuple[str, Owner, str, str]]
"""(as compared, owner, as written, field)."""


def _owners(found: Snapshot, texts: Callable[[MatterEntry], _Texts]) -> _Found:
    owners: dict[str, dict[Owner, tuple[str, str]]] = {}
    for matter in found.matters:
        for compared, owner, written, field in texts(matter):
            owners.setdefault(compared, {}).setdefault(owner, (written, field))
    return owners


def _names(matter: MatterEntry) -> _Texts:
    fields = (("name", (matter.name,)), ("aliases", matter.aliases),
              ("phrasings", matter.phrasings))  # fmt: skip
    for field, texts in fields:
        for text in texts:
            yield for_matching(text), Owner(matter.code, ""), text, field


def _questions(matter: MatterEntry) -> _Texts:
    for field, by_aspect in (("questions", matter.questions), ("golden", matter.golden)):
        for aspect, texts in by_aspect.items():
            for text in texts:
                yield bare(text), Owner(matter.code, aspect), text, field


def _conflict(
    code: ConflictCode, has: Owner, claims: Owner, owners: Mapping[Owner, tuple[str, str]],
    found: Snapshot,
) -> Conflict:  # fmt: skip
    names = {matter.code: matter.name for matter in found.matters}
    text, field = owners[claims]
    called = "说法" if code == "name_doubled" else "问法"
    message = (
        f"“{text}”这个{called}已经是“{_called(has, names)}”的，不能又是“{_called(claims, names)}”的"
    )
    cause = Cause(claims.matter, names[claims.matter], field, text)
    return Conflict(
        code, text, has.matter, names[has.matter], has.aspect, _told(has, names, found),
        _told(claims, names, found), (cause,), message,
    )  # fmt: skip


def _called(owner: Owner, names: Mapping[str, str]) -> str:
    return names[owner.matter] + (f"·{owner.aspect}" if owner.aspect else "")


def _told(owner: Owner, names: Mapping[str, str], found: Snapshot) -> Told:
    answers = (one for one in found.answers if (one.matter, one.aspect) == owner)
    answer = next(answers, None)
    return Told(
        "answer" if answer else "", owner.matter, names[owner.matter], owner.aspect,
        answer.id if answer else "", answer.text if answer else "",
    )  # fmt: skip
