"""The exam's sentences, and everything that was trained or tuned on, for holding them apart."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from asr.starter.text import hanzi_only, training_sentences
from bot.rasa.corpus import sentences
from config.settings import ROOT
from knowledge.asking import read_phrasings
from knowledge.files import read_folder
from tests.conftest import SAMPLE_CITY

HERE = Path(__file__).parent
TABLES = ("questions", "followups", "outofscope", "acts", "complaints")
LISTS = ("danger", "calm", "person", "notperson")


def key(text: str) -> str:
    """How sentences are compared: by their characters; by the text itself where it has none."""
    return hanzi_only(text) or text.strip()


def exam() -> Iterator[tuple[str, str]]:
    """Every sentence of the exam with its file's name."""
    for name in TABLES:
        for row in rows(name):
            yield name, row["text"]
    for name in LISTS:
        for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            yield name, line


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the exam's tables."""
    with (HERE / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def trained_on() -> dict[str, set[str]]:
    """The keys of all that is learned from or tuned on, by where it stands."""
    matters = read_folder(SAMPLE_CITY / "knowledge").matters
    asked = [texts for matter in matters for texts in matter.questions.values()]
    golden = [texts for matter in matters for texts in matter.golden.values()]
    texts = {
        "starter": list(training_sentences()),
        "rasa": [text for said in sentences().values() for text in said],
        "aspects": list(read_phrasings().all),
        "names": [name for matter in matters for name in matter.names],
        "questions": [text for said in asked for text in said],
        "golden": [text for said in golden for text in said],
        "urgent": list(_lines(ROOT / "bot" / "urgent_phrases")),
        "outside": list(_lines(ROOT / "knowledge")),
        "dev": [row["text"] for row in _dev()],
    }
    return {name: {key(text) for text in said} for name, said in texts.items()}


def _lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.txt")):
        yield from path.read_text(encoding="utf-8").splitlines()


def _dev() -> list[dict[str, str]]:
    with (ROOT / "tests/knowledge/dev.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
