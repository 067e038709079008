"""What was told last, once more: slower, louder, or from where the caller cut it off. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from config.prompts import Prompts
from language.steering import Steering
from turns.replies import Again, Ask, Reply, Say
from turns.understood import Act

PAUSE_S = 60.0
"""How long somebody who looks for a pen is left in peace."""


def steered(last: Iterable[Reply], wish: Steering, prompts: Prompts) -> tuple[Say | Ask, ...]:
    """``last``, the replies of the latest answer, told again as ``wish`` says.

    Once told, even what must be heard to its end (that we record) may be cut off. Who wants us to
    wait is waited for.
    """
    if wish.pause:
        return (Say("", prompts.pause, wait_s=PAUSE_S),)
    again: Again = "" if wish.again == "start" else wish.again
    told = tuple(
        replace(reply, again=again, interruptible=True)
        for reply in last
        if isinstance(reply, Say | Ask) and not (isinstance(reply, Say) and reply.adjust)
    )
    if not wish.steps:
        return told or (Say("", prompts.repeat_nothing),)
    # One sentence tells of the change; two wishes at once need not be confirmed twice.
    heard = Say("", prompts.fill(wish.steps[0]), adjust=wish.steps)
    return heard, *told


def act_of(wish: Steering) -> Act:
    """The act that ``wish`` is an instance of."""
    return "slower" if "slower" in wish.steps else "repeat"
