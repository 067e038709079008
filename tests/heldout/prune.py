"""Take out of the exam what has since been trained on: ``python -m tests.heldout.prune``.

Training and editors are never told to keep away from the exam's sentences (they may not know
them); the exam gives way. A conversation goes as a whole. Prints how many rows went, by file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.heldout.sets import HERE, LISTS, TABLES, key, rows, trained_on


def prune(known: Callable[[str], bool]) -> dict[str, int]:
    """Write every file anew without the sentences that ``known`` says were trained on."""
    return {name: _table(name, known) for name in TABLES} | {
        name: _list(name, known) for name in LISTS
    }


def _table(name: str, known: Callable[[str], bool]) -> int:
    path, read = HERE / f"{name}.tsv", rows(name)
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    talks = [row["conversation"] or str(number) for number, row in enumerate(read)]
    gone = {talk for talk, row in zip(talks, read, strict=True) if known(row["text"])}
    kept = [line for talk, line in zip(talks, lines, strict=True) if talk not in gone]
    path.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return len(lines) - len(kept)


def _list(name: str, known: Callable[[str], bool]) -> int:
    path = HERE / f"{name}.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = {key(line): line for line in lines if not known(line)}
    path.write_text("\n".join(kept.values()) + "\n", encoding="utf-8")
    return len(lines) - len(kept)


if __name__ == "__main__":
    trained = set[str]().union(*trained_on().values())
    sys.stdout.write(f"{prune(lambda text: key(text) in trained)}\n")
