"""Fit the weights and thresholds of the decision on trials: labelled questions not learned from.

The weights are two conditional logit models with a little shrinkage. The thresholds lie where,
of all trials, no more answers than allowed would be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from knowledge.asking import NOTHING, Phrasings, read_phrasings
from knowledge.decision import (
    ASPECT_WORTHS,
    MATTER_WORTHS,
    NONE_WORTHS,
    NOTHING_WORTHS,
    Calibration,
)  # fmt: skip
from knowledge.learned import read_outside
from knowledge.matters import MatterEntry
from knowledge.measure import homophones
from knowledge.trials import Answered, Trial, trials
from turns.understood import ASPECTS

_SHRINK = 0.003
_NOISE = 0.2
_UNASKED = 0.15
"""What a matter merely named counts, against a question."""
_FEWEST = 2
_WRONG = 0.037
"""The share of trials that may be answered wrongly. More than the front door may: many trials
could as well be labelled with a neighbouring aspect, none was learned from, and half of them are
full of homophones. Golden questions and files labelled apart come to about a third of it."""

_OUTSIDE = 0.033
"""The share of sentences of no matter that may be answered, by the search alone: most of them are
complaints and small talk, which never come to the search of a running front door, and what is
surely no question of policy has to be clearer there (see :mod:`bot.actions.talking`)."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A trial as the decision sees it: the likeliest pair, how likely, and whether it is right.

    ``offered``: whether the right pair is among the three likeliest; ``matter``: the chance of
    the likeliest matter.
    """

    chance: float
    right: bool
    offered: bool
    matter: float
    inside: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold of answering leads to; shares of the questions in scope, except
    ``outside``: the share of those out of scope that are answered.
    """

    threshold: float
    answered: float
    right: float
    wrong: float
    outside: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The new calibration, the curve it was chosen from and the point on it; ``kinds``: the share
    of questions whose likeliest pair is right, as they were typed and with noise.
    """

    calibration: Calibration
    points: tuple[Point, ...]
    point: Point
    kinds: Mapping[str, float]
    trials: int


def calibrated(
    matters: Sequence[MatterEntry], answered: Answered, start: Calibration,
    phrasings: Phrasings | None = None, outside: Sequence[str] | None = None,
) -> Calibrated:  # fmt: skip
    """Ask all labelled questions of searches that have not learned them, and fit to what comes.

    ``answered``: the aspects of each matter that have an answer. Takes minutes. Raises
    ``ValueError`` where fewer than two matters have questions of at least two aspects.
    """
    if sum(len(matter.questions) > 1 for matter in matters) < _FEWEST:
        raise ValueError("too few labelled questions to calibrate on")
    given = list(trials(
        matters, answered, phrasings or read_phrasings(),
        read_outside() if outside is None else outside,
        {"homophones": lambda text: homophones(text, _NOISE, 1)},
    ))  # fmt: skip
    fresh = fitted(given, start)
    decided = scored(given, fresh)
    points = tuple(curve(decided))
    point = chosen(points)
    kinds = {
        kind: float(np.mean([one.right for one in decided if one.kind == kind and one.inside]))
        for kind in ("typed", "homophones")
    }
    return Calibrated(with_threshold(fresh, point.threshold), points, point, kinds, len(given))


def fitted(given: Sequence[Trial], start: Calibration | None = None) -> Calibration:
    """The weights that make what was meant likeliest; the thresholds stay as they are."""
    base = start or Calibration()
    matter, none = _fit_matters(given)
    aspect, nothing = _fit_aspects([trial for trial in given if trial.asked.matter])
    return replace(base, matter=matter, none=none, aspect=aspect, nothing=nothing)


def scored(given: Sequence[Trial], calibration: Calibration) -> list[Scored]:
    """Each trial decided with ``calibration``."""
    return [_scored(trial, calibration) for trial in given]


def curve(given: Sequence[Scored]) -> list[Point]:
    """What every threshold from 0.2 to 0.98 leads to."""
    inside = [one for one in given if one.inside]  # matter and aspect named
    outside = [one for one in given if not one.inside and one.kind == "outside"]
    return [_point(float(threshold), inside, outside) for threshold in np.arange(0.2, 0.99, 0.01)]


def chosen(points: Sequence[Point], wrong: float = _WRONG, outside: float = _OUTSIDE) -> Point:
    """The lowest threshold with at most ``wrong`` and ``outside``; the last one if none has."""
    for point in points:
        if point.wrong <= wrong and point.outside <= outside:
            return point
    return points[-1]


def with_threshold(calibration: Calibration, answer: float) -> Calibration:
    """``calibration`` with what is needed for an answer set to ``answer``."""
    limits = replace(calibration.thresholds, answer=round(answer, 3))
    return replace(calibration, thresholds=limits)


def _scored(trial: Trial, calibration: Calibration) -> Scored:
    weighed = trial.weighed
    pairs: list[tuple[float, str, str]] = []
    best = 0.0
    chances = dict(calibration.matters(weighed.codes, weighed.worths, weighed.none))
    for code, worths in zip(weighed.codes, trial.aspects, strict=True):
        best = max(best, chances[code])
        shares = calibration.aspects(worths, trial.nothing)
        pairs += [(chances[code] * shares[aspect], code, aspect) for aspect in ASPECTS]
    pairs.sort(reverse=True)
    wanted = (trial.asked.matter, trial.asked.aspect)
    top = [(code, aspect) for _, code, aspect in pairs[:3]]
    right = bool(top) and top[0] == wanted
    return Scored(
        pairs[0][0] if pairs else 0.0, right, wanted in top, best, all(wanted), trial.kind
    )


def _point(threshold: float, inside: Sequence[Scored], outside: Sequence[Scored]) -> Point:
    said = [one for one in inside if one.chance >= threshold]
    right = sum(one.right for one in said)
    count = max(1, len(inside))
    loose = sum(one.chance >= threshold for one in outside) / max(1, len(outside))
    return Point(threshold, len(said) / count, right / count, (len(said) - right) / count, loose)


def _fit_matters(given: Sequence[Trial]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Columns: what speaks for the matters, then what speaks for none; a row an alternative."""
    wide, narrow = len(MATTER_WORTHS), len(NONE_WORTHS)
    blocks, wanted, weights = [], [], []
    for trial in given:
        codes = trial.weighed.codes
        if trial.asked.matter and trial.asked.matter not in codes:
            continue
        block = np.zeros((len(codes) + 1, wide + narrow))
        if codes:
            block[:-1, :wide] = trial.weighed.worths
        block[-1, wide:] = trial.weighed.none
        blocks.append(block)
        wanted.append(codes.index(trial.asked.matter) if trial.asked.matter else len(codes))
        weights.append(trial.weight)
    found = _conditional_logit(blocks, wanted, weights)
    return tuple(found[:wide]), tuple(found[wide:])


def _fit_aspects(given: Sequence[Trial]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    wide, narrow = len(ASPECT_WORTHS), len(NOTHING_WORTHS)
    blocks, wanted = [], []
    for trial in given:
        if trial.asked.matter not in trial.weighed.codes:
            continue
        block = np.zeros((len(ASPECTS) + 1, wide + narrow))
        block[:-1, :wide] = trial.aspects[trial.weighed.codes.index(trial.asked.matter)]
        block[-1, wide:] = (1.0, trial.nothing)
        blocks.append(block)
        wanted.append((*ASPECTS, NOTHING).index(trial.asked.aspect))
    weights = [1.0 if aspect < len(ASPECTS) else _UNASKED for aspect in wanted]
    found = _conditional_logit(blocks, wanted, weights)
    return tuple(found[:wide]), tuple(found[wide:])


def _conditional_logit(
    blocks: Sequence[NDArray[np.float64]], wanted: Sequence[int], weights: Sequence[float]
) -> list[float]:
    """One weight a column, so that the wanted row of each block gets the greatest share."""
    sizes = [len(block) for block in blocks]
    rows = np.concatenate(blocks)
    starts = np.cumsum([0, *sizes[:-1]])
    owner = np.repeat(np.arange(len(blocks)), sizes)
    right = starts + np.array(wanted)
    weight = np.array(weights) / np.sum(weights)

    def loss(given: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        totals = rows @ given
        raised = np.exp(totals - np.maximum.reduceat(totals, starts)[owner])
        shares = raised / np.add.reduceat(raised, starts)[owner]
        slope = shares * weight[owner]
        slope[right] -= weight
        missed = -float(weight @ np.log(shares[right] + 1e-12))
        return missed + _SHRINK * float(given @ given) / 2, rows.T @ slope + _SHRINK * given

    best = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B")
    return [round(float(value), 3) for value in best.x]
