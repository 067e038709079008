"""``qianmen knowledge`` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from config.settings import Settings
from handoff import staff
from handoff.profile import Profile
from knowledge import versions
from knowledge.editing import Act, EditError
from knowledge.load import load
from knowledge.publish import releases
from qianmen.cli import app, main
from store.engine import open_store, reading, upgrade, writing
from tests.knowledge.desk import PAPERS, PLACE, RENT, drafted, small_contents

KEY = "a secret that only tests know"
pytestmark = pytest.mark.usefixtures("logs_as_they_were")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An installation with a small city's answers, an approver and an editor."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "QIANMEN_DATA_DIR": str(tmp_path / "data"), "QIANMEN_SECRET_KEY": KEY, "DATABASE_URL": "",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    engine = open_store(Settings())
    upgrade(engine)
    now = datetime.now(UTC)
    with writing(engine) as session:
        load(session, small_contents(), now)
    act = staff.Act("command-line", now, KEY)
    staff.add_staff(engine, act, "chief", Profile("陈审", ("approver",)))
    staff.add_staff(engine, act, "li", Profile("李编", ("editor",)))
    yield engine
    engine.dispose()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["knowledge", *words])


def document(*words: str, code: int = 0) -> Any:
    result = typed(*words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def edited(path: Path, text: str) -> None:
    """As an editor changes an exported workbook: rent's papers."""
    book = load_workbook(path)
    book["答复"]["E2"], book["答复"]["F2"] = text, None
    book.save(path)


def test_from_an_export_to_published_and_back(house: Engine, tmp_path: Path) -> None:
    path = tmp_path / "answers.xlsx"
    assert document("export", str(path))["answers"] == 4
    assert document("import", str(path))["counts"]["changed"] == 0
    edited(path, "带身份证。")
    found = document("import", str(path), "--dry-run")
    assert [(one["id"], one["change"]) for one in found["answers"]] == [
        ("gjj.rent:材料:city", "changed")
    ]
    with reading(house) as session:
        assert releases(session) == ()
    made = document("import", str(path), "--publish", "--by", "chief")
    assert made["release"] == 1
    past = document("history", RENT, "材料")
    assert [(one["version"], one["state"], one["approved_by"]) for one in past] == [
        (2, "published", "chief"), (1, "retired", ""),
    ]  # fmt: skip
    assert past[0]["wording"]["text"] == "带身份证。"
    told = typed("history", RENT, "材料").stdout
    assert "第 2 版  已发布" in told
    assert "陈审（chief）  批准" in told
    at = datetime.fromisoformat(past[0]["steps"][0]["at"])
    assert at.utcoffset() == timedelta(hours=8)
    assert f"{at:%Y-%m-%d %H:%M}  command-line  起草" in told
    undone = document("undo", "--by", "chief", "--why", "写错了")
    assert undone["answers"] == ["gjj.rent:材料:city"]
    assert document("history", RENT, "材料")[1]["state"] == "published"


@pytest.mark.usefixtures("house")
def test_a_folder_goes_out_and_in(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert typed("export", str(folder)).exit_code == 0
    file = folder / f"{RENT}.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("是这样的。", "变了。", 1),
                    encoding="utf-8")  # fmt: skip
    assert document("import", str(folder), "--by", "li")["counts"]["changed"] == 1
    past = document("history", RENT, "材料")
    assert (past[0]["state"], past[0]["created_by"]) == ("draft", "li")


@pytest.mark.usefixtures("house")
def test_a_broken_row_is_named_and_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "answers.xlsx"
    document("export", str(path))
    edited(path, "")
    found = document("import", str(path), code=1)
    assert [(one["place"], one["code"]) for one in found["faults"]] == [("答复!E2", "missing")]
    told = typed("import", str(path))
    assert told.exit_code == 1
    assert "第 2 行“答复”" in told.stdout
    assert len(document("history", RENT, "材料")) == 1


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("by", [(), ("--by", "li"), ("--by", "nobody")])
def test_only_an_approver_publishes(tmp_path: Path, by: tuple[str, ...]) -> None:
    path = tmp_path / "answers.xlsx"
    document("export", str(path))
    for words in (("import", str(path), "--publish"), ("publish",), ("undo",)):
        result = typed(*words, *by)
        assert result.exit_code == 1
        assert getattr(result.exception, "code", "") in ("approver_missing", "staff_unknown")


def test_publishing_what_was_approved(house: Engine) -> None:
    nothing = typed("publish", "--by", "chief")
    assert isinstance(nothing.exception, EditError)
    assert nothing.exception.code == "nothing_to_publish"
    draft = drafted(house, "带身份证。")
    now = datetime.now(UTC)
    with writing(house) as session:
        seen = versions.check(session, Act("li", now, KEY), PLACE, draft.id, edition=draft.edition)
        versions.approve(session, Act("chief", now, KEY), PLACE, seen.id, edition=seen.edition)
    rehearsed = document("publish", "--dry-run")
    assert (rehearsed["release"], rehearsed["gate"]["ok"]) == (None, True)
    told = typed("publish", "--by", "chief", "--why", "新规定")
    assert told.exit_code == 0, told.output
    assert "已发布（第 1 次）" in told.stdout


def test_golden_questions_are_asked_of_what_is_published(house: Engine) -> None:
    found = document("test")
    assert (found["ok"], found["asked"], found["right_after"]) == (True, 6, 6)
    assert "答对 6 个" in typed("test").stdout
    contents = small_contents()
    rent, buy = contents.matters
    odd = replace(rent, golden={"材料": ("今天天气怎么样",)})
    with writing(house) as session:
        load(session, replace(contents, matters=(odd, buy)), datetime.now(UTC))
    found = document("test", code=1)
    assert [one["question"] for one in found["failing"]] == ["今天天气怎么样"]


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("json_too", [(), ("--json",)])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("history", "gjj.nope", "额度"), "matter_unknown"),
        (("history", RENT, "天气"), "aspect_unknown"),
        (("history", RENT, "材料", "--region", "mars"), "region_unknown"),
        (("undo",), "approver_missing"),
        (("undo", "--by", "chief"), "nothing_to_undo"),
        (("publish", "--by", "chief"), "nothing_to_publish"),
    ],
)
def test_what_is_refused_is_one_coded_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], code: str, json_too: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr("sys.argv", ["qianmen", "knowledge", *words, *json_too])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (1, "")
    assert err.splitlines()[-1].startswith(f"✘ {code}：")


@pytest.mark.usefixtures("house")
def test_the_report_names_matters_and_shows_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "answers.xlsx"
    document("export", str(path))
    book = load_workbook(path)
    book["答复"]["E2"] = "租房提取公积金的材料有变。"
    book.save(path)
    told = typed("import", str(path), "--dry-run").stdout.splitlines()
    assert told[0] == "修改  租房提取公积金的材料  gjj.rent:材料:city"
    assert "答复：租房提取公积金的材料[-是这样的-][+有变+]。" in told[1]
    assert told[-1].startswith("新增 0，修改 1，")


def test_an_older_workbook_brings_nothing_old_back(house: Engine, tmp_path: Path) -> None:
    """Rows that were not edited in the sheet stay as they became since; edited ones are told."""
    old, newer = tmp_path / "old.xlsx", tmp_path / "newer.xlsx"
    document("export", str(old))
    document("export", str(newer))
    edited(newer, "后来改的。")
    document("import", str(newer), "--publish", "--by", "chief")
    found = document("import", str(old), "--by", "li")
    counts = found["counts"]
    assert (counts["added"], counts["changed"], counts["kept"]) == (0, 0, 0)
    edited(old, "旧文件里改的。")
    drafted(house, "有人在写。", by="li")
    found = document("import", str(old), "--dry-run")
    assert [one["why"] for one in found["answers"]] == ["李编（li）正在写这条答复"]
    with writing(house) as session:
        draft = versions.open_version(session, PAPERS)
        assert draft is not None
        li = Act("li", datetime.now(UTC), KEY)
        versions.discard(session, li, draft.id, edition=draft.edition)
    found = document("import", str(old), "--by", "li")
    assert [(one["change"], one["why"]) for one in found["answers"]] == [
        ("kept", "导出以后又改过（第 2 版），没有覆盖")
    ]
    said = document("history", RENT, "材料")
    assert [one["wording"]["text"] for one in said if one["state"] == "published"] == ["后来改的。"]
