"""Whom a caller is to be connected with."""

from __future__ import annotations

from dataclasses import dataclass

from config.targets import Destination


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to reach, one after the other; ``command``: the id of who wants it so, '' for nobody's.

    ``back``: if nobody comes the dialogue goes on with the caller. ``queued``: then they keep their
    place in the queue and wait on; who takes them at a desk is told the order in one sentence.
    """

    destinations: tuple[Destination, ...]
    command: str = ""
    back: bool = False
    queued: bool = False
