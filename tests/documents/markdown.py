"""Just enough of Markdown to check what the documents say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from config.settings import ROOT

_FENCE = re.compile(r"^\s*```")
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)[^)]*\)")
_LEFT_OUT = {"node_modules", "var", "dist", "offline"}


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file; ``prose`` are its lines outside fenced blocks, ``blocks`` those inside."""

    path: Path
    prose: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def links(self) -> list[str]:
        return [link for line in self.prose for link in _LINK.findall(_SPAN.sub("", line))]

    @property
    def images(self) -> list[str]:
        return [image for line in self.prose for image in _IMAGE.findall(line)]

    @property
    def code(self) -> list[str]:
        """Every code span and every line of a fenced block."""
        spans = [span.replace("\\|", "|") for line in self.prose for span in _SPAN.findall(line)]
        return spans + [line for block in self.blocks for line in block]

    @property
    def spans(self) -> set[str]:
        """The code spans outside fenced blocks."""
        return {span for line in self.prose for span in _SPAN.findall(line)}

    @property
    def headings(self) -> list[str]:
        return [line for line in self.prose if re.match(r"#{1,6} ", line)]

    @property
    def tables(self) -> list[tuple[int, ...]]:
        """Each table as the number of cells of each of its rows."""
        tables: list[tuple[int, ...]] = []
        rows: list[int] = []
        for line in (*self.prose, ""):
            if line.startswith("|"):
                rows.append(len(cells(line)))
            elif rows:
                tables.append(tuple(rows))
                rows = []
        return tables


def cells(line: str) -> list[str]:
    """The cells of a table's row."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def read(path: Path) -> Document:
    prose: list[str] = []
    blocks: list[tuple[str, ...]] = []
    block: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            if block is not None:
                blocks.append(tuple(block))
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        else:
            prose.append(line)
    assert block is None, f"{path}: a fenced block is not closed"
    return Document(path, tuple(prose), tuple(blocks))


def documents() -> list[Document]:
    """All Markdown files of the repository."""
    return [read(path) for path in sorted(ROOT.rglob("*.md")) if _ours(path)]


def _ours(path: Path) -> bool:
    folders = path.relative_to(ROOT).parts[:-1]
    return not any(part in _LEFT_OUT or part.startswith(".") for part in folders)
