"""Fields of complaints as citizens tell them, measured on a development set of its own.

complaints_dev.tsv was written beside the rules, not drawn from the examination. Rates lie a few
points below what was measured.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from config.city import City
from handoff.classify import rules_of
from handoff.filled import fields_filled
from handoff.told import Spoken
from language.places import normalised
from qianmen.evaluation.fields import same_place

HERE = Path(__file__).parent
LEAST = {"where": 0.9, "phone": 1.0, "amount": 0.84, "people": 1.0, "kind": 0.94, "code": 0.76}
ACTS = {"求助": "help", "投诉": "complaint", "举报": "report", "建议": "suggestion",
        "表扬": "praise", "咨询": "policy"}  # fmt: skip


def rows() -> Iterator[tuple[str, dict[str, str]]]:
    with (HERE / "complaints_dev.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            wanted = dict(pair.split("=", 1) for pair in row["fields"].split(";") if pair)
            yield row["text"], wanted | {"kind": row["kind"], "code": row["code"]}


@pytest.mark.parametrize("act", ["danger", ""])
def test_rates(city: City, now: datetime, act: str) -> None:
    """``act``: as the dialogue would at best say (''), or that all of it were taken for danger."""
    rules = rules_of(city)
    good: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for text, wanted in rows():
        turn = Spoken("h1", text, now, 0.9, act=act or ACTS[wanted["kind"]])
        found = {field.name: field.value for field in fields_filled([turn], rules)}
        for name in LEAST:
            if wanted.get(name):
                total[name] += 1
                good[name] += right(name, wanted[name], found.get(name, ""))
    rates = {name: round(good[name] / total[name], 3) for name in LEAST}
    short = {"kind": 0.65} if act else {}
    assert all(rates[name] >= (LEAST | short)[name] for name in rates), rates


def right(name: str, wanted: str, found: str) -> bool:
    return same_place(normalised(wanted), found) if name == "where" else wanted == found
