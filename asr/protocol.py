"""The messages of the recogniser's WebSocket: vosk-server's, and ours added.

From a client: binary (s16le), ``{"config": {"sample_rate": 8000, "events": 1, "conversation":
ID}}``, ``{"eof" : 1}``, ``{"reset" : 1}``, and of ours ``{"expect": "yes_no", "grammar": [...] |
null}`` and ``{"complete": WORDS}`` (the dialogue knows its answer to these words, if they stay as
they are). To a stock client one answer for each binary message: ``{"partial": …}`` or ``{"result":
[…], "text": …}``. To a client that asked for events: ``{"event": …}`` for each voice event and
``{"heard": BYTES}`` after each binary message. To both: ``{"error": CODE}`` before a connection
that cannot go on is closed.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from asr.recogniser import Words
from turns.replies import Expects

MAX_MESSAGE_BYTES = 256 * 1024
"""Sixteen seconds of sound: nobody streams live in larger pieces."""
_CONVERSATION = re.compile(r"[a-z]+-[0-9a-f]{32}")
Phrase = Annotated[str, Field(min_length=1, max_length=40)]


class ProtocolError(ValueError):
    """A message that is not of the protocol; ``code`` goes back to the client."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Config(_Message):
    """How the client will speak. ``sample_rate`` in Hz.

    ``conversation`` is only logged; what cannot be one of our ids is taken as none.
    """

    sample_rate: Literal[8000, 16000] = 8000
    events: bool = False
    words: bool = True
    phrase_list: Annotated[tuple[Phrase, ...], Field(max_length=500)] = ()
    conversation: str = ""

    @field_validator("conversation", mode="before")
    @classmethod
    def _ours(cls, value: object) -> str:
        return value if isinstance(value, str) and _CONVERSATION.fullmatch(value) else ""


class Configure(_Message):
    """``{"config": {...}}``."""

    config: Config


class Expect(_Message):
    """``{"expect": ..., "grammar": ...}``."""

    expect: Expects
    grammar: Annotated[tuple[Phrase, ...], Field(max_length=500)] | None = None


class Complete(_Message):
    """``{"complete": ...}``."""

    complete: Annotated[str, Field(min_length=1, max_length=2000)]


class Eof(_Message):
    """``{"eof": 1}``: the stream is over."""

    eof: Literal[1]


class Reset(_Message):
    """``{"reset": 1}``: forget the turn in progress."""

    reset: Literal[1]


Message = Configure | Expect | Complete | Eof | Reset
_KINDS: dict[str, type[Message]] = {
    "config": Configure,
    "expect": Expect,
    "complete": Complete,
    "eof": Eof,
    "reset": Reset,
}


def parse(text: str) -> Message:
    """A client's text message; raises `ProtocolError` ``not_json``, ``unknown`` or ``invalid``."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("not_json") from None
    if not isinstance(data, dict):
        raise ProtocolError("not_json")
    kind = next((kind for name, kind in _KINDS.items() if name in data), None)
    if kind is None:
        raise ProtocolError("unknown_message")
    try:
        return kind.model_validate(data)
    except ValidationError:
        raise ProtocolError("invalid_message") from None


def result(words: Words, *, with_words: bool = True) -> str:
    """Final words as vosk-server tells them: times in seconds, text parted by spaces."""
    answer: dict[str, Any] = {"text": " ".join(word.text for word in words.words)}
    if with_words and words.words:
        answer["result"] = [
            {
                "conf": word.confidence,
                "end": word.end_ms / 1000,
                "start": word.start_ms / 1000,
                "word": word.text,
            }
            for word in words.words
        ]
    return dumps(answer)


def dumps(message: dict[str, Any]) -> str:
    """A message to a client."""
    return json.dumps(message, ensure_ascii=False)
