from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, func, select

from knowledge import publish, versions
from knowledge.editing import EditError
from knowledge.exporting import published_contents
from knowledge.importing import Imported, ImportFault, read_import
from knowledge.load import fields_of
from knowledge.plan import apply, approve_all, export_workbook, plan
from knowledge.planned import Plan, changes
from knowledge.publish import Selection
from knowledge.words import approve_words, matter_words, stage
from store.engine import reading, writing
from store.tables import Answer, Audit, Matter
from tests.knowledge.desk import (
    PAPERS,
    PLACE,
    RENT,
    TODAY,
    act,
    approved,
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


def exported(engine: Engine, folder: Path, **cells: str | None) -> Path:
    """A workbook of what is published, with cells changed (``答复_E2="…"``)."""
    path = folder / "export.xlsx"
    if not path.exists():
        with reading(engine) as session:
            path.write_bytes(export_workbook(session, PLACE, TODAY))
    book = load_workbook(path)
    for name, value in cells.items():
        title, _, cell = name.partition("_")
        book[title][cell] = value
    path = folder / "edited.xlsx"
    book.save(path)
    return path


def changed_here(engine: Engine, **fields: Any) -> None:
    """An editor's words of the rent matter, published."""
    with writing(engine) as session:
        edition = matter_words(session, RENT).edition
        edition = stage(session, act("editor2"), RENT, fields, edition=edition).edition
        approve_words(session, act("chief"), RENT, edition=edition)
    publish.publish(engine, act("chief"), PLACE, Selection((), (RENT,)), live=live())


def told(found: Plan) -> list[tuple[str, str, str]]:
    assert found.ok, found.faults
    rows = (*found.answers, *found.words)
    return [(one.change, one.id, one.field) for one in rows if one.change != "unchanged"]


def test_an_old_sheet_leaves_alone_what_was_not_edited_in_it(desk: Engine, tmp_path: Path) -> None:
    exported(desk, tmp_path)
    approved(desk, "后来改的。")
    publish.publish(desk, act("chief"), PLACE, live=live())
    golden = {"条件": ["租房提取公积金有什么条件"], "材料": ["租房提取公积金要带什么材料"]}
    changed_here(desk, aliases=["租房取公积金"], golden=golden)
    path = exported(desk, tmp_path, 答复_E3="条件改了。", 答复_F3=None, 事项_F2="租个屋\n赁个屋")
    found = planned(desk, read_import(path, PLACE), "editor1")
    assert told(found) == [
        ("changed", "gjj.rent:条件:city", ""), ("added", RENT, "phrasings"),
    ]  # fmt: skip


def test_edited_here_and_in_the_sheet_is_told_and_kept(desk: Engine, tmp_path: Path) -> None:
    exported(desk, tmp_path)
    approved(desk, "后来改的。")
    publish.publish(desk, act("chief"), PLACE, live=live())
    changed_here(desk, aliases=["租房取公积金"])
    path = exported(desk, tmp_path, 答复_E2="表里改的。", 事项_E2="租房拿钱\n租房取钱")
    found = planned(desk, read_import(path, PLACE), "editor1")
    assert told(found) == [("kept", "gjj.rent:材料:city", ""), ("kept", RENT, "aliases")]
    assert found.answers[0].why == "导出以后又改过（第 2 版），没有覆盖"
    assert (found.answers[0].title, found.words[0].title) == (
        "租房提取公积金的材料", "租房提取公积金",
    )  # fmt: skip
    with writing(desk) as session:
        made = apply(session, act("editor1"), PLACE, read_import(path, PLACE))
    assert (made.versions, made.matters) == ((), ())
    same = exported(desk, tmp_path, 答复_E2="后来改的。")
    assert found.answers[0].old["text"] == "后来改的。"
    found = planned(desk, read_import(same, PLACE), "editor1")
    assert "text" not in (found.answers[0].new or {})


def test_without_marks_a_sheet_works_as_before(desk: Engine, tmp_path: Path) -> None:
    marks = dict.fromkeys(f"答复_L{row}" for row in range(1, 6))
    marks |= dict.fromkeys(f"事项_G{row}" for row in range(1, 4))
    exported(desk, tmp_path)
    approved(desk, "后来改的。")
    publish.publish(desk, act("chief"), PLACE, live=live())
    path = exported(desk, tmp_path, **marks)
    assert read_import(path, PLACE).origins == {}
    found = planned(desk, read_import(path, PLACE))
    back = [("changed", "gjj.rent:材料:city", "")]
    assert told(found) == back
    broken = exported(desk, tmp_path, 答复_L2="v1-自己写的")
    assert told(planned(desk, read_import(broken, PLACE))) == back


def test_a_corrected_sheet_renews_its_own_draft_but_no_later_handwork(
    desk: Engine, tmp_path: Path
) -> None:
    path = exported(desk, tmp_path, 答复_E2="表里改的。")
    with writing(desk) as session:
        apply(session, act("editor1"), PLACE, read_import(path, PLACE))
    path = exported(desk, tmp_path, 答复_E2="表里又改的。")
    imported = read_import(path, PLACE)
    assert told(planned(desk, imported, "editor1")) == [("changed", "gjj.rent:材料:city", "")]
    drafted(desk, "后来手写的。", by="editor1")
    found = planned(desk, imported, "editor1")
    assert told(found) == [("kept", "gjj.rent:材料:city", "")]
    assert found.answers[0].why == "您自己的草稿在网页上动过，没有覆盖"


def test_a_row_that_says_what_is_published_is_not_in_anybodys_way(
    desk: Engine, tmp_path: Path
) -> None:
    drafted(desk, "编辑正在写。", by="editor2")
    assert planned(desk, Imported(small_contents().answers), "editor1").counts()["kept"] == 0
    with writing(desk) as session:
        edition = matter_words(session, RENT).edition
        stage(session, act("editor2"), RENT, {"aliases": ["租房拿钱"]}, edition=edition)
    words = {RENT: {"aliases": list(small_contents().matters[0].aliases)}}
    assert planned(desk, Imported((), words), "editor1").counts()["kept"] == 0
    words = {RENT: {"aliases": ["赁屋支公积"]}}
    found = planned(desk, Imported((), words), "editor1")
    assert found.words[0].why == "editor2 改的说法还没有发布"


def test_what_differs_is_told_field_by_field(desk: Engine) -> None:
    golden = {"费用": ["租房提公积金收钱吗"]}
    found = planned(desk, file("租房提取公积金的材料变了。", golden=golden))
    ((name, pieces),) = changes(found.answers[0])
    assert name == "text"
    assert "".join(piece.old for piece in pieces) == "租房提取公积金的材料是这样的。"
    assert "".join(piece.new for piece in pieces) == "租房提取公积金的材料变了。"
    ((name, pieces),) = changes(found.words[0])
    assert (name, pieces[-1].new.strip()) == ("golden", "费用：租房提公积金收钱吗")
