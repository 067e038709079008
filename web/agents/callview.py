"""How a call stands, as the events of its telephones tell it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from turns.calls import CallEvent, CallInfo, Leg

_RINGING = ("ringing", "answered", "transferring")
_OVER = ("ended", "transferred")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CallView:
    """``stage``: '' (nothing is known), bot, ringing, person, parted (the last person has hung up,
    the caller is told what comes now), ended. ``parties`` names who is joined, ``calling`` who is
    being called into the talk; ``held`` who is on hold; ``muted``: the caller does not hear the
    agent.
    """

    stage: str = ""
    held: tuple[Leg, ...] = ()
    parties: tuple[str, ...] = ()
    muted: bool = False
    calling: tuple[str, ...] = ()


def known(info: CallInfo) -> CallView:
    """A call as its node publishes it."""
    return CallView(info.state, info.held, info.parties)


def track(view: CallView, event: CallEvent) -> CallView:
    """``view`` after ``event``."""
    if event.leg == "caller" and event.state in _OVER:
        return CallView("ended")
    match event.state:
        case "bridged":
            return CallView("person", (), (event.target,) if event.target else ())
        case "back":
            return CallView("bot")
        case "ended":  # the only person there was has hung up
            stage = "parted" if view.stage == "person" else view.stage
            return replace(view, parties=(), stage=stage)
        case state if state in _RINGING and view.stage != "person":
            return replace(view, stage="ringing")
    return _changed(view, event)


def _changed(view: CallView, event: CallEvent) -> CallView:
    """What happens while people talk."""
    match event.state:
        case state if state in _RINGING and event.leg == "third":
            return replace(view, calling=_with((), event.target))
        case "joined":
            return replace(view, parties=_with(view.parties, event.target), calling=())
        case "failed" if event.leg == "third":
            return replace(view, calling=())
        case "left":
            return replace(view, parties=tuple(p for p in view.parties if p != event.target))
        case "held":
            return replace(view, held=_with(view.held, event.leg))
        case "resumed":
            return replace(view, held=tuple(leg for leg in view.held if leg != event.leg))
        case "muted" | "unmuted" if event.leg == "target":
            return replace(view, muted=event.state == "muted")
    return view


def _with(items: tuple[_T, ...], item: _T) -> tuple[_T, ...]:
    return items if item in items or not item else (*items, item)
