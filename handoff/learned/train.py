"""Train the classifier of orders: ``python -m handoff.learned.train [--from-database] [-o FILE]``.

Without options: the synthetic orders that ship, to the file that ships. ``--from-database``: the
orders of this installation's city that people classified, beside the synthetic ones for classes
that have few, to the data folder, where every process finds it at its next start.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC
from sqlalchemy import Engine, select

from config.city import SHIPPED as SAMPLE
from config.city import load_city
from config.classes import ClassesFile
from config.settings import Settings
from handoff.learned.model import FILE, FORMAT, NOTHING, SHIPPED, features, vocabulary
from handoff.learned.synthetic import IDLE, Example, orders, read_phrases
from store.engine import open_store, reading
from store.tables import WorkOrder, WorkOrderField

FEWEST = 200
"""Orders of its own that a city needs before they are learned from."""
_ENOUGH = 30  # own orders of a class from which the synthetic ones of it are left out
_STRENGTH = 1.0
_SHARPNESS = 9.0  # calibrated on tests/handoff/complaints_dev.tsv
_PORTION = 500
_SETTLED = ("答复", "回访", "办结", "归档")  # its department kept it: the class was right


def from_database(engine: Engine) -> Iterator[Example]:
    """The city's settled orders with a class, as their citizens told them."""
    last = ""
    while True:
        with reading(engine) as session:
            rows = session.execute(
                select(WorkOrder.id, WorkOrder.code, WorkOrderField)
                .join(WorkOrderField, WorkOrderField.order_id == WorkOrder.id)
                .where(WorkOrderField.name == "what", WorkOrder.code != "")
                .where(WorkOrder.state.in_(_SETTLED), WorkOrder.erased_at.is_(None))
                .where(WorkOrder.id > last)
                .order_by(WorkOrder.id)
                .limit(_PORTION)
            ).all()
            found = [(key, code, field.value) for key, code, field in rows]
        if not found:
            return
        yield from (Example(text, code) for _, code, text in found if text)
        last = found[-1][0]


def from_words(classes: ClassesFile) -> Iterator[Example]:
    """The names and words of the city's classes, each an example of its own."""
    for leaf in classes.leaves():
        yield Example(leaf.name, leaf.code)
        for word in leaf.words:
            yield Example(word.replace("…", ""), leaf.code)


def idle() -> Iterator[Example]:
    """Words that tell of nothing."""
    return (Example(text, NOTHING) for text in IDLE)


def mixed(own: Sequence[Example], synthetic: Sequence[Example]) -> list[Example]:
    """The city's own orders, and the synthetic ones of classes that have few of them."""
    counted = Counter(example.code for example in own)
    return [*own, *(one for one in synthetic if counted[one.code] < _ENOUGH)]


def train(examples: Sequence[Example], path: Path) -> int:
    """Write the model that ``examples`` teach; the same ones give the same file. Its features."""
    places, idf = vocabulary(example.text for example in examples)
    codes = sorted({example.code for example in examples})
    telling = np.array(idf, dtype=np.float32)
    rows = [features(example.text, places, telling) for example in examples]
    ends = np.cumsum([0, *map(len, rows)])
    matrix = csr_matrix(
        (
            np.concatenate([np.fromiter(row.values(), dtype=np.float64) for row in rows]),
            np.concatenate([np.fromiter(row, dtype=np.int64) for row in rows]),
            ends,
        ),
        shape=(len(rows), len(places)),
    )
    model = LinearSVC(C=_STRENGTH, random_state=0, class_weight="balanced")
    model.fit(matrix, [codes.index(example.code) for example in examples])
    weights = model.coef_.T.astype(np.float32)
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / 127.0
    _write(
        path, runs=np.array("\n".join(places)), codes=np.array("\n".join(codes)), idf=telling,
        weights=np.round(weights / scale).astype(np.int8), scale=scale.astype(np.float32),
        bias=model.intercept_.astype(np.float32), sharpness=np.float32(_SHARPNESS),
        format=np.int64(FORMAT),
    )  # fmt: skip
    return len(places)


def _write(path: Path, **parts: np.ndarray | np.generic) -> None:
    """Whole or not at all: a reader never finds half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez_compressed(file, allow_pickle=False, **parts)
    made = Path(file.name)
    made.chmod(0o644)
    made.replace(path)


def _say(text: str, to: TextIO | None = None) -> None:
    (to or sys.stdout).write(f"{text}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m handoff.learned.train", description=__doc__)
    parser.add_argument("--from-database", action="store_true", help="学本市已办结的工单")
    parser.add_argument("-o", "--output", type=Path, help="写到哪个文件")
    asked = parser.parse_args(arguments)
    synthetic = list(orders(read_phrases()))
    if not asked.from_database:
        synthetic += [*from_words(load_city(SAMPLE).classes), *idle()]
        path = asked.output or SHIPPED
        size = train(synthetic, path)
        _say(f"用 {len(synthetic)} 条合成工单训练，{size} 个特征，写到 {path}")
        return 0
    settings = Settings()
    classes = load_city(settings.city).classes
    known = {leaf.code for leaf in classes.leaves()}
    own = [one for one in from_database(open_store(settings)) if one.code in known]
    if len(own) < FEWEST:
        _say(f"有分类、已答复的工单只有 {len(own)} 条，至少要 {FEWEST} 条，没有训练", sys.stderr)
        return 1
    path = asked.output or settings.data_dir / "learned" / FILE
    examples = mixed(
        own, [*(one for one in synthetic if one.code in known), *from_words(classes), *idle()]
    )
    size = train(examples, path)
    _say(
        f"用 {len(own)} 条本市工单和 {len(examples) - len(own)} 条合成工单训练，"
        f"{size} 个特征，写到 {path}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
