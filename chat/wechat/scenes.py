"""What events stand for: buttons of the account's menu, codes that hang somewhere, a follow."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from bot import answered, history
from chat.wechat.incoming import CHANNEL, Incoming
from config.city import City
from config.wechat import Scene
from turns.heard import Heard

_TALK = frozenset(("subscribe", "scan", "click"))
_COUNTED = _TALK | {"unsubscribe", "location", "view", "templatesendjobfinish", "location_select"}
_NOWHERE = Scene()


def is_talk(incoming: Incoming) -> bool:
    """Whether something is to be heard or answered; of what else happens only quotas are kept.

    What is chosen with a button for photos or places comes as a message of its own. Where somebody
    is (LOCATION) nobody asked for: it is not kept.
    """
    return incoming.kind != "other" and (incoming.kind != "event" or incoming.event in _TALK)


def label(incoming: Incoming) -> str:
    """What kind of thing came, for counting: one of a few."""
    if incoming.kind != "event":
        return incoming.kind
    return incoming.event if incoming.event in _COUNTED else "event"


def is_welcome(city: City, incoming: Incoming) -> bool:
    """Whether the event stands for nothing said: who did it is welcomed."""
    return incoming.kind == "event" and not words_of(city, incoming)


def scene_of(city: City, incoming: Incoming) -> Scene:
    """Where the code hangs that was scanned; nowhere for everything else."""
    if incoming.event not in ("subscribe", "scan"):
        return _NOWHERE
    return city.wechat.scenes.get(incoming.key, _NOWHERE)


def words_of(city: City, incoming: Incoming) -> str:
    """What the event stands for, as if written; '' where it stands for nothing said."""
    if incoming.event == "click":
        return city.wechat.menu.get(incoming.key, "")
    return scene_of(city, incoming).text


def heard_as(incoming: Incoming, line: str, conversation: str, text: str) -> Heard:
    """``text``, heard under the event's id."""
    return Heard(
        id=incoming.id, conversation=conversation, channel=CHANNEL, line=line, kind="text",
        text=text, at=incoming.at,
    )  # fmt: skip


def note(engine: Engine, city: City, incoming: Incoming, conversation: str) -> None:
    """Region and department of who scanned a code. Synchronous; raises SQLAlchemyError."""
    scene = scene_of(city, incoming)
    state = history.read_state(engine, conversation) if scene != _NOWHERE else None
    if state is None:
        return
    region = scene.region or state.context.region
    department = scene.department or state.context.department
    context = replace(state.context, region=region, department=department)
    if context != state.context:
        answered.note(engine, conversation, "", answered.Notes(context=context))
