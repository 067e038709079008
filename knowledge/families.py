"""Families of matters: those whose codes begin alike (``gjj.rent``, ``gjj.buy``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from knowledge.matters import MatterEntry
from knowledge.signs import Signs, signs

_SHARED_BY = 0.6
_ANCHOR_LEAST = 3


def family(code: str) -> str:
    """The family of a matter's code: ``gjj`` of ``gjj.rent``."""
    return code.partition(".")[0]


def members(matters: Sequence[MatterEntry]) -> dict[str, tuple[str, ...]]:
    """The codes of each family, in the given order."""
    found: dict[str, list[str]] = {}
    for matter in matters:
        found.setdefault(family(matter.code), []).append(matter.code)
    return {kin: tuple(codes) for kin, codes in found.items()}


def shared_runs(matters: Sequence[MatterEntry]) -> dict[str, frozenset[str]]:
    """The runs that most names of a family share: nobody repeats them in a follow-up."""
    shared: dict[str, frozenset[str]] = {}
    for kin, names in _names(matters).items():
        counted = Counter(run for name in names for run in _runs(name, 1))
        least = max(2.0, len(names) * _SHARED_BY)
        shared[kin] = frozenset(run for run, times in counted.items() if times >= least)
    return shared


def anchors(matters: Sequence[MatterEntry]) -> dict[str, Signs]:
    """The longest run of 2 or 3 signs that stands in all names of a family (公积金), if any.

    A family of fewer than three matters has none: its names may agree by chance.
    """
    found: dict[str, Signs] = {}
    for kin, names in _names(matters).items():
        common = frozenset.intersection(*(_runs(name, 2) for name in names))
        if len(names) >= _ANCHOR_LEAST and common:
            found[kin] = signs(max(common, key=lambda run: (len(run), run)))
    return found


def _names(matters: Sequence[MatterEntry]) -> dict[str, list[Signs]]:
    found: dict[str, list[Signs]] = {}
    for matter in matters:
        found.setdefault(family(matter.code), []).append(signs(matter.name))
    return found


def _runs(name: Signs, shortest: int) -> frozenset[str]:
    return frozenset(chars for _, length, chars, _ in name.grams() if length >= shortest)
