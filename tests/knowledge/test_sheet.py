from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from knowledge import sheetcells
from knowledge.files import read_folder
from knowledge.importing import Imported, read_import
from knowledge.matters import AnswerEntry
from knowledge.sheetcells import CellError
from knowledge.sheetwrite import workbook
from tests.knowledge.desk import PLACE, RENT, small_contents

HEADS = ("事项代码", "方面", "地区", "答复", "依据文件", "生效日期", "失效日期")
ROW = (RENT, "材料", "", "带身份证。", "某办法", date(2026, 1, 1), None)


def saved(folder: Path, **sheets: list[tuple[Any, ...]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    path = folder / "import.xlsx"
    book.save(path)
    return path


def read(folder: Path, *rows: tuple[Any, ...], heads: tuple[str, ...] = HEADS) -> Imported:
    return read_import(saved(folder, 答复=[heads, *rows]), PLACE)


def faults(imported: Imported) -> list[tuple[str, str]]:
    return [(fault.place, fault.code) for fault in imported.faults]


def test_what_is_exported_reads_back(tmp_path: Path) -> None:
    contents = small_contents()
    path = tmp_path / "out.xlsx"
    path.write_bytes(workbook(contents, PLACE))
    imported = read_import(path, PLACE)
    assert imported.faults == ()
    assert imported.answers == contents.answers
    for matter in contents.matters:
        words = imported.words[matter.code]
        assert words["name"] == matter.name
        assert tuple(words["aliases"]) == matter.aliases
        assert {a: tuple(t) for a, t in words["golden"].items()} == dict(matter.golden)


@pytest.mark.parametrize("text", ["=1+1", "+8612345", "-5元起", "@某某", '=HYPERLINK("x")'])
def test_what_looks_like_a_formula_is_a_text(tmp_path: Path, text: str) -> None:
    contents = small_contents()
    entry = AnswerEntry(RENT, "费用", "city", text, text, "某办法", "", date(2026, 1, 1))
    path = tmp_path / "out.xlsx"
    path.write_bytes(workbook(type(contents)(contents.matters, (entry,)), PLACE))
    cell = load_workbook(path)["答复"]["E2"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert b"<f>" not in zipfile.ZipFile(path).read("xl/worksheets/sheet2.xml")
    assert read_import(path, PLACE).answers == (entry,)


def test_a_sheet_as_editors_have_it(tmp_path: Path) -> None:
    """A title, heads in another order and other words, a merged cell, blank lines, own columns."""
    book = Workbook()
    page = book.worksheets[0]
    page.title = " 答案 "
    for row in (
        ("2026 年政策问答（公积金）",),
        (),
        ("备注", "答复内容 *", "要素", "代码", "政策依据", "生效时间", "区县（可空）"),
        ("张三写", "带身份证。\r\n带合同。", "材料", RENT, "某办法", "2026年3月1日", "临江县"),
        (),
        ("", "三天办好。", "时限", None, "某办法", 46082, "全市"),
        ("=SUM(A1:A2)", None, None, None, None, None, None),
    ):
        page.append(row)
    page.merge_cells("D4:D6")
    path = tmp_path / "real.xlsx"
    book.save(path)
    imported = read_import(path, PLACE)
    assert imported.faults == ()
    first, second = imported.answers
    assert (first.matter, first.aspect, first.region) == (RENT, "材料", "lin")
    assert first.text == "带身份证。\n带合同。"
    assert (first.valid_from, second.valid_from) == (date(2026, 3, 1), date(2026, 3, 1))
    assert (second.matter, second.region) == (RENT, "city")


@pytest.mark.parametrize(
    ("row", "place", "code"),
    [
        (("", "材料", "", "带身份证。", "某办法"), "答复!A3", "matter_unknown"),
        (("GJJ", "材料", "", "带身份证。", "某办法"), "答复!A3", "matter_code_invalid"),
        ((RENT, "天气", "", "带身份证。", "某办法"), "答复!B3", "aspect_unknown"),
        ((RENT, "条件", "火星", "带身份证。", "某办法"), "答复!C3", "region_unknown"),
        ((RENT, "条件", "", "", "某办法"), "答复!D3", "missing"),
        ((RENT, "条件", "", "字" * 2001, "某办法"), "答复!D3", "too_long"),
        ((RENT, "条件", "", "最高一千（示例数据）", "某办法"), "答复!3", "sample_unticked"),
        ((RENT, "条件", "", "=A1", "某办法"), "答复!D3", "formula"),
        ((RENT, "条件", "", "好。", ""), "答复!E3", "missing"),
        ((RENT, "条件", "", "好。", "某办法", "明年"), "答复!F3", "date_invalid"),
        ((RENT, "条件", "", "好。", "某办法", "2026-02-30"), "答复!F3", "date_invalid"),
        ((RENT, "条件", "", "好。", "某办法", "2026-02-01", "2026-01-01"), "答复!G3",
         "dates_reversed"),
        ((RENT, "材料", "全市", "又一条。", "某办法"), "答复!B3", "row_doubled"),
    ],
)  # fmt: skip
def test_a_broken_row_is_named(tmp_path: Path, row: tuple[Any, ...], place: str, code: str) -> None:
    imported = read(tmp_path, ROW, row)
    assert faults(imported) == [(place, code)]
    assert "第 3 行" in imported.faults[0].message
    assert len(imported.answers) >= 1


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    imported = read(tmp_path, (RENT, "天气", "", "好。", "某办法"), ROW,
                    (RENT, "条件", "", "", ""))  # fmt: skip
    assert [place for place, _ in faults(imported)] == ["答复!B2", "答复!D4", "答复!E4"]


def test_missing_and_doubled_columns_are_named(tmp_path: Path) -> None:
    heads = ("事项代码", "方面", "答复", "答案")
    imported = read(tmp_path, heads=heads)
    assert faults(imported) == [("答复!1", "column_missing"), ("答复!D1", "column_doubled")]
    assert "依据文件" in imported.faults[0].message
    bare = read_import(saved(tmp_path, 答复=[("甲", "乙"), ("丙", "丁")]), PLACE)
    assert faults(bare) == [("答复", "column_missing")]
    other = read_import(saved(tmp_path, 工资=[("甲",)]), PLACE)
    assert faults(other) == [("import.xlsx", "sheet_missing")]


def test_questions_and_matters(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        问法=[("事项名称", "方面", "问法", "用途"),
            ("租房提取公积金", "材料", "租房取钱带啥\n要啥证", ""),
            ("租房提取公积金", "材料", "租房提公积金拿什么", "黄金问题")],
        事项=[("事项代码", "事项名称", "部门", "别名"),
            (RENT, "租房提取公积金", "公积金中心", "租房取钱、租房提取")],
    )  # fmt: skip
    imported = read_import(path, PLACE)
    assert imported.faults == ()
    assert dict(imported.words[RENT]) == {
        "name": "租房提取公积金", "department": "公积金中心", "aliases": ["租房取钱", "租房提取"],
        "questions": {"材料": ["租房取钱带啥", "要啥证"]},
        "golden": {"材料": ["租房提公积金拿什么"]},
    }  # fmt: skip


def test_a_question_that_is_too_long_names_its_cell(tmp_path: Path) -> None:
    path = saved(tmp_path, 问法=[("事项代码", "方面", "问法"), (RENT, "材料", "问" * 201)])
    assert faults(read_import(path, PLACE)) == [("问法!C2", "too_long")]


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.sheetgrid.MAX_ROWS", 3)
    assert faults(read(tmp_path, ROW, ROW, ROW)) == [("import.xlsx", "too_many_rows")]
    monkeypatch.setattr("knowledge.sheetgrid._MAX_CELLS", 5)
    assert faults(read(tmp_path, ROW)) == [("import.xlsx", "too_many_rows")]


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (61 * 1024 * 1024))
    assert path.stat().st_size < 100_000
    assert faults(read_import(path, PLACE)) == [("bomb.xlsx", "file_too_large")]


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with path.open("wb") as file:
        file.truncate(10 * 1024 * 1024 + 1)
    assert faults(read_import(path, PLACE)) == [("large.xlsx", "file_too_large")]


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04 broken"])
def test_rubbish_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "rubbish.xlsx"
    path.write_bytes(data)
    assert faults(read_import(path, PLACE)) == [("rubbish.xlsx", "file_unreadable")]
    assert faults(read_import(path, PLACE, "a.doc")) == [("a.doc", "file_unreadable")]
    assert faults(read_import(tmp_path / "no.xlsx", PLACE)) == [("no.xlsx", "file_unreadable")]


def test_entities_are_refused(tmp_path: Path) -> None:
    source = saved(tmp_path, 答复=[HEADS, ROW])
    path = tmp_path / "entities.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/workbook.xml":
                head = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
                data = data.replace(b"<workbook", head + b"<workbook", 1)
            new.writestr(name, data)
    assert faults(read_import(path, PLACE)) == [("entities.xlsx", "file_unreadable")]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (datetime(2026, 1, 2), date(2026, 1, 2)),  # noqa: DTZ001  # as Excel has it: without zone
        ("2026/1/2", date(2026, 1, 2)),
        ("2026.01.02", date(2026, 1, 2)),
        ("20260102", date(2026, 1, 2)),
        ("2026年1月2日", date(2026, 1, 2)),
        ("2026-01-02 00:00:00", date(2026, 1, 2)),
        (46024, date(2026, 1, 2)),
        ("长期", None),
        ("", None),
        (None, None),
    ],
)
def test_days_in_many_spellings(value: Any, wanted: date | None) -> None:
    assert sheetcells.day(value) == wanted


@pytest.mark.parametrize("value", ["13/2026", "昨天", 5, True, "2026-13-01"])
def test_what_is_no_day(value: Any) -> None:
    with pytest.raises(CellError):
        sheetcells.day(value)


def test_yaml_faults_name_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "a.yaml").write_text("code: gjj.rent\nname: 一\n", encoding="utf-8")
    (folder / "b.yaml").write_text("code: [\n", encoding="utf-8")
    found = faults(read_import(folder, PLACE))
    assert ("b.yaml:2", "config_broken") in found
    assert ("a.yaml:2", "config_invalid") in found
    upload = folder / "a.yaml"
    places = {place for place, _ in faults(read_import(upload, PLACE, "发来的.yaml"))}
    assert "发来的.yaml:2" in places


def test_the_folder_that_is_exported_reads_back(tmp_path: Path) -> None:
    from knowledge.exporting import write_folder

    contents = small_contents()
    written = write_folder(tmp_path / "out", contents)
    assert [path.name for path in written] == ["gjj.rent.yaml", "gjj.buy.yaml"]
    assert read_folder(tmp_path / "out") == contents


def test_each_row_says_what_it_was_exported_from(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    path.write_bytes(workbook(small_contents(), PLACE, {"gjj.rent:材料:city": 7}))
    imported = read_import(path, PLACE)
    assert not any(origin.touched for origin in imported.origins.values())
    assert imported.origins["gjj.rent:材料:city"].version == 7
    assert len(imported.unedited) == 6
    book = load_workbook(path)
    book["答复"]["G2"] = "新办法"
    book["事项"]["E2"] = "租房拿钱"
    book["问法"]["D2"] = "租房提公积金拿啥"
    book["答复"]["L4"] = book["答复"]["L3"].value  # dragged down: another row's mark is none
    book.save(path)
    imported = read_import(path, PLACE)
    touched = [name for name, origin in imported.origins.items() if origin.touched]
    assert touched == ["gjj.rent aliases", "gjj.rent:材料:city"]
    assert "gjj.buy:材料:city" not in imported.origins
    assert len(imported.unedited) == 5


def test_a_row_nobody_edited_is_not_judged_again(tmp_path: Path) -> None:
    contents = small_contents()
    old = AnswerEntry(RENT, "费用", "city", "最高一千（示例数据）", "", "某办法", "",
                      date(2026, 1, 1))  # fmt: skip
    path = tmp_path / "out.xlsx"
    path.write_bytes(workbook(type(contents)(contents.matters, (old,)), PLACE))
    assert faults(read_import(path, PLACE)) == []
    book = load_workbook(path)
    book["答复"]["E2"] = "最高两千（示例数据）"
    book.save(path)
    assert faults(read_import(path, PLACE)) == [("答复!K2", "sample_unticked")]
