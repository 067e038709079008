"""The training sentences: phrases in YAML, spread out into what people say.

Runs in Rasa's environment and in the tests: standard library, PyYAML and ``language`` only. The
same files give the same sentences: every draw comes from a generator seeded by the frame itself.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bot.rasa.asked import drawn
from language.normal import bare

PHRASES = Path(__file__).resolve().parent / "phrases"

_EITHER = re.compile(r"\(([^()]*)\)")  # (this|that|)
_WORD = re.compile(r"\{(\w+)\}")  # {list}
_OPENINGS = ("嗯", "那个", "喂你好", "你好", "就是说", "是这样的啊", "呃我想说", "哎同志")
_TAILS = ("啊", "呢", "呗", "是吧", "你看", "行不")
_CHATTY = frozenset({"policy", "complaint", "report", "suggestion", "help", "status", "handoff"})
_CHATTY_SHARE = 0.25


def sentences(folder: Path = PHRASES, city: Path | None = None) -> dict[str, list[str]]:
    """Every training sentence under its act, in a fixed order, none twice within an act.

    ``city``: its folder; how its citizens ask about its matters joins what is policy, but for
    what stands under another act already.
    """
    acts: dict[str, list[str]] = {}
    for whole, framed in _files(folder):
        for act, said in (*whole, *framed):
            acts.setdefault(act, []).extend(said)
    known = {bare(text) for said in acts.values() for text in said}
    acts.setdefault("policy", []).extend(text for text in drawn(city) if bare(text) not in known)
    return {act: list(dict.fromkeys(_with_chatter(act, said))) for act, said in acts.items()}


def parts(folder: Path = PHRASES) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Act and text of the whole sentences, and of those that frames made, for a measurement."""
    files = list(_files(folder))
    whole, framed = (
        [(act, text) for file in files for act, said in file[part] for text in said]
        for part in (0, 1)
    )
    return list(dict.fromkeys(whole)), list(dict.fromkeys(framed))


def chattered(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """``pairs`` and some of them once more, as :func:`sentences` has them."""
    acts: dict[str, list[str]] = {}
    for act, text in pairs:
        acts.setdefault(act, []).append(text)
    return [(act, text) for act, said in acts.items() for text in _with_chatter(act, said)]


def nlu_yaml(folder: Path = PHRASES, city: Path | None = None) -> str:
    """The sentences as a Rasa NLU file."""
    entries = [
        {"intent": act, "examples": "".join(f"- {text}\n" for text in said)}
        for act, said in sentences(folder, city).items()
    ]
    document = {"version": "3.1", "nlu": entries}
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1000))


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


_Said = list[tuple[str, list[str]]]


def _files(folder: Path) -> Iterator[tuple[_Said, _Said]]:
    """Each file's whole sentences by act, and those of its frames."""
    shared: dict[str, list[str]] = _read(folder / "words.yaml")
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "words.yaml":
            yield _spread(_read(path), shared)


def _spread(file: dict[str, Any], shared: dict[str, list[str]]) -> tuple[_Said, _Said]:
    if "acts" in file:
        listed = file["acts"].items()
        return [(act, [str(text) for text in said]) for act, said in listed], []  # 666 is a text
    words = {**shared, **file.get("words", {})}
    framed = [
        (file["act"], _fill(frame, words, int(file["each"]))) for frame in file.get("combine", ())
    ]
    return [(file["act"], [str(text) for text in file.get("say", ())])], framed


def _fill(frame: str, words: dict[str, list[str]], most: int) -> list[str]:
    """Up to ``most`` different sentences of one frame."""
    draw = random.Random(frame)  # noqa: S311  # spreads sentences, guards nothing
    filled: dict[str, None] = {}
    for _ in range(3 * most):
        chosen = _EITHER.sub(lambda either: draw.choice(either[1].split("|")), frame)
        filled[_WORD.sub(lambda word: draw.choice(words[word[1]]), chosen)] = None
        if len(filled) == most:
            break
    return list(filled)


def _with_chatter(act: str, said: list[str]) -> Iterator[str]:
    """Some sentences once more with what people put before and after what they mean."""
    openings, tails = itertools.cycle(_OPENINGS), itertools.cycle(_TAILS)
    for text in said:
        yield text
        if act not in _CHATTY:
            continue
        dice = random.Random(f"{act}:{text}")  # noqa: S311  # as above
        if dice.random() < _CHATTY_SHARE:
            yield next(openings) + text
        if dice.random() < _CHATTY_SHARE / 2:
            yield text + next(tails)
