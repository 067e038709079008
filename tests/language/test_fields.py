"""The fields of told complaints, measured: rates lie a few points below what was measured."""

from __future__ import annotations

from pathlib import Path

from config.city import City
from tests.language.fields_score import FIELDS, read, score

HERE = Path(__file__).parent
LEAST = {"where": 0.92, "when": 0.93, "phone": 0.97, "amount": 0.93, "people": 0.9}


async def test_rates_on_stories_used_for_tuning(city: City) -> None:
    good, total, misses = await score(read(HERE / "fields_dev.tsv"), city)
    for field in FIELDS:
        rate = good[field] / max(1, total[field])
        wrong = [(miss.got, miss.row.turns) for miss in misses if miss.field == field]
        assert rate >= LEAST.get(field, 0.9), (field, rate, wrong)
