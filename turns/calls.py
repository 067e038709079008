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
CallStage = Literal["bot", "waiting", "ringing", "person", "ended"]

FAILURES = {
    "call_unknown": "没有这个来电，或者已经结束了",
    "call_ambiguous": "有几个来电的编号都这样开头，请多给几位",
    "node_lost": "接这个来电的电话进程没有了，来电也断了",
    "target_unknown": "targets.yaml 里没有这个转接对象，不能拨",
    "target_refused": "这个转接对象不能加入三方通话",
    "not_connected": "现在没有人在和市民通话，或者没有这一方",
    "in_progress": "正在接通别人，或者已经有人接听了",
    "expired": "命令等得太久，已经作废",
    "busy": "对方占线",
    "no_answer": "对方没有接",
    "rejected": "对方拒接",
    "unreachable": "对方的电话打不通",
    "refused": "对方听了工单，没有接受",
    "caller_gone": "市民已经挂机",
    "no_answer_from_phone": "电话进程没有回音",
    "redis_lost": "连不上 Redis",
    "command_failed": "没有做成，请看电话进程的日志",
}
"""Why a command came to nothing, by the stable code of its event, in words for staff."""


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
