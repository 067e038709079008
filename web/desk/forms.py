"""What a form on the desk says, as the knowledge room takes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Form

from knowledge.editing import EditError, Wording

_LONGEST = 20_000
"""Characters of one field: far beyond what is valid, so that what was typed comes back."""
Text = Annotated[str, Form(max_length=_LONGEST)]
_Lines = Annotated[str | None, Form(max_length=100_000)]


def _wording(
    text: Text = "", speech: Text = "", document: Text = "", article: Text = "",
    valid_from: Text = "", valid_to: Text = "", sample: Text = "",
) -> Wording:  # fmt: skip
    start = _day("valid_from", valid_from)
    if start is None:
        raise _wrong("valid_from", "missing", "还没有填生效日期")
    return Wording(
        _lines(text), _lines(speech), document.strip(), article.strip(), start,
        _day("valid_to", valid_to), bool(sample),
    )  # fmt: skip


FormWording = Annotated[Wording, Depends(_wording)]
"""Raises :class:`EditError` ``wording_invalid`` for a day that is none."""


@dataclass(frozen=True, slots=True)
class Given:
    """The words that a form sent: whole ``fields``, and of ``aspect`` the questions."""

    fields: Mapping[str, Any]
    aspect: str
    by_aspect: Mapping[str, list[str]]


def given_words(
    name: _Lines = None, department: _Lines = None, merged_line: _Lines = None,
    aliases: _Lines = None, phrasings: _Lines = None, aspect: Text = "",
    questions: _Lines = None, golden: _Lines = None,
) -> Given:  # fmt: skip
    """What was sent; a field that was not is left alone."""
    single = {"name": name, "department": department, "merged_line": merged_line}
    lists = {"aliases": aliases, "phrasings": phrasings}
    by_aspect = {"questions": questions, "golden": golden}
    fields: dict[str, Any] = {key: text.strip() for key, text in single.items() if text is not None}
    fields |= {key: lines_of(text) for key, text in lists.items() if text is not None}
    asked = {key: lines_of(text) for key, text in by_aspect.items() if text is not None}
    return Given(fields, aspect, asked)


def lines_of(text: str) -> list[str]:
    """One entry a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def with_lines(by_aspect: Mapping[str, Any], aspect: str, lines: list[str]) -> dict[str, list[str]]:
    """``by_aspect`` with another aspect's lines exchanged."""
    rest = {name: list(texts) for name, texts in by_aspect.items() if name != aspect}
    return {**rest, aspect: lines} if lines else rest


def _lines(text: str) -> str:
    """As browsers send it, line ends apart."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _day(field: str, given: str) -> date | None:
    if not given.strip():
        return None
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        raise _wrong(field, "unreadable", "日期要写成 2026-01-31 这样") from None


def _wrong(field: str, code: str, message: str) -> EditError:
    fault = {"field": field, "code": code, "message": message}
    return EditError("wording_invalid", message, faults=[fault])
