"""Who of a call hears whom. Pure: the parties' states in, what each is to hear out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from turns.calls import Leg as Role

CALLER: Role = "caller"
ROLES: tuple[Role, ...] = ("caller", "target", "third")


@dataclass(frozen=True, slots=True)
class Hearing:
    """``joined`` talk with each other, of whom nobody hears the ``silenced``; ``waiting`` hear the
    sound of a call on hold.
    """

    joined: frozenset[Role]
    silenced: frozenset[Role]
    waiting: frozenset[Role]


def hearing(
    present: Collection[Role],
    parked: Collection[Role],
    away: Collection[Role],
    muted: Collection[Role],
) -> Hearing:
    """What follows from who is there.

    ``parked``: put on hold by our side; ``away``: their telephone put us on hold, so that they hear
    nothing, and what it sends (music, often) is not for the others; ``muted``: may listen only.
    Whoever is left alone by a telephone's hold hears that the call goes on; the caller always does,
    whatever leaves them alone.
    """
    joined = frozenset(present) - frozenset(parked)
    talking = joined - frozenset(away)
    waiting = (frozenset(present) & frozenset(parked)) - frozenset(away)
    if len(talking) == 1 and len(present) > 1:
        (alone,) = talking
        if alone == CALLER or joined - talking:
            waiting |= talking
    return Hearing(joined, joined & (frozenset(away) | frozenset(muted)), waiting)
