"""How much of a text belongs to no word that is known here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from knowledge.signs import signs

SAYS_SOMETHING = 3
"""Signs from which on a text says something; a sigh of one or two is not strange."""

_RECENT = 128
"""Texts whose share is kept, as long as what they name (:mod:`knowledge.naming`)."""


class Strange:
    """Knows the runs of matters and of how people ask. Immutable."""

    def __init__(self, known: Callable[[str, str], bool], phrasings: Iterable[str]) -> None:
        """``known``: whether a matter uses a run, by its characters or by its sounds."""
        self._known = known
        self._asking = frozenset(
            run
            for text in phrasings
            for _, length, chars, sounds in signs(text).grams()
            if length > 1
            for run in (chars, f"~{sounds}")
        )
        self.share = lru_cache(_RECENT)(self._share)
        """The share of a text's signs (0 to 1) that stand in no known run of two or three."""

    def _share(self, text: str) -> float:
        said = signs(text)
        if len(said.chars) < SAYS_SOMETHING:
            return 0.0
        known = [False] * len(said.chars)
        asking = self._asking
        for start, length, chars, sounds in said.grams():
            if length > 1 and (
                self._known(chars, sounds) or chars in asking or f"~{sounds}" in asking
            ):
                known[start : start + length] = [True] * length
        return known.count(False) / len(known)
