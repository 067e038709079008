"""Rasa over HTTP: one turn in, one outcome out; every failure has a code."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bot import metrics
from bot.jsonhttp import Exchange, JsonHttp, UnansweredError, content_of
from bot.parts import DialogueError
from turns import wire
from turns.context import Context
from turns.understood import ACTS, Act, Outcome

_OK = 200


class RasaError(DialogueError):
    """Rasa gave no outcome.

    ``code``: ``rasa_down`` (no connection, or it broke), ``rasa_slow`` (time-out), ``rasa_empty``
    (HTTP 200 with ``[]``: an action, the lock or the tracker store failed), ``rasa_invalid``
    (anything else that is not one outcome).
    """


@dataclass(frozen=True, slots=True)
class Parsed:
    """What Rasa takes a text for; ``confidence`` is the act's probability."""

    act: Act
    confidence: float


class RasaClient:
    """One Rasa server. Connections are kept; close it in the loop it was used in."""

    def __init__(self, base_url: str, timeout_s: float, *, http: Exchange | None = None) -> None:
        """``timeout_s`` bounds a whole request."""
        self._http = http or JsonHttp(base_url, timeout_s)

    async def turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        """One citizen turn; raises :class:`RasaError`."""
        with metrics.asking_rasa("turn"):
            return await self._turn(sender, text, metadata)

    async def _turn(self, sender: str, text: str, metadata: dict[str, Any]) -> Outcome:
        body = {"sender": sender, "message": _harmless(text), "metadata": metadata}
        messages = await self._post("/webhooks/rest/webhook", body)
        if messages == []:
            raise RasaError("rasa_empty", "Rasa answered with nothing")
        if not isinstance(messages, list) or len(messages) != 1:
            raise RasaError("rasa_invalid", "expected one message")
        message = messages[0]
        if not isinstance(message, dict) or "custom" not in message:
            raise RasaError("rasa_invalid", "the message carries no outcome")
        try:
            return wire.load(Outcome, message["custom"])
        except wire.WireError as error:
            raise RasaError("rasa_invalid", str(error)) from None

    async def take_back(self, sender: str) -> None:
        """Forget the latest turn with all that came of it; raises :class:`RasaError`."""
        events = await self._events(sender)
        # Rasa's own rewind undoes a whole form, not its last turn.
        last = max((n for n, event in enumerate(events) if _is_said(event)), default=len(events))
        await self._keep(sender, events[:last])

    async def forget(self, sender: str, heard: str) -> None:
        """Forget turn ``heard`` and what came after it; nothing where Rasa never got it.

        Raises :class:`RasaError`.
        """
        events = await self._events(sender)
        first = next((n for n, event in enumerate(events) if _is_turn(event, heard)), None)
        if first is not None:
            await self._keep(sender, events[:first])

    async def _events(self, sender: str) -> list[Any]:
        tracker = await self._ask("GET", f"{_tracker(sender)}?include_events=ALL")
        events = tracker.get("events") if isinstance(tracker, dict) else None
        if not isinstance(events, list):
            raise RasaError("rasa_invalid", "the tracker has no events")
        return events

    async def _keep(self, sender: str, events: list[Any]) -> None:
        await self._ask("PUT", f"{_tracker(sender)}/events?include_events=NONE", events)

    async def parse(self, text: str) -> Parsed:
        """Which act a text is, without a conversation; raises :class:`RasaError`."""
        with metrics.asking_rasa("parse"):
            return await self._parse(text)

    async def _parse(self, text: str) -> Parsed:
        answer = await self._post("/model/parse", {"text": _harmless(text)})
        intent = answer.get("intent") if isinstance(answer, dict) else None
        if not isinstance(intent, dict) or intent.get("name") not in ACTS:
            raise RasaError("rasa_invalid", "the answer names no known act")
        confidence = intent.get("confidence")
        if not isinstance(confidence, int | float):
            raise RasaError("rasa_invalid", "the answer has no confidence")
        return Parsed(intent["name"], float(confidence))

    async def ready(self) -> bool:
        """Whether the server answers with a model loaded."""
        try:
            status, _ = await self._http("GET", "/status")
        except UnansweredError:
            return False
        return status == _OK

    async def warm(self) -> None:
        """Say hello once, so that no citizen waits for what is loaded at first use."""
        sender = f"warm-{uuid.uuid4()}"
        now = datetime.now(UTC).isoformat()
        metadata = {
            "heard": sender, "at": now, "confidence": 1.0, "channel": "warm", "line": "",
            "caller": "", "context": wire.dump(Context()), "last_replies": [],
        }  # fmt: skip
        await self._turn(sender, "你好", metadata)

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        try:
            return content_of(await self._http(method, path, body))
        except UnansweredError as error:
            raise RasaError("rasa_slow" if error.slow else "rasa_down", str(error)) from None
        except ValueError:
            raise RasaError("rasa_invalid", "Rasa's answer is no JSON with status 200") from None


def _is_said(event: Any) -> bool:
    return isinstance(event, dict) and event.get("event") == "user"


def _is_turn(event: Any, heard: str) -> bool:
    if not _is_said(event) or not isinstance(event.get("metadata"), dict):
        return False
    return bool(event["metadata"].get("heard") == heard)


def _tracker(sender: str) -> str:
    return f"/conversations/{quote(sender, safe='')}/tracker"


def _harmless(text: str) -> str:
    """Rasa takes a leading slash for a command (/restart, /intent{…}): citizens give none."""
    stripped = text.lstrip()
    return f"／{stripped[1:]}" if stripped.startswith("/") else text
