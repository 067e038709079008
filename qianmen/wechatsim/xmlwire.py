"""XML as WeChat writes it, and a reader that also tells which texts stood in CDATA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat  # nosec: DTDs are refused before anything of them is read
from xml.sax.saxutils import escape


class XmlError(ValueError):
    """No such document; ``code``: malformed, doctype, root, depth."""

    def __init__(self, code: str) -> None:
        super().__init__(f"xml: {code}")
        self.code = code


def document(fields: Mapping[str, Any]) -> bytes:
    """``<xml>…</xml>``: text in CDATA, numbers bare, lists as ``<item>``s."""
    return f"<xml>{_inner(fields)}</xml>".encode()


def _inner(fields: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _inner(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(f"<item>{_value(item)}</item>" for item in value)
    if isinstance(value, str):
        return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
    return escape(str(value))


@dataclass
class Element:
    """One element: its own text, whether all of it stood in CDATA, and what it holds."""

    name: str
    text: str = ""
    cdata: bool = False
    bare: bool = False
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        """The only child of that name; None where there is none, or more than one."""
        found = [child for child in self.children if child.name == name]
        return found[0] if len(found) == 1 else None


def read(data: bytes) -> Element:
    """The document's root, which must be ``xml``; raises :class:`XmlError`."""
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError:
        raise XmlError("malformed") from None
    root = reader.root.children[0]
    if root.name != "xml":
        raise XmlError("root")
    return root


class _Reader:
    def __init__(self) -> None:
        self.root = Element("")
        self._open = [self.root]
        self._in_cdata = False
        self.parser = parser = expat.ParserCreate(encoding="utf-8")
        parser.buffer_text = False  # else text in and beside CDATA could not be told apart
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartCdataSectionHandler = self._cdata_start
        parser.EndCdataSectionHandler = self._cdata_end

    def _doctype(self, *_: object) -> None:
        raise XmlError("doctype")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._open) > 8:
            raise XmlError("depth")
        element = Element(name)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        element = self._open[-1]
        element.text += text
        if self._in_cdata:
            element.cdata = True
        elif text.strip():
            element.bare = True

    def _cdata_start(self) -> None:
        self._in_cdata = True
        self._open[-1].cdata = True

    def _cdata_end(self) -> None:
        self._in_cdata = False
