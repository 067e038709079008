"""Which matters use a run of signs, and how much of each of their names it is, as flat arrays.

Made once an edition: a text has some sixty runs, and asking a dozen matters with dozens of names
about each of them, one by one, was most of what it cost to understand a turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.weights import Run

SOUND_CREDIT = 0.8
"""What a run is worth that is only heard alike: a match by characters always outranks it."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Key = str
"""A run by its characters, or, marked by ``~``, by its sounds."""


@dataclass(frozen=True, slots=True)
class NameRuns:
    """The runs of one matter's names: by each of ``keys`` and for each run ``meant`` by it, of
    which of the names (``name``, by number) it is how much (``share``, 0 to 1). A run by its
    characters means itself; by its sounds, every run that sounds so, at ``SOUND_CREDIT``.
    """

    keys: tuple[Key, ...]
    counts: Ints
    meant: tuple[Key, ...]
    name: Ints
    share: Floats
    names: int

    @classmethod
    def of(cls, cut: Sequence[Sequence[tuple[Run, float]]]) -> NameRuns:
        """``cut``: the runs of each name, each with its share of the name."""
        found: dict[Key, list[tuple[Key, int, float]]] = {}
        for at, runs in enumerate(cut):
            for run, share in runs:
                found.setdefault(run.chars, []).append((run.chars, at, share))
                if run.heard:
                    heard = (run.chars, at, share * SOUND_CREDIT)
                    found.setdefault(f"~{run.heard}", []).append(heard)
        flat = [entry for entries in found.values() for entry in entries]
        return cls(
            tuple(found),
            np.array([len(entries) for entries in found.values()], dtype=np.int64),
            tuple(meant for meant, _, _ in flat),
            np.array([at for _, at, _ in flat], dtype=np.int64),
            np.array([share for _, _, share in flat], dtype=np.float64),
            len(cut),
        )


class RunTable:
    """The runs of all matters. Immutable.

    Keys are numbered; what belongs to key ``k`` stands from ``starts[k]`` to ``starts[k + 1]``.
    """

    def __init__(self, matters: Sequence[NameRuns]) -> None:
        """``matters``: each matter's runs, by the matter's place."""
        numbers: dict[Key, int] = {}
        for matter in matters:
            for key in matter.keys:
                numbers.setdefault(key, len(numbers))
        self._numbers: Mapping[Key, int] = numbers
        self._matters = len(matters)
        self._fill_users([[numbers[key] for key in matter.keys] for matter in matters])
        self._fill_shares(matters)

    def _fill_users(self, keys: Sequence[Sequence[int]]) -> None:
        """Which matters use each key."""
        flat = _joined(keys)
        who = np.repeat(np.arange(len(keys)), [len(own) for own in keys])
        order = np.argsort(flat, kind="stable")
        self._user_starts = np.searchsorted(flat[order], np.arange(len(self._numbers) + 1))
        self._users = who[order]

    def _fill_shares(self, matters: Sequence[NameRuns]) -> None:
        """Which run of which name each key means; the names of all matters in a row."""
        numbers = self._numbers
        ends = np.cumsum([0, *(matter.names for matter in matters)])
        self._first_name, self._names = ends[:-1], int(ends[-1])
        flat = _joined([
            np.repeat([numbers[key] for key in matter.keys], matter.counts) for matter in matters
        ])  # fmt: skip
        order = np.argsort(flat, kind="stable")
        self._share_starts = np.searchsorted(flat[order], np.arange(len(numbers) + 1))
        self._meant = _joined([[numbers[key] for key in one.meant] for one in matters])[order]
        names = [one.name + first for one, first in zip(matters, ends, strict=False)]
        self._name = _joined(names)[order]
        shares = np.concatenate([np.zeros(0), *(one.share for one in matters)])
        self._share = shares[order]

    def __len__(self) -> int:
        """How many matters there are."""
        return self._matters

    def __contains__(self, key: Key) -> bool:
        """Whether some matter uses a run."""
        return key in self._numbers

    def numbers(self, keys: Iterable[Key]) -> Ints:
        """Each key's number, -1 for one that no matter uses."""
        get = self._numbers.get
        return np.array([get(key, -1) for key in keys], dtype=np.int64)

    def evidence(self, said: Said) -> NDArray[np.float32]:
        """How much speaks for each matter: every run's weight, less where only its sound is
        there.
        """
        left = np.where(said.heard < 0, 1.0, 1.0 - SOUND_CREDIT)
        worth = np.stack([said.weight * SOUND_CREDIT, said.weight * left], axis=1).ravel()
        keys = np.stack([said.heard, said.chars], axis=1).ravel()
        known = keys >= 0
        which, places = _spans(self._user_starts, keys[known])
        found = np.zeros(self._matters, dtype=np.float32)
        np.add.at(found, self._users[places], worth[known].astype(np.float32)[which])
        return found

    def has(self, said: Said, picked: Sequence[int]) -> Floats:
        """Runs × ``picked`` matters: 1 where the matter uses the run, ``SOUND_CREDIT`` where only
        its sound, else 0.
        """
        column = np.full(self._matters, -1)
        column[list(picked)] = np.arange(len(picked))
        found = np.zeros((len(said.chars), len(picked)))
        for keys, worth in ((said.heard, SOUND_CREDIT), (said.chars, 1.0)):
            used = np.flatnonzero(keys >= 0)
            which, places = _spans(self._user_starts, keys[used])
            columns = column[self._users[places]]
            wanted = columns >= 0
            found[used[which[wanted]], columns[wanted]] = worth
        return found

    def cover(self, said: Said) -> Floats:
        """For each matter, how much of its best fitting name stands in the text: by characters,
        and by the sounds of what does not stand there by characters.
        """
        written = said.chars[said.chars >= 0]
        heard = np.unique(said.heard[said.heard >= 0])
        _, by_chars = _spans(self._share_starts, written)
        _, by_sound = _spans(self._share_starts, heard)
        stands = np.zeros(len(self._numbers), dtype=bool)
        stands[written] = True
        places = np.concatenate([by_chars, by_sound[~stands[self._meant[by_sound]]]])
        hits = np.bincount(self._name[places], self._share[places], minlength=self._names)
        found: Floats = np.maximum.reduceat(hits, self._first_name)
        return found


@dataclass(frozen=True, slots=True)
class Said:
    """The different runs of a text that some matter uses: the numbers of their keys by characters
    and by sounds (``heard``), -1 for a key that none uses, and their weights. ``own``: how many of
    the runs, the first ones, are in the text itself.
    """

    chars: Ints
    heard: Ints
    weight: Floats
    own: int

    @classmethod
    def of(cls, table: RunTable, own: Iterable[Run], given: Iterable[Run] = ()) -> Said:
        """``own``: the text's runs; ``given``: runs that count as said too. Of equal characters
        the last one counts.
        """
        runs = {run.chars: run for run in own}
        count = len(runs)
        runs |= {run.chars: run for run in given}
        chars = table.numbers(runs)
        heard = table.numbers(f"~{run.heard}" for run in runs.values())
        weight = np.array([run.weight for run in runs.values()], dtype=np.float64)
        used = (chars >= 0) | (heard >= 0)
        return cls(chars[used], heard[used], weight[used], int(used[:count].sum()))


def _spans(starts: Ints, keys: Ints) -> tuple[Ints, Ints]:
    """Every place that belongs to one of ``keys``, and of which of them it is, in their order."""
    first = starts[keys]
    counts = starts[keys + 1] - first
    ends = np.cumsum(counts)
    which = np.repeat(np.arange(len(keys)), counts)
    return which, np.arange(len(which)) + (first - ends + counts)[which]


def _joined(lists: Sequence[Sequence[int] | Ints]) -> Ints:
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *(np.array(one, dtype=np.int64) for one in lists)])
