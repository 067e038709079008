"""How well acts are told apart: ``python -m bot.rasa.measure [CITY]``, in Rasa's environment.

Each fifth of the whole sentences is left out in turn; what frames make is always learned from and
never asked. Prints the rate of each act, how sure against how right, and the best temperature.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from bot.rasa.asked import drawn
from bot.rasa.classifier import TEMPERATURE, classifier, margins, probabilities
from bot.rasa.corpus import chattered, parts

_FOLDS = 5
_BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_TEMPERATURES = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)


def _fold(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % _FOLDS


def left_out(city: Path | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The acts' names; of each whole sentence the act's index, and its margins (a row each)."""
    whole, framed = parts()
    always = chattered(framed) + [("policy", text) for text in drawn(city)]
    meant: list[str] = []
    rows: list[np.ndarray] = []
    names = np.array([])
    for fold in range(_FOLDS):
        learned = chattered([pair for pair in whole if _fold(pair[1]) != fold]) + always
        asked = [pair for pair in whole if _fold(pair[1]) == fold]
        model = classifier().fit([text for _, text in learned], [act for act, _ in learned])
        names = model.classes_
        meant += [act for act, _ in asked]
        rows.append(margins(model, [text for _, text in asked]))
    return names, np.searchsorted(names, meant), np.concatenate(rows)


def report(names: np.ndarray, meant: np.ndarray, told: np.ndarray) -> Iterator[str]:
    """What is printed, line by line."""
    chances = probabilities(told)
    right, sure = chances.argmax(axis=1) == meant, chances.max(axis=1)
    yield f"{len(meant)} sentences, {right.mean():.1%} right, {sure.mean():.1%} sure"
    for act, name in enumerate(names):
        yield f"  {name:12} {right[meant == act].mean():6.1%} of {(meant == act).sum()}"
    for low, high in pairwise(_BINS):
        here = (sure >= low) & ((sure < high) | (high == _BINS[-1]))
        if here.any():
            rates = f"{sure[here].mean():6.1%} sure, {right[here].mean():6.1%} right"
            yield f"  sure {low:.1f}-{high:.1f}: {here.sum():5} {rates}"
    wrong = chances.argmax(axis=1)[~right]
    for (was, taken), count in Counter(zip(meant[~right], wrong, strict=True)).most_common(8):
        yield f"  {count:4} of {names[was]} taken for {names[taken]}"
    rows = np.arange(len(meant))
    losses = {t: -np.log(probabilities(told, t)[rows, meant]).mean() for t in _TEMPERATURES}
    best = min(losses, key=losses.__getitem__)
    yield f"  best temperature {best:g} (now {TEMPERATURE:g})"


def main() -> None:
    """Measure and print."""
    city = Path(sys.argv[1]) if sys.argv[1:] else None
    sys.stdout.writelines(f"{line}\n" for line in report(*left_out(city)))


if __name__ == "__main__":
    main()
