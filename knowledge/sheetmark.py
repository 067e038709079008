"""What a sheet's row was exported from (column 版次): whether it was edited, and what it began as.

An answer's mark is ``v<version>-<key>-<digest>``, a matter's ``m-<key>-<digest>.<digest>…`` (one
for each of :data:`MATTER_FIELDS`), a question's ``q-<digest>``. The key tells a row that was
copied to begin another from the row itself. A mark that is not one of these is no mark. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from knowledge import sheetcells as cells
from knowledge.matters import AnswerEntry, answer_id

MATTER_FIELDS = ("name", "department", "merged_line", "aliases", "phrasings")
_ANSWER = re.compile(r"v(\d{1,9})-([0-9a-f]{4})-([0-9a-f]{12})")
_MATTER = re.compile(r"m-([0-9a-f]{4})-((?:[0-9a-f]{6}\.){4}[0-9a-f]{6})")


@dataclass(frozen=True, slots=True)
class Origin:
    """What an answer or a matter's field was when it was exported.

    ``touched``: whether the sheet says something else now. ``version``: an answer's newest
    published version then.
    """

    digest: str
    touched: bool
    version: int = 0


def answer_mark(entry: AnswerEntry, version: int) -> str:
    """The mark of an answer's row."""
    return f"v{version}-{_key(_id(entry))}-{answer_digest(entry)}"


def answer_digest(entry: AnswerEntry) -> str:
    """Tells whether two rows of one answer say the same."""
    texts = (entry.text, entry.speech, entry.document, entry.article)
    said = [cells.text(text) for text in texts]
    return _digest(_id(entry), *said, str(entry.valid_from), str(entry.valid_to), entry.sample)


def answer_origin(mark: str, entry: AnswerEntry) -> Origin | None:
    """What ``entry``'s row was exported from; None for a row without a mark of its own."""
    match = _ANSWER.fullmatch(mark)
    if match is None or match[2] != _key(_id(entry)):
        return None
    return Origin(match[3], match[3] != answer_digest(entry), int(match[1]))


def matter_mark(code: str, fields: Mapping[str, Any]) -> str:
    """The mark of a matter's row; ``fields``: all of :data:`MATTER_FIELDS`."""
    digests = (field_digest(name, fields[name]) for name in MATTER_FIELDS)
    return f"m-{_key(code)}-{'.'.join(digests)}"


def field_digest(name: str, value: str | Iterable[str]) -> str:
    """Tells whether two values of a matter's field are the same."""
    texts = [value] if isinstance(value, str) else value
    return _digest(name, *(cells.text(text) for text in texts))[:6]


def matter_origins(mark: str, code: str, fields: Mapping[str, Any]) -> dict[str, Origin]:
    """What each of a row's ``fields`` was exported from; empty for a row without its mark."""
    match = _MATTER.fullmatch(mark)
    if match is None or match[1] != _key(code):
        return {}
    began = dict(zip(MATTER_FIELDS, match[2].split("."), strict=True))
    return {
        name: Origin(began[name], began[name] != field_digest(name, value))
        for name, value in fields.items()
    }


def question_mark(code: str, field: str, aspect: str, text: str) -> str:
    """The mark of a question's row; ``field`` is ``questions`` or ``golden``."""
    return f"q-{_digest(code, field, aspect, cells.text(text))}"


def _id(entry: AnswerEntry) -> str:
    return answer_id(entry.matter, entry.aspect, entry.region)


def _key(what: str) -> str:
    return _digest(what)[:4]


def _digest(*said: Any) -> str:
    return sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:12]
