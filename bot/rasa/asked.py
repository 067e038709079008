"""How citizens ask about the city's own matters: policy by definition, drawn from its files.

Runs in Rasa's environment: standard library and PyYAML only. Reads ``questions`` and the names of
a matter, never ``golden`` (what must be answered is not learned from). What an editor publishes
stands in the database and plays no part: a publish needs no training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

QUESTIONS = 16  # of each matter
NAMES = 5  # of each matter, aliases and phrasings among them

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def drawn(city: Path | None) -> list[str]:
    """A fair sample of what ``city``'s folder has, the same every time; [] without a folder.

    A text is drawn by its own hash, so that one more question seldom changes the sample. A file
    that cannot be read gives nothing: whoever loads the knowledge says what is wrong with it.
    """
    files = sorted((city / "knowledge").glob("*.yaml")) if city else []
    texts = [text for path in files for matter in _matters(path) for text in _of(matter)]
    return list(dict.fromkeys(texts))


def _matters(path: Path) -> list[dict[str, Any]]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a safe loader
    except (OSError, UnicodeError, yaml.YAMLError):
        return []
    if not isinstance(document, dict):
        return []
    listed = document.get("matters")
    several = listed if isinstance(listed, list) else [document]
    return [matter for matter in several if isinstance(matter, dict)]


def _of(matter: dict[str, Any]) -> Iterator[str]:
    questions = matter.get("questions")
    by_aspect = questions.values() if isinstance(questions, dict) else ()
    yield from _few([text for texts in by_aspect for text in _texts(texts)], QUESTIONS)
    names = [matter.get("name"), *_texts(matter.get("aliases")), *_texts(matter.get("phrasings"))]
    yield from _few(_texts(names), NAMES)


def _texts(given: Any) -> list[str]:
    return [text for text in given if isinstance(text, str)] if isinstance(given, list) else []


def _few(texts: list[str], most: int) -> list[str]:
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())[:most]
