"""``qianmen orders`` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from config.settings import Settings
from handoff import staff
from handoff.order.edits import edit
from handoff.orders import write
from handoff.profile import Profile
from qianmen.cli import app, main
from store.engine import open_store, reading, upgrade, writing
from store.tables import Audit, Conversation, WorkOrder
from turns.orders import OrderDraft, OrderField, Provenance

PHONE = "13912345678"
pytestmark = pytest.mark.usefixtures("logs_as_they_were")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An installation with a late order, and one of danger."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "QIANMEN_DATA_DIR": str(tmp_path / "data"), "QIANMEN_SECRET_KEY": "only tests know",
        "DATABASE_URL": "", "REDIS_URL": "redis://127.0.0.1:1/0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    engine = open_store(Settings())
    upgrade(engine)
    now = datetime.now(UTC)
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="web", started_at=now))
    field = OrderField("phone", PHONE, Provenance("h", PHONE, now, 1.0, "form.phone"))
    late = OrderDraft("a", "c", "web", "12345", "投诉", "normal", "油烟扰民", fields=(field,))
    danger = OrderDraft("b", "c", "web", "12345", "求助", "danger", "煤气味")
    write(engine, late, now=now - timedelta(days=60))
    write(engine, danger, now=now)
    yield engine
    engine.dispose()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["orders", *words])


def document(*words: str) -> Any:
    result = typed(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def late_number(engine: Engine) -> str:
    with reading(engine) as session:
        return session.scalars(select(WorkOrder.number).where(WorkOrder.key == "a")).one()


def test_the_list_and_its_filters(house: Engine) -> None:
    late = late_number(house)
    assert [row["urgency"] for row in document("list")] == ["danger", "normal"]
    assert [row["number"] for row in document("list", "--overdue")] == [late]
    assert [row["number"] for row in document("list", "--number", late[:8])] == [late]
    assert len(document("list", "--due", "30")) == 2
    assert document("list", "--mine", "wang") == []
    assert document("list", "--state", "办结") == []
    assert "没有这样的工单" in typed("list", "--state", "办结").stdout
    assert "超时" in typed("list", "--urgency", "normal").stdout


def test_an_order_is_shown_without_the_caller_unless_asked(house: Engine) -> None:
    number = late_number(house)
    assert PHONE not in typed("show", number).stdout
    shown = document("show", number, "--caller", "--by", "wang")
    assert shown["fields"][0]["value"] == PHONE
    assert "dispatch" in shown["may"]
    with reading(house) as session:
        lines = session.scalars(select(Audit).where(Audit.action == "order_viewed")).all()
    assert [line.data["caller"] for line in lines] == [False, True]
    assert lines[1].actor == "cli:wang"


def test_a_life_by_command(house: Engine) -> None:
    number = late_number(house)
    for words in (
        ("派单", "--department", "城市管理局", "--with", "生态环境局"),
        ("sign",),
        ("答复", "--why", "已安装净化设备"),
        ("回访", "--reached", "--solved", "--score", "满意"),
        ("close", "--edition", "5"),
    ):
        result = typed("do", number, *words, "--by", "wang")
        assert result.exit_code == 0, result.output
    assert "现在是“办结”" in result.stdout
    events = document("show", number)["events"]
    assert [event["event"] for event in events[-2:]] == ["visit", "close"]
    with reading(house) as session:
        steps = session.scalars(select(Audit).where(Audit.action == "order_step")).all()
    assert [step.data["step"] for step in steps] == ["dispatch", "sign", "answer", "visit", "close"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("do", "NUMBER", "办结"), "step_refused"),
        (("do", "NUMBER", "派单"), "department_missing"),
        (("do", "NUMBER", "催办", "--edition", "9"), "order_changed"),
        (("do", "2026010199999", "催办"), "order_unknown"),
        (("show", "2026010199999"), "order_unknown"),
    ],
)
def test_refusals_are_one_line_and_exit_code_1(
    house: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], code: str,
) -> None:  # fmt: skip
    number = late_number(house)
    argv = ["qianmen", "orders", *(number if word == "NUMBER" else word for word in words)]
    monkeypatch.setattr("sys.argv", argv)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert code in capsys.readouterr().err
    with reading(house) as session:
        assert session.scalars(select(Audit)).all() == []


@pytest.mark.parametrize(
    "words",
    [
        ("do", "1", "飞"),
        ("do", "1", "回访", "--score", "很好"),
        ("list", "--state", "飞"),
        ("list", "--urgency", "soon"),
        ("list", "--limit", "0"),
    ],
)
def test_wrong_usage_is_exit_code_2(house: Engine, words: tuple[str, ...]) -> None:
    assert typed(*words).exit_code == 2


def test_an_order_is_told_in_words(house: Engine) -> None:
    number = late_number(house)
    act = staff.Act("command-line", datetime.now(UTC), "only tests know")
    staff.add_staff(house, act, "wang", Profile("王小明", ("agent",)))
    changes = {"summary": "反映油烟扰民。", "code": "0101", "urgency": "urgent"}
    edit(house, number, changes, by="wang", now=datetime.now(UTC))
    shown = typed("show", number).stdout
    assert shown.count("摘要") == 1
    assert "0101 " in shown.partition("分类：")[2].splitlines()[0]
    assert "加急" in shown
    assert "王小明" in shown
    assert "wang" not in shown
