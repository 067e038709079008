"""Dataclasses to JSON and back, for the streams and HTTP between processes."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from turns.replies import Ask, Bye, Connect, Handoff, Reply, Say
from turns.voice import Partial, Played, SpeechStarted, SpeechStopped, TurnEnded, VoiceEvent

T = TypeVar("T")

_TaggedReply = Annotated[Say | Ask | Handoff | Connect | Bye, Field(discriminator="type")]
_TaggedVoice = Annotated[
    SpeechStarted | Partial | SpeechStopped | TurnEnded | Played, Field(discriminator="type")
]


class WireError(ValueError):
    """What arrived is not what was agreed; ``code`` is ``wire_invalid``."""

    code = "wire_invalid"


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:  # building one costs milliseconds, using it microseconds
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dump(value: Any) -> dict[str, Any]:
    """A dataclass of this package as JSON-ready values (times as ISO 8601)."""
    result: dict[str, Any] = _adapter(type(value)).dump_python(value, mode="json")
    return result


def load(kind: type[T], data: Any) -> T:
    """JSON-ready values back into ``kind``; raises :class:`WireError`."""
    try:
        value: T = _adapter(kind).validate_python(data)
    except ValidationError as error:
        raise WireError(f"not a {kind.__name__}: {_where(error)}") from None
    return value


def load_reply(data: Any) -> Reply:
    """JSON-ready values back into the reply their ``type`` names; raises :class:`WireError`."""
    return _load_tagged(_TaggedReply, "reply", data)  # type: ignore[no-any-return]  # tagged union


def load_voice(data: Any) -> VoiceEvent:
    """JSON-ready values back into the event their ``type`` names; raises :class:`WireError`."""
    return _load_tagged(_TaggedVoice, "voice event", data)  # type: ignore[no-any-return]  # as above


def _load_tagged(kind: Any, name: str, data: Any) -> Any:
    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        raise WireError(f"not a {name}: {_where(error)}") from None


def _where(error: ValidationError) -> str:
    """Name the failing places, never the values: they may be personal data."""
    places = {".".join(str(part) for part in item["loc"]) or "." for item in error.errors()}
    return ", ".join(sorted(places)[:5])
