"""Write docs/settings.md from config/settings.py: ``python -m scripts.settings_doc``."""

from __future__ import annotations

import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from config.secretfiles import SECRETS
from config.settings import ROOT, Settings

TARGET = ROOT / "docs" / "settings.md"
_HEAD = """\
# Settings

中文：[设置](settings.zh-CN.md)

Written from `config/settings.py` by `make docs`; a test compares. Each is an environment variable
or a line of a `.env` file in the repository's root; a wrong value is named at start with its
variable. Secrets (marked *) are better given as files, one a secret, named like the variable in
small letters (`qianmen_data_key`), in `/run/secrets` or the folder of `QIANMEN_SECRETS_DIR`.

| Variable | Value | Default | Meaning |
| --- | --- | --- | --- |
"""
_NAMES = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path"}


def document() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items())


def _row(name: str, field: FieldInfo) -> str:
    cells = (_variable(name, field), _value(field), _default(field), _cell(field.description or ""))
    return f"| {' | '.join(cells)} |\n"


def _variable(name: str, field: FieldInfo) -> str:
    star = " *" if name in SECRETS else ""
    plain = ""
    if isinstance(field.validation_alias, AliasChoices):
        plain = f" or `{str(field.validation_alias.choices[-1]).upper()}`"
    return f"`QIANMEN_{name.upper()}`{plain}{star}"


def _value(field: FieldInfo) -> str:
    bounds = _bounds([*field.metadata, *_metadata(field.annotation)])
    return _type(field.annotation) + (f" {bounds}" if bounds else "")


def _metadata(annotation: Any) -> list[Any]:
    if get_origin(annotation) is not Annotated:
        return []
    found: list[Any] = []
    for item in get_args(annotation)[1:]:
        found += item.metadata if isinstance(item, FieldInfo) else [item]
    return found


def _bounds(metadata: list[Any]) -> str:
    low, high = "", ""
    for item in metadata:
        for name, sign in (("ge", ""), ("gt", "over ")):
            low = f"{sign}{getattr(item, name)}" if getattr(item, name, None) is not None else low
        high = f"{item.le}" if getattr(item, "le", None) is not None else high
    return f"{low} to {high}" if low and high else low or high


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return ", ".join(str(argument) for argument in arguments)
    if origin is tuple:
        return "JSON list"
    if origin in (Union, UnionType):
        return _type(next(one for one in arguments if one is not type(None)))
    return _NAMES[annotation]


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, Path):
        value = value.relative_to(ROOT) if value.is_relative_to(ROOT) else value
    elif isinstance(value, tuple):
        value = "[" + ", ".join(f'"{item}"' for item in value) + "]"
    elif isinstance(value, bool):
        value = str(value).lower()
    return "–" if value in (None, "") else f"`{_cell(str(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> int:
    """Write the page; always 0."""
    TARGET.write_text(document(), encoding="utf-8")
    sys.stderr.write(f"{TARGET.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
