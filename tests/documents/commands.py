"""Commands of ``qianmen`` as documents show them, held against the command line itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from typer.main import get_command

from qianmen.cli import app

_SHOWN = re.compile(r"(?:^|[\s/])qianmen((?:\s+\S.*)?)$")
_END = re.compile(r"\s+#|\s*(?:\||&&|;|>|<)\s|\s*\)\s*$|\s+&\s*$")
ROOT_COMMAND: Any = get_command(app)


def shown(line: str) -> list[str] | None:
    """The words after ``qianmen`` in a line of code; None where the line shows no command.

    Words that stand for others (``…``, ``[…]``) are left out.
    """
    found = _SHOWN.search(re.sub(r"\s*\\$", "", line))
    if not found:
        return None
    text = _END.split(found[1] + " ")[0]
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return [word.strip("[]") for word in words if word.strip("[]…")]


def wrong(words: Sequence[str]) -> str:
    """What the command line would not understand; empty when it would."""
    if not words or words == ["--help"]:
        return ""
    return next((why for why in (_wrong(ROOT_COMMAND, one) for one in _each(words)) if why), "")


def _each(words: Sequence[str]) -> list[list[str]]:
    """``db upgrade|backup FILE`` is two commands."""
    for place, word in enumerate(words):
        if "|" in word:
            return [[*words[:place], one, *words[place + 1 :]] for one in word.split("|")]
    return [list(words)]


def _wrong(command: Any, words: list[str]) -> str:
    commands = getattr(command, "commands", None)
    if commands is not None:
        if not words or words[0] == "--help":
            return ""
        if words[0] not in commands:
            return f"no command {words[0]!r}"
        return _wrong(commands[words[0]], words[1:])
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts)}
    places = [one.nargs for one in command.params if one.param_type_name == "argument"]
    return _wrong_arguments(options, -1 if -1 in places else len(places), words)


def _wrong_arguments(options: dict[str, Any], places: int, words: list[str]) -> str:
    given = 0
    rest = iter(words)
    for word in rest:
        if word == "-" or not word.startswith("-"):  # "-" alone is standard input
            given += 1
        elif (name := word.split("=")[0]) == "--help":
            continue
        elif name not in options:
            return f"no option {name}"
        elif not getattr(options[name], "is_flag", False) and "=" not in word:
            next(rest, None)
    return f"{given} arguments, takes {places}" if places >= 0 and given > places else ""
