from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from config.city import City
from config.settings import Settings
from qianmen.keeper import answers
from qianmen.keeper.duty import Keeping
from store.engine import writing
from store.tables import Answer
from tests.knowledge.conftest import NOW
from tests.knowledge.desk import TODAY, small_city


@pytest.mark.parametrize(("days", "warned"), [(0, 1), (30, 1), (31, 0), (-1, 0)])
def test_an_answer_that_ends_soon_is_told_every_day(
    engine: Engine, city: City, tmp_path: Path, days: int, warned: int
) -> None:
    small_city(engine)
    with writing(engine) as session:
        row = session.scalars(select(Answer).order_by(Answer.id).limit(1)).one()
        row.valid_to = TODAY + timedelta(days=days)
    keeping = Keeping(Settings(data_dir=tmp_path), city, engine)
    for _ in range(2):
        with capture_logs() as logs:
            answers.warn_of_endings(keeping, NOW)
        told = [(line["event"], line["answer"], line["days"]) for line in logs]
        assert told == [("answer_ending", "gjj.rent:材料:city", days)] * warned
    assert answers.ending._value.get() == warned
