"""The desk's frames, from the agent's page: a total parser into frozen dataclasses.

Each is a JSON object in one text frame; ``id``, unique for ever, makes sending an action again
harmless. What goes the other way is built in ``web.agents.frames``. The first frame is ``hello``;
``watch``, ``typing`` and ``ping`` have no id, since they change nothing that lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from chat.errors import ChatError
from chat.frame import clean, is_cursor, is_id, members
from chat.protocol import MAX_TEXT_CHARS
from turns.calls import Verb
from web.agents.errors import DeskError

MAX_NAME_CHARS = 200
MAX_NOTE_CHARS = 2000
STATUSES = ("online", "busy", "break", "offline")
VERBS: tuple[str, ...] = get_args(Verb)


@dataclass(frozen=True, slots=True)
class Hello:
    """The page opens; ``token`` is its form's token."""

    token: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""


@dataclass(frozen=True, slots=True)
class Watch:
    """Show this handoff's talk from ``cursor`` on; '' shows none."""

    handoff: str
    cursor: int


@dataclass(frozen=True, slots=True)
class Typing:
    """The agent writes, or has stopped."""

    handoff: str
    on: bool


@dataclass(frozen=True, slots=True)
class Status:
    """Where the agent stands: one of ``STATUSES``; ``reason`` is one of the city's, or ''."""

    id: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Accept:
    """Take the citizen of this offer."""

    id: str
    offer: str


@dataclass(frozen=True, slots=True)
class Decline:
    """Let the next one take them."""

    id: str
    offer: str


@dataclass(frozen=True, slots=True)
class Say:
    """Write to the citizen."""

    id: str
    handoff: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """Do something with the call: one of ``VERBS``, with ``target`` as ``CallCommand`` has it."""

    id: str
    handoff: str
    verb: str
    target: str


@dataclass(frozen=True, slots=True)
class Note:
    """Write something on the order, for colleagues."""

    id: str
    handoff: str
    text: str


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """Send a published answer as it stands."""

    id: str
    handoff: str
    answer: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Give the citizen to an agent, or to whoever has a skill."""

    id: str
    handoff: str
    agent: str
    skill: str
    note: str


@dataclass(frozen=True, slots=True)
class Back:
    """Give the citizen back to the bot, with a word of what to do."""

    id: str
    handoff: str
    word: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The talk is over, with this result code."""

    id: str
    handoff: str
    result: str
    note: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The work after the talk is done."""

    id: str


@dataclass(frozen=True, slots=True)
class Field:
    """Change a field of the order; ``edition`` is the order's as the agent saw it."""

    id: str
    handoff: str
    name: str
    value: str
    edition: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """This field is right."""

    id: str
    handoff: str
    name: str


@dataclass(frozen=True, slots=True)
class Link:
    """Send the order to ``party`` at once."""

    id: str
    handoff: str
    party: str


@dataclass(frozen=True, slots=True)
class AlarmSeen:
    """The agent has seen an alarm."""

    id: str
    alarm: int


@dataclass(frozen=True, slots=True)
class Callback:
    """Take a call-back, or say what came of it: ``verb`` take, done or failed."""

    id: str
    callback: int
    verb: str
    note: str


Action = (
    Status | Accept | Decline | Say | Call | Note | SendAnswer | Transfer | Back | Finish | Ready
    | Field | Confirm | Link | AlarmSeen | Callback
)  # fmt: skip
ClientFrame = Hello | Ping | Watch | Typing | Action


def parse(frame: str | bytes) -> ClientFrame:
    """One frame of the page; raises :class:`DeskError` for anything that is not one."""
    fields = _Fields(frame)
    kind = fields.kind
    if kind in _PLAIN:
        return _PLAIN[kind](fields)
    if kind in _ACTIONS:
        return _ACTIONS[kind](fields.id(), fields)
    raise DeskError("frame_unknown", fields.known)


class _Fields:
    """The members of one frame, each checked as it is asked for."""

    def __init__(self, frame: str | bytes) -> None:
        try:
            fields = self._fields = members(frame)
        except ChatError as error:
            raise DeskError(error.code) from None
        known: Any = fields.get("id")
        self.known = known if is_id(known) else ""
        kind = fields.get("type")
        self.kind = kind if isinstance(kind, str) else ""

    def id(self) -> str:
        if not self.known:
            raise DeskError("frame_malformed")
        return self.known

    def words(self, name: str, limit: int, *, needed: bool = False) -> str:
        """Something written; without hidden characters and lone surrogates."""
        value = self._fields.get(name, "")
        if not isinstance(value, str):
            raise DeskError("frame_malformed", self.known)
        text = clean(value)
        if len(text) > limit:
            raise DeskError("text_too_long", self.known)
        if needed and not text:
            raise DeskError("text_empty", self.known)
        return text

    def name(self, name: str, *, needed: bool = True) -> str:
        """What names something: an id, a code, a login."""
        value = self._fields.get(name, "")
        good = isinstance(value, str) and len(value) <= MAX_NAME_CHARS and value.isprintable()
        if not good or (needed and not value):
            raise DeskError("frame_malformed", self.known)
        return str(value)

    def one_of(self, name: str, known: tuple[str, ...], code: str) -> str:
        value = self._fields.get(name)
        if not isinstance(value, str) or value not in known:
            raise DeskError(code, self.known)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number; JSON from a page may hold it as text, since element values are text."""
        value = self._fields.get(name, default)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
            value = int(value)
        if not is_cursor(value):
            raise DeskError("frame_malformed", self.known)
        return value

    def flag(self, name: str) -> bool:
        value = self._fields.get(name)
        if not isinstance(value, bool):
            raise DeskError("frame_malformed", self.known)
        return value


_PLAIN: Mapping[str, Callable[[_Fields], Hello | Ping | Watch | Typing]] = MappingProxyType({
    "hello": lambda f: Hello(f.name("token")),
    "ping": lambda _: Ping(),
    "watch": lambda f: Watch(f.name("handoff", needed=False), f.number("cursor", 0)),
    "typing": lambda f: Typing(f.name("handoff"), f.flag("on")),
})  # fmt: skip

_ACTIONS: Mapping[str, Callable[[str, _Fields], Action]] = MappingProxyType({
    "status": lambda id_, f: Status(
        id_, f.one_of("value", STATUSES, "status_unknown"), f.name("reason", needed=False)
    ),
    "accept": lambda id_, f: Accept(id_, f.name("offer")),
    "decline": lambda id_, f: Decline(id_, f.name("offer")),
    "say": lambda id_, f: Say(
        id_, f.name("handoff"), f.words("text", MAX_TEXT_CHARS, needed=True)
    ),
    "call": lambda id_, f: Call(
        id_, f.name("handoff"), f.one_of("verb", VERBS, "verb_unknown"),
        f.name("target", needed=False),
    ),
    "note": lambda id_, f: Note(
        id_, f.name("handoff"), f.words("text", MAX_NOTE_CHARS, needed=True)
    ),
    "send_answer": lambda id_, f: SendAnswer(id_, f.name("handoff"), f.name("answer")),
    "transfer": lambda id_, f: Transfer(
        id_, f.name("handoff"), f.name("agent", needed=False), f.name("skill", needed=False),
        f.words("note", MAX_NOTE_CHARS),
    ),
    "back": lambda id_, f: Back(id_, f.name("handoff"), f.words("word", MAX_TEXT_CHARS)),
    "finish": lambda id_, f: Finish(
        id_, f.name("handoff"), f.name("result", needed=False), f.words("note", MAX_NOTE_CHARS)
    ),
    "ready": lambda id_, _: Ready(id_),
    "field": lambda id_, f: Field(
        id_, f.name("handoff"), f.name("name"), f.words("value", MAX_NOTE_CHARS),
        f.number("edition"),
    ),
    "confirm": lambda id_, f: Confirm(id_, f.name("handoff"), f.name("name")),
    "link": lambda id_, f: Link(id_, f.name("handoff"), f.name("party")),
    "alarm_seen": lambda id_, f: AlarmSeen(id_, f.number("alarm")),
    "callback": lambda id_, f: Callback(
        id_, f.number("callback"), f.one_of("verb", ("take", "done", "failed"), "frame_malformed"),
        f.words("note", MAX_NOTE_CHARS),
    ),
})  # fmt: skip
