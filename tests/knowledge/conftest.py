from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from knowledge.calibration import read_calibration
from knowledge.files import Contents, read_folder
from knowledge.matters import AnswerEntry, MatterEntry, PublishedAnswer, answer_id
from knowledge.published import source_line
from knowledge.search import Search
from tests.conftest import LEARNED

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "config" / "cities" / "sample" / "knowledge"
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
REGIONS = {"city": "示例市", "lin": "临江县", "lin.qinghe": "清河镇", "east": "东城区"}
PARENTS = {"lin": "city", "lin.qinghe": "lin", "east": "city"}


def as_published(matters: tuple[MatterEntry, ...], entry: AnswerEntry) -> PublishedAnswer:
    name = next(matter.name for matter in matters if matter.code == entry.matter)
    return PublishedAnswer(
        id=answer_id(entry.matter, entry.aspect, entry.region),
        matter=entry.matter,
        matter_name=name,
        aspect=entry.aspect,
        region=entry.region,
        text=entry.text,
        speech=entry.speech,
        source=source_line(entry.document, entry.article),
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        version=1,
        sample=entry.sample,
    )


@pytest.fixture(scope="session")
def contents() -> Contents:
    return read_folder(FOLDER)


@pytest.fixture(scope="session")
def search(contents: Contents) -> Search:
    answers = [as_published(contents.matters, entry) for entry in contents.answers]
    return Search.build(
        contents.matters, answers, parents=PARENTS, zone=ZoneInfo("Asia/Shanghai"),
        regions=REGIONS, calibration=read_calibration(FOLDER.parent), cache=LEARNED,
    )  # fmt: skip
