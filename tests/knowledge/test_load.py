from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from config.errors import ConfigError
from knowledge.files import Contents
from knowledge.load import Report, advance, load, load_folder
from knowledge.published import KnowledgeError, Published
from store.engine import open_engine, reading, upgrade, writing
from store.tables import Answer, Matter
from tests.conftest import LEARNED
from tests.knowledge.conftest import FOLDER, NOW
from turns.context import Context


def imported(engine: Engine, contents: Contents) -> Report:
    with writing(engine) as session:
        return load(session, contents, NOW)


def changed(contents: Contents, text: str) -> Contents:
    first, *rest = contents.answers
    return replace(contents, answers=(replace(first, text=text), *rest))


def versions(engine: Engine, contents: Contents) -> list[tuple[int, str, str]]:
    first = contents.answers[0]
    with reading(engine) as session:
        rows = session.scalars(
            select(Answer)
            .where(Answer.matter_code == first.matter, Answer.aspect == first.aspect)
            .where(Answer.region == first.region)
            .order_by(Answer.version)
        )
        return [(row.version, row.state, row.changed_by) for row in rows]


def test_importing_twice_changes_nothing(engine: Engine, contents: Contents) -> None:
    first = load_folder(engine, FOLDER, NOW)
    assert len(first.matters_added) == 44
    assert len(first.added) == len(contents.answers)
    second = load_folder(engine, FOLDER, NOW + timedelta(days=1))
    assert not second.changes
    assert second.unchanged == len(contents.answers)
    assert second.lines() == [f"answers unchanged: {len(contents.answers)}"]


def test_a_changed_text_becomes_a_new_version(engine: Engine, contents: Contents) -> None:
    imported(engine, contents)
    report = imported(engine, changed(contents, "另一段话。"))
    first = contents.answers[0]
    assert report.changed == [f"{first.matter}:{first.aspect}:{first.region}"]
    assert versions(engine, contents) == [(1, "retired", "import"), (2, "published", "import")]


def test_a_text_gone_from_the_files_is_retired(engine: Engine, contents: Contents) -> None:
    imported(engine, contents)
    report = imported(engine, replace(contents, answers=contents.answers[1:]))
    assert len(report.retired) == 1
    assert versions(engine, contents) == [(1, "retired", "import")]
    imported(engine, contents)
    assert versions(engine, contents)[-1] == (2, "published", "import")


def test_an_editors_text_stays(engine: Engine, contents: Contents) -> None:
    imported(engine, contents)
    first = contents.answers[0]
    with writing(engine) as session:
        former = session.scalars(
            select(Answer).where(Answer.matter_code == first.matter)
            .where(Answer.aspect == first.aspect, Answer.region == first.region)
        ).one()  # fmt: skip
        former.state = "retired"
        session.add(
            Answer(
                matter_code=first.matter, aspect=first.aspect, region=first.region, version=2,
                state="published", text="编辑写的。", speech="编辑写的。", document="某办法",
                valid_from=date(2026, 1, 1), changed_at=NOW, changed_by="editor1",
            )
        )  # fmt: skip
    report = imported(engine, contents)
    assert len(report.kept) == 1
    assert not report.changes
    assert versions(engine, contents)[-1] == (2, "published", "editor1")
    gone = imported(engine, replace(contents, answers=contents.answers[1:]))
    assert gone.retired == []


def test_a_changed_name_is_imported(engine: Engine, contents: Contents) -> None:
    imported(engine, contents)
    matter, *rest = contents.matters
    renamed = replace(matter, aliases=(*matter.aliases, "新的叫法"))
    report = imported(engine, replace(contents, matters=(renamed, *rest)))
    assert report.matters_changed == [matter.code]
    with reading(engine) as session:
        row = session.get(Matter, matter.code)
        assert row is not None
        assert "新的叫法" in row.aliases


def test_a_broken_import_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    load_folder(engine, FOLDER, NOW)
    published = Published(engine, cache=LEARNED)
    before = published.search()
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "a.yaml").write_text("code: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        load_folder(engine, folder, NOW)
    assert published.search() is before


def test_publishing_is_seen_at_once_and_only_then(engine: Engine, contents: Contents) -> None:
    imported(engine, contents)
    published = Published(engine, cache=LEARNED)
    first = contents.answers[0]
    before = published.search()
    assert published.search() is before
    imported(engine, changed(contents, "今天改过的话。"))
    answer = published.search().by_code(first.matter, first.aspect, now=NOW)
    assert answer is not None
    assert answer.text == "今天改过的话。"
    assert answer.version == 2
    assert published.search().asking is before.asking


def test_another_process_sees_it_too(engine: Engine, contents: Contents) -> None:
    imported(engine, contents)
    published = Published(engine, cache=LEARNED)
    before = published.search()
    with writing(engine) as session:
        session.query(Answer).filter_by(matter_code="gjj.rent", aspect="材料").delete()
        advance(session, NOW)
    after = published.search()
    assert after is not before
    found = after.find("租房提公积金要什么材料", Context(), now=NOW)
    assert (found.decision, found.context.matter) == ("miss", "gjj.rent")


def test_without_a_database_the_last_answers_go_on(bare_database: str, contents: Contents) -> None:
    engine = open_engine(bare_database)
    with pytest.raises(KnowledgeError):
        Published(engine, cache=LEARNED).search()
    upgrade(engine)
    imported(engine, contents)
    published = Published(engine, cache=LEARNED)
    before = published.search()
    with writing(engine) as session:
        session.connection().exec_driver_sql("ALTER TABLE knowledge_revision RENAME TO gone")
    assert published.search() is before
    engine.dispose()
