"""Desk to phone and back, over Redis: what to do with a call, and what became of it.

``call`` is the conversation's id throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Verb = Literal[
    "bridge", "whisper", "hold", "resume", "mute", "unmute", "three_way", "transfer", "hangup"
]
CallState = Literal[
    "ringing",  # a target is being called
    "answered",  # it has answered, and hears the order read before it is joined
    "bridged",  # it is joined with the caller
    "joined",  # a third party has come in
    "left",  # one of several parties has gone, the others talk on
    "held",
    "resumed",
    "muted",
    "unmuted",
    "whispered",
    "transferring",  # the trunk took the REFER; cause is the progress (SIP status)
    "transferred",  # the call went elsewhere by REFER
    "back",  # the caller is with the dialogue again
    "failed",  # the command, or one attempt of it, came to nothing; cause says why
    "ended",
]
Leg = Literal["caller", "target", "third"]
CallStage = Literal["bot", "ringing", "person", "ended"]

FAILURES = (
    "call_unknown",  # no such call, or it is over
    "node_lost",  # the process that held the call is gone, and the call with it
    "target_unknown",  # nothing that the city lists
    "target_refused",  # listed, but not for this verb (three_way)
    "not_connected",  # nobody is there to be held, muted, whispered to
    "in_progress",  # somebody is being called already
    "expired",  # the command waited too long to be still meant
    "busy",
    "no_answer",
    "rejected",
    "unreachable",
    "refused",  # they heard the order and did not take it
    "caller_gone",
    "no_answer_from_phone",  # nothing came back in time
    "redis_lost",
    "command_failed",
)


@dataclass(frozen=True, slots=True)
class CallCommand:
    """An order to the node that holds ``call``; commands are idempotent by ``id``.

    ``target``: for bridge, three_way and transfer whom to call (a target's name, an extension or a
    listed URI); for hold, resume, mute, unmute and hangup which party is meant: caller, target or
    third ('' is the caller for hold and resume, the target for mute and whisper, and everybody for
    hangup). ``by`` is the login of who commands, or what does (``cli``).
    """

    id: str
    call: str
    verb: Verb
    target: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """What became of one leg of ``call``; ``cause`` is a stable code or a SIP status.

    ``command`` is the id of the command that it comes from, '' where nobody commanded it; ``done``
    marks the last event of a command. ``target`` names the destination (or the third party).
    """

    call: str
    state: CallState
    leg: Leg
    at: datetime
    cause: str = ""
    command: str = ""
    target: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class CallInfo:
    """A call under way, as its node publishes it. ``caller`` is masked (139****9000).

    ``state`` since ``since``; ``parties``: the names of the destinations it is joined with or that
    are being called; ``held``: which parties are on hold.
    """

    call: str
    node: str
    caller: str
    line: str
    dialled: str
    state: CallStage
    began: datetime
    since: datetime
    parties: tuple[str, ...] = ()
    held: tuple[Leg, ...] = ()


def masked(number: str) -> str:
    """A telephone number as it may be shown: the middle is left out; nothing of a short one."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 10 else "*" * len(number)
