"""The body of a request of WeChat's, XML or JSON, read into plain fields. Total.

No DTD and with it no entity is ever read; size, depth and the number of elements are bounded.
Either format gives the same: texts by name, nested where the format nests, ``item`` as a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat  # nosec B406: refuses any DTD before anything of it is read

from chat.wechat.incoming_errors import IncomingError

LARGEST = 64 * 1024
"""Bytes; a text of the longest kind, encrypted and shown beside it, takes a tenth."""
DEEPEST = 6
MOST = 300
"""Elements, or JSON's values."""
Node = str | dict[str, "Node"] | list["Node"]
Fields = dict[str, Node]
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def read(body: bytes) -> Fields:
    """The fields of a body.

    Raises :class:`IncomingError` ``body_too_large``, ``body_broken``, ``body_doctype``,
    ``body_too_deep``, ``field_twice``.
    """
    if len(body) > LARGEST:
        raise IncomingError("body_too_large")
    return _json(body) if body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"{" else _xml(body)


def text_of(fields: Fields, *path: str) -> str:
    """The text at ``path``, without white space around it; '' where there is none."""
    node: Node | None = fields
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node.strip() if isinstance(node, str) else ""


def _fit(text: str) -> str:
    """``text`` without what no database keeps and no XML may hold."""
    return _UNFIT.sub("\ufffd", text)


def _json(body: bytes) -> Fields:
    count = 0

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise IncomingError("field_twice")
        return found

    def node(value: object, depth: int) -> Node:
        nonlocal count
        count += 1
        if depth > DEEPEST or count > MOST:
            raise IncomingError("body_too_deep")
        if isinstance(value, dict):
            return {_fit(name): node(inner, depth + 1) for name, inner in value.items()}
        if isinstance(value, list):
            return [node(inner, depth + 1) for inner in value]
        return _fit(value) if isinstance(value, str) else ""  # true, false and null say nothing

    try:
        document = json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=once, parse_int=str, parse_float=str,
            parse_constant=_no_constant,
        )  # fmt: skip
    except (ValueError, RecursionError):
        raise IncomingError("body_broken") from None
    if not isinstance(document, dict):
        raise IncomingError("body_broken")
    return {_fit(name): node(value, 1) for name, value in document.items()}


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("no JSON")


@dataclass(slots=True)
class _Element:
    name: str
    text: list[str] = field(default_factory=list)
    children: list[tuple[str, Node]] = field(default_factory=list)

    def node(self) -> Node:
        """A text, or what it holds; ``item``s are a list."""
        if not self.children:
            return _fit("".join(self.text))
        names = [name for name, _ in self.children]
        if set(names) == {"item"}:
            return [node for _, node in self.children]
        if len(set(names)) != len(names):
            raise IncomingError("field_twice")
        return dict(self.children)


class _Reader:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[_Element] = []
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.EntityDeclHandler = _refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) > DEEPEST or self._count > MOST:
            raise IncomingError("body_too_deep")
        self._open.append(_Element(name))

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if self._open:
            self._open[-1].children.append((element.name, element.node()))
        else:
            self.root = element.node() if element.name == "xml" else None

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)


def _refuse_doctype(*_: object) -> NoReturn:
    raise IncomingError("body_doctype")


def _xml(body: bytes) -> Fields:
    reader = _Reader()
    parse: Callable[[bytes, bool], int] = reader.parser.Parse
    try:
        parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):  # the last: an encoding nobody knows
        raise IncomingError("body_broken") from None
    if not isinstance(reader.root, dict):
        raise IncomingError("body_broken")
    return reader.root
