"""Logs: one JSON object a line on standard error, personal data masked by type."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from config.metrics import count_failure

# Fields that hold what citizens said or are: never written, only their length.
_PERSONAL_KEYS = frozenset(
    "text quote caller citizen phone name value speech label address openid title partial".split()  # noqa: SIM905  # a list of words reads best as words
)
_PATTERNS = (
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), "<id-number>"),
    (re.compile(r"(?<!\d)1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"), "<mobile>"),
    (re.compile(r"(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)"), "<landline>"),
    (re.compile(r"(?<!\d)\d{16,19}(?!\d)"), "<bank-card>"),
)
# Ids that are hashes or random: a run of digits in one is no telephone number.
_IDS = frozenset({"conversation", "trace"})
_ID = re.compile(r"(?:[a-z]+-)?[0-9a-f]{32}")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_FAILURES = frozenset({"warning", "error", "critical"})


def mask(text: str) -> str:
    """``text`` with phone, identity and card numbers replaced by what kind they are."""
    for pattern, kind in _PATTERNS:
        text = pattern.sub(kind, text)
    return text


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor: personal fields become their length, numbers in others their kind."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: Any) -> Any:
    if key in _IDS and _ID.fullmatch(str(value)):
        return value
    if key in _PERSONAL_KEYS:
        return f"<{len(str(value))} characters>"
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {inner: _masked(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item) for item in value]
    return value


def failure_counter(process: str) -> Any:
    """A structlog processor that counts every warning and error, so that none is forgotten.

    By its ``code``, else by its event's name, which is static; what a library writes is ``other``.
    """

    def count(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if event.get("level") in _FAILURES:
            name = str(event.get("event", ""))
            count_failure(process, name, str(event.get("code") or name))
        return event

    return count


def drop_below(level: str) -> Any:
    """A structlog processor that ends what is less than ``level`` (after it was counted)."""

    def drop(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if _LEVELS.get(str(event.get("level")), _LEVELS["error"]) < _LEVELS[level]:
            raise structlog.DropEvent
        return event

    return drop


def _named(process: str) -> Any:
    """A structlog processor that names the process; threads do not inherit context variables."""

    def name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        event.setdefault("process", process)
        return event

    return name


def configure(process: str, level: str = "info") -> None:
    """Send this process's logs, and those of its libraries, to standard error as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _named(process),
        structlog.stdlib.add_log_level,
        failure_counter(process),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_event,
    ]
    structlog.configure(
        processors=[
            *shared,
            drop_below(level),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            min(_LEVELS[level], _LEVELS["warning"])
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
