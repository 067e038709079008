from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from knowledge import publish, versions
from knowledge.editing import EditError
from knowledge.exporting import published_contents
from knowledge.importing import Imported, ImportFault, read_import
from knowledge.load import fields_of
from knowledge.plan import Plan, apply, approve_all, export_workbook, plan
from knowledge.words import matter_words
from store.engine import reading, writing
from store.tables import Answer, Audit, Matter
from tests.knowledge.desk import (
    PAPERS,
    PLACE,
    RENT,
    TODAY,
    act,
    drafted,
    live,
    small_city,
    small_contents,
)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    small_city(engine)
    return engine


def file(text: str = "带身份证。", **fields: object) -> Imported:
    """A file with one changed answer, and fields of its matter."""
    contents = small_contents()
    first = replace(contents.answers[0], text=text)
    words = {RENT: fields} if fields else {}
    return Imported((first, *contents.answers[1:]), words, partial=True)


def planned(engine: Engine, imported: Imported, by: str = "") -> Plan:
    with reading(engine) as session:
        return plan(session, imported, PLACE, TODAY, by)


def test_the_report_says_what_would_change(desk: Engine) -> None:
    found = planned(desk, file(aliases=["租房取公积金", "赁屋支公积"]))
    assert found.ok
    assert found.counts() == {"added": 0, "changed": 2, "unchanged": 3, "kept": 0}
    changed = found.answers[0]
    assert (changed.id, changed.change) == ("gjj.rent:材料:city", "changed")
    assert changed.old == {"text": "租房提取公积金的材料是这样的。"}
    assert changed.new == {"text": "带身份证。"}
    assert (found.words[0].field, found.words[0].new) == ("aliases", ["租房取公积金", "赁屋支公积"])
    with reading(desk) as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 4


def test_exporting_and_importing_changes_nothing(desk: Engine, tmp_path: Path) -> None:
    path = tmp_path / "all.xlsx"
    with reading(desk) as session:
        path.write_bytes(export_workbook(session, PLACE, TODAY))
        assert published_contents(session, TODAY) == small_contents()
    counts = planned(desk, read_import(path, PLACE)).counts()
    assert (counts["added"], counts["changed"], counts["kept"]) == (0, 0, 0)
    assert counts["unchanged"] > 4


def test_an_import_becomes_drafts(desk: Engine) -> None:
    with writing(desk) as session:
        made = apply(session, act("editor1"), PLACE, file(golden={"材料": ["租房提公积金带啥"]}))
    assert made.matters == (RENT,)
    assert made.versions is not None
    with reading(desk) as session:
        draft = versions.get(session, made.versions[0])
        assert (draft.state, draft.wording.text, draft.writers) == (
            "draft", "带身份证。", ("editor1",),
        )  # fmt: skip
        staged = matter_words(session, RENT)
        assert staged.pending["golden"]["材料"] == [
            *small_contents().matters[0].golden["材料"], "租房提公积金带啥",
        ]  # fmt: skip
    again = planned(desk, file(), by="editor1")
    assert again.counts()["unchanged"] == 4


def test_what_an_editor_has_in_work_is_kept(desk: Engine) -> None:
    draft = drafted(desk, "编辑正在写。", by="editor2")
    found = planned(desk, file(), by="editor1")
    assert (found.answers[0].change, found.answers[0].why) == ("kept", "editor2 正在写这条答复")
    with writing(desk) as session:
        made = apply(session, act("editor1"), PLACE, file())
    assert made.versions == ()
    with reading(desk) as session:
        assert versions.get(session, draft.id).wording.text == "编辑正在写。"


def test_a_broken_import_changes_nothing(desk: Engine) -> None:
    fault = ImportFault("答复!C12", "missing", "“答复”表第 12 行“答复”：还没有写答复")
    broken = replace(file(aliases=["赁屋支公积"]), faults=(fault,))
    with writing(desk) as session, pytest.raises(EditError, match="第 12 行") as caught:
        apply(session, act("editor1"), PLACE, broken)
    assert caught.value.code == "import_refused"
    assert caught.value.data["faults"][0]["place"] == "答复!C12"
    unknown = replace(file(), answers=(replace(file().answers[0], matter="gjj.none"),),
                      places={"gjj.none:材料:city": "答复!B7"})  # fmt: skip
    found = planned(desk, unknown)
    assert [(one.place, one.code) for one in found.faults] == [("答复!B7", "matter_unknown")]
    with reading(desk) as session:
        assert session.scalar(select(func.count()).select_from(Audit)) == 0
        assert session.scalar(select(func.count()).select_from(Answer)) == 4


def test_a_new_matter_comes_with_its_answers(desk: Engine) -> None:
    contents = small_contents()
    entry = replace(contents.matters[0], code="civil.dog", name="养犬登记", aliases=("办狗证",),
                    golden={}, department="公安局")  # fmt: skip
    answer = replace(contents.answers[0], matter="civil.dog", aspect="费用", text="不收费。")
    imported = Imported((answer,), {"civil.dog": fields_of(entry)})
    with writing(desk) as session:
        apply(session, act("command-line"), PLACE, imported)
    with reading(desk) as session:
        assert matter_words(session, "civil.dog").is_new
    nameless = Imported((answer,), {"civil.cat": {"aliases": ["办猫证"]}})
    assert [fault.code for fault in planned(desk, nameless).faults] == ["matter_unknown"]


def test_an_approver_publishes_an_offices_file(desk: Engine) -> None:
    with writing(desk) as session:
        made = apply(session, act("command-line"), PLACE, file(phrasings=["租个屋拿公积金"]))
        approve_all(session, act("chief"), PLACE, made)
    publish.publish(desk, act("chief"), PLACE, made, live=live())
    with reading(desk) as session:
        row = session.get(Matter, RENT)
        assert row is not None
        assert row.phrasings == ["租个屋拿公积金"]
        said = published_contents(session, TODAY).answers
    assert "带身份证。" in [entry.text for entry in said]


def test_nobody_approves_a_file_they_brought_in_themselves(desk: Engine) -> None:
    with writing(desk) as session:
        made = apply(session, act("chief"), PLACE, file(), writer="office")
    with writing(desk) as session, pytest.raises(EditError) as caught:
        approve_all(session, act("chief"), PLACE, made)
    assert caught.value.code == "second_person"
    assert set(caught.value.data["writers"]) == {"office", "chief"}


def test_what_a_sheet_leaves_empty_stays(desk: Engine) -> None:
    from knowledge.importing import NO_DAY

    said = small_contents().answers[0]
    bare = replace(said, speech="", valid_from=NO_DAY)
    assert planned(desk, Imported((bare,))).counts()["unchanged"] == 1
    other = planned(desk, Imported((replace(bare, text="换了。"),))).answers[0]
    assert other.new == {"text": "换了。", "speech": ""}
    assert PAPERS.id == other.id
