"""The actions process's HTTP app: Rasa's webhook, the search, health, metrics. Loopback only."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from structlog.contextvars import bind_contextvars

from bot import metrics
from bot.actions.calls import Call, WebhookError, read_call
from bot.actions.dialogue import ACTIONS, Dialogue
from bot.actions.outcome import Result
from config.listening import metrics_route
from config.metrics import OTHER
from knowledge.published import KnowledgeError
from knowledge.search import Found
from turns import wire
from turns.context import Context
from turns.understood import Finding

_log = structlog.get_logger(__name__)
_BODY_LIMIT = 1024 * 1024  # bytes
_TEXT_LIMIT = 1000  # characters


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")

    text: str = Field(max_length=_TEXT_LIMIT)
    at: AwareDatetime
    context: dict[str, Any] = Field(default_factory=dict)


def create_app(dialogue: Dialogue) -> Starlette:
    """The app around ``dialogue``; it opens nothing, so it can also run inside another process.

    Errors are JSON ``{"code", "error"}``: 400 for what is not a call, 503 where the knowledge or
    the database does not answer. Rasa makes ``[]`` of either, its client ``rasa_empty``.
    """
    actions = _Actions(dialogue)
    return Starlette(
        routes=[
            Route("/webhook", actions.webhook, methods=["POST"]),
            Route("/search", actions.search, methods=["POST"]),
            Route("/livez", actions.live),
            Route("/readyz", actions.ready),
            metrics_route(),
        ]
    )


class _Actions:
    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    async def webhook(self, request: Request) -> JSONResponse:
        """One action of Rasa's."""
        try:
            result = await self._run(read_call(await _json(request)))
        except WebhookError as error:
            _log.warning("webhook_refused", code=error.code)
            return _refused(400, error.code, str(error))
        except Exception as error:  # noqa: BLE001  # the last resort: a code, never a stack trace
            return _failed("webhook_failed", error)
        return JSONResponse(result.dump())

    async def _run(self, call: Call) -> Result:
        # Bound for the request, whose task ends with it: what goes wrong is logged with them too.
        bind_contextvars(conversation=call.turn.conversation, trace=call.turn.trace)
        name = call.action if call.action in ACTIONS else OTHER
        with metrics.action_seconds.labels(name).time():
            result = await self._dialogue.run(call)
        outcome = result.outcome
        decision = outcome.understood.decision if outcome else ""
        _log.info("action_done", action=name, decision=decision)
        return result

    async def search(self, request: Request) -> JSONResponse:
        """Look up without side effects: ``{"text", "at", "context"}`` to what was found."""
        try:
            asked = _Asked.model_validate(await _json(request))
            context = wire.load(Context, asked.context)
            knowledge = await self._dialogue.knowledge()
            with metrics.action_seconds.labels("search").time():
                found = self._dialogue.look(knowledge, asked.text, context, asked.at)
        except (WebhookError, wire.WireError, ValidationError):
            return _refused(400, "search_invalid", "expected text, at and context")
        except Exception as error:  # noqa: BLE001  # as above
            return _failed("search_failed", error)
        return JSONResponse(_dump(found))

    async def live(self, _: Request) -> JSONResponse:
        """The process runs."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _: Request) -> JSONResponse:
        """The knowledge can be looked up."""
        try:
            await self._dialogue.knowledge()
        except KnowledgeError as error:
            return _refused(503, error.code, "the knowledge cannot be looked up")
        return JSONResponse({"status": "ok"})


def _dump(found: Found) -> dict[str, Any]:
    answer = found.answer.id if found.answer else ""
    return wire.dump(
        Finding(found.decision, answer, found.candidates, found.options, found.context)
    )


async def _json(request: Request) -> object:
    body = await request.body()
    if len(body) > _BODY_LIMIT:
        raise WebhookError("call_too_large", "more than a call can be")
    try:
        data: object = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise WebhookError("call_invalid", "not JSON") from None
    return data


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "error": message}, status_code=status)


def _failed(event: str, error: Exception) -> JSONResponse:
    code = str(getattr(error, "code", "action_failed"))
    _log.error(event, code=code, error=type(error).__name__)
    return _refused(503, code, "the action could not be done")
