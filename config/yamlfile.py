"""Read a YAML file into a pydantic model, with errors that name file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from config.errors import ConfigError

M = TypeVar("M", bound=BaseModel)
_Loc = tuple[int | str, ...]


def read(path: Path, model: type[M], defaults: Mapping[str, object] | None = None) -> M:
    """Read ``path`` as ``model``; ``defaults`` are the keys that the file need not give.

    Raises :class:`ConfigError` with code ``config_missing``, ``config_broken`` (not YAML) or
    ``config_invalid`` (a key is missing, unknown or of the wrong kind).
    """
    node = _compose(path)
    try:
        value = _Loader.plain(node, path)
        if defaults and isinstance(value, dict):
            value = {**defaults, **value}
        return model.model_validate(value)
    except ValidationError as error:
        lines = [f"{path.name}:{_line(node, e['loc'])}: {_key(e['loc'])}: {e['msg']}"
                 for e in error.errors()]  # fmt: skip
        raise ConfigError("config_invalid", "\n".join(lines)) from None


def _compose(path: Path) -> yaml.Node:
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise ConfigError("config_missing", f"{path}: the file does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("config_broken", f"{path}: cannot be read as UTF-8: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError("config_broken", _yaml_message(path, error)) from None
    if node is None:
        raise ConfigError("config_broken", f"{path.name}:1: the file is empty")
    return node


def _yaml_message(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    return f"{path.name}:{line}: not valid YAML: {getattr(error, 'problem', None) or error}"


class _Loader:
    """Turns a composed node into plain values, refusing doubled keys."""

    @staticmethod
    def plain(node: yaml.Node, path: Path) -> object:
        _refuse_doubles(node, path)
        loader = yaml.SafeLoader("")
        try:
            value: object = loader.construct_document(node)
        except yaml.YAMLError as error:
            raise ConfigError("config_broken", _yaml_message(path, error)) from None
        return value


def _refuse_doubles(node: yaml.Node, path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ConfigError("config_broken", f"{path.name}:{line}: {key.value}: given twice")
            seen.add(key.value)
            _refuse_doubles(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_doubles(value, path)


def _line(node: yaml.Node, loc: _Loc) -> int:
    """The line (from 1) of the node that ``loc`` leads to, as deep as it exists."""
    for part in loc:
        step = _child(node, part)
        if step is None:
            break
        node = step
    return int(node.start_mark.line) + 1


def _child(node: yaml.Node, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((v for k, v in node.value if k.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item
    return None


def _key(loc: _Loc) -> str:
    return ".".join(str(part) for part in loc) or "(whole file)"
