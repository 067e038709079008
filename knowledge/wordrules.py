"""What a matter's words may look like: plain texts of bounded length, never patterns. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.editing import WORD_FIELDS, EditError, Fault
from language.normal import clean, for_matching
from turns.understood import ASPECTS

MAX_NAME, MAX_QUESTION = 60, 200
"""Characters."""
MAX_NAMES, MAX_QUESTIONS = 300, 300
"""A field's entries; of ``questions`` and ``golden``, those of one aspect."""
LABELS = {
    "name": "名称", "department": "部门", "merged_line": "原热线", "aliases": "别名",
    "phrasings": "说法", "questions": "问法", "golden": "黄金问题",
}  # fmt: skip
_CODE = re.compile(r"[a-z]{1,30}(?:\.[a-z]{1,30}){1,3}")
_LINE = re.compile(r"[0-9]{0,12}")


def checked_code(code: str) -> str:
    """The code of a new matter (``gjj.rent``). Raises ``matter_code_invalid``."""
    if len(code) > MAX_NAME or not _CODE.fullmatch(code):
        raise EditError("matter_code_invalid", "事项代码的写法是 gjj.rent：小写字母，用点分开")
    return code


def checked_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """``changes`` as they are kept: cleaned, empty entries and repeats left out.

    Raises ``words_invalid`` with every fault: an unknown field, what is too long, too short, too
    many, no aspect, or of the wrong kind.
    """
    kept: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in changes.items():
        try:
            kept[name] = _checked(name, value)
        except _FaultyError as faulty:
            faults += faulty.faults
    _raise(faults)
    return kept


def publishable(fields: Mapping[str, Any]) -> None:
    """Raise ``words_invalid`` where a matter could not be published with these fields."""
    _raise([fault for name in ("name", "department") for fault in _too_short(name, fields[name])])


class _FaultyError(Exception):
    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = faults


def _checked(name: str, value: Any) -> Any:
    if name not in WORD_FIELDS:
        raise _FaultyError(Fault(name[:40], "unknown_field", f"没有栏目 {name[:40]}"))
    if name in ("name", "department"):
        return _text(name, value, MAX_NAME)
    if name == "merged_line":
        line = _text(name, value, 12)
        if not _LINE.fullmatch(line):
            raise _FaultyError(Fault(name, "unreadable", "原热线只写数字"))
        return line
    if name in ("aliases", "phrasings"):
        return _texts(name, value, MAX_NAME, MAX_NAMES)
    return _by_aspect(name, value)


def _by_aspect(name: str, value: Any) -> dict[str, list[str]]:
    if not isinstance(value, Mapping):
        raise _FaultyError(Fault(name, "unreadable", f"{LABELS[name]}要按方面填写"))
    unknown = [str(aspect)[:20] for aspect in value if aspect not in ASPECTS]
    if unknown:
        raise _FaultyError(Fault(name, "aspect_unknown", f"{LABELS[name]}：没有方面“{unknown[0]}”"))
    read = {
        aspect: _texts(name, value[aspect], MAX_QUESTION, MAX_QUESTIONS)
        for aspect in ASPECTS
        if aspect in value
    }
    return {aspect: texts for aspect, texts in read.items() if texts}


def _texts(name: str, value: Any, longest: int, most: int) -> list[str]:
    if not isinstance(value, list | tuple):
        raise _FaultyError(Fault(name, "unreadable", f"{LABELS[name]}要一条一条填写"))
    texts = list(dict.fromkeys(filter(None, (_text(name, one, longest) for one in value))))
    if len(texts) > most:
        raise _FaultyError(Fault(name, "too_many", f"{LABELS[name]}最多 {most} 条"))
    short = [fault for text in texts for fault in _too_short(name, text)]
    if short:
        raise _FaultyError(*short)
    return texts


def _text(name: str, value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise _FaultyError(Fault(name, "unreadable", f"{LABELS[name]}要写文字"))
    text = clean(value)
    if len(text) > longest:
        raise _FaultyError(
            Fault(name, "too_long", f"{LABELS[name]}最长 {longest} 个字：{text[:20]}……")
        )
    return text


def _too_short(name: str, text: str) -> Iterator[Fault]:
    if len(text) < 2 or not for_matching(text):
        yield Fault(name, "too_short", f"{LABELS[name]}至少两个字：{text!r}")


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise EditError(
            "words_invalid", "；".join(fault.message for fault in faults),
            faults=[{"field": f.field, "code": f.code, "message": f.message} for f in faults],
        )  # fmt: skip
