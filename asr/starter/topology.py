"""Kaldi phones, their HMM topology and the transition model that a CTC network needs.

Kaldi phone 1 is silence; every Mandarin phone comes in four word positions (begin, end, internal,
singleton) that share one network output. A phone is one or more frames of its own output, then any
number of blank frames; silence is blank frames. That is CTC written as an HMM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from asr.starter.kaldi_io import float32, int32, int32_vector, token, vector
from asr.starter.phones import PHONES

SILENCE = 1
_FIRST_PHONE = 2
_POSITIONS = ("begin", "end", "internal", "singleton")
BEGIN, END, INTERNAL, SINGLETON = range(4)
PHONE_COUNT = _FIRST_PHONE - 1 + len(_POSITIONS) * len(PHONES)
"""Kaldi phones are numbered 1 to PHONE_COUNT."""

SELF_OWN, OWN_TO_BLANK, OWN_TO_END = 0.35, 0.45, 0.20
SELF_BLANK, BLANK_TO_END = 0.45, 0.55
SELF_SILENCE, SILENCE_TO_END = 0.9, 0.1

# A state: its pdf class, and (next state, probability) of each transition.
State = tuple[int, tuple[tuple[int, float], ...]]
_PHONE_STATES: tuple[State, ...] = (
    (0, ((0, SELF_OWN), (1, OWN_TO_BLANK), (2, OWN_TO_END))),
    (1, ((1, SELF_BLANK), (2, BLANK_TO_END))),
)
_SILENCE_STATES: tuple[State, ...] = ((0, ((0, SELF_SILENCE), (1, SILENCE_TO_END))),)


@dataclass(frozen=True)
class Transition:
    """A transition id and the log-probability of its arc."""

    id: int
    log_probability: float


def kaldi_phone(phone: str, position: int) -> int:
    """Kaldi's number of a phone in a word position."""
    return _FIRST_PHONE + PHONES.index(phone) * len(_POSITIONS) + position


def word_phones(phones: tuple[str, ...]) -> tuple[int, ...]:
    """Kaldi phones of one word, positions marked."""
    if len(phones) == 1:
        return (kaldi_phone(phones[0], SINGLETON),)
    middle = (kaldi_phone(phone, INTERNAL) for phone in phones[1:-1])
    return (kaldi_phone(phones[0], BEGIN), *middle, kaldi_phone(phones[-1], END))


def word_boundary_text() -> str:
    """`graph/phones/word_boundary.int`."""
    lines = [f"{SILENCE} nonword"]
    for index in range(len(PHONES)):
        first = _FIRST_PHONE + index * len(_POSITIONS)
        lines += [f"{first + offset} {name}" for offset, name in enumerate(_POSITIONS)]
    return "\n".join(lines) + "\n"


def _states(phone: int) -> tuple[State, ...]:
    return _SILENCE_STATES if phone == SILENCE else _PHONE_STATES


def _pdf(phone: int, state: int) -> int:
    """Network output of an HMM state; 0 is CTC's blank."""
    if phone == SILENCE or state == 1:
        return 0
    return (phone - _FIRST_PHONE) // len(_POSITIONS) + 1


@cache
def transitions() -> dict[tuple[int, int, int], Transition]:
    """(phone, state, next state) → transition, numbered as Kaldi numbers them, from 1."""
    arcs = (
        ((phone, state, target), probability)
        for phone in range(1, PHONE_COUNT + 1)
        for state, (_, targets) in enumerate(_states(phone))
        for target, probability in targets
    )
    return {
        key: Transition(number, math.log(probability))
        for number, (key, probability) in enumerate(arcs, 1)
    }


def _topology() -> bytes:
    phones = list(range(1, PHONE_COUNT + 1))
    entry_of_phone = [-1, 0] + [1] * (PHONE_COUNT - 1)
    data = token("<Topology>") + int32_vector(phones) + int32_vector(entry_of_phone) + int32(2)
    for states in (_SILENCE_STATES, _PHONE_STATES):
        data += int32(len(states) + 1)
        for pdf_class, targets in states:
            data += int32(pdf_class) + int32(len(targets))
            data += b"".join(int32(target) + float32(p) for target, p in targets)
        data += int32(-1) + int32(0)
    return data + token("</Topology>")


def transition_model() -> bytes:
    """Kaldi's <TransitionModel>: topology, (phone, state, pdf) triples, log-probabilities."""
    triples = [
        (phone, state, _pdf(phone, state))
        for phone in range(1, PHONE_COUNT + 1)
        for state in range(len(_states(phone)))
    ]
    logs = [0.0, *(transition.log_probability for transition in transitions().values())]
    return (
        token("<TransitionModel>")
        + _topology()
        + token("<Triples>")
        + int32(len(triples))
        + b"".join(int32(value) for triple in triples for value in triple)
        + token("</Triples>")
        + token("<LogProbs>")
        + vector(logs)
        + token("</LogProbs>")
        + token("</TransitionModel>")
    )
