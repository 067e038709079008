"""The audit for those who may see it: narrowed down, taken along, and checked."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from store import audit
from store.audit_anchor import renew_anchor
from store.engine import reading, writing
from store.tables import Audit, Staff
from tests.fakes.office import KEY
from tests.web.conftest import Desk, audits
from web.auditlog import harmless, parse_day


@pytest.fixture
def reader(engine: Engine, desk: Desk) -> Desk:
    with writing(engine) as session:
        session.scalars(select(Staff)).one().roles = ["supervisor"]
        for number in range(60):
            at = datetime(2026, 11, 1, number % 24, tzinfo=UTC)
            audit.write(session, KEY, at=at, actor="=1+1", action="order_viewed",
                        target=f"2026110100{number:03d}")  # fmt: skip
    return desk


def post(desk: Desk, path: str = "", **form: str) -> str:
    answer = desk.client.post(f"/staff/audit{path}", data={"token": desk.token, **form})
    assert answer.status_code == 200
    return answer.text


def test_the_newest_lines_first_and_page_by_page(reader: Desk) -> None:
    page = reader.get("/staff/audit").text
    assert "共 63 条，第 1 / 2 页" in page
    assert "查看操作记录" in page
    assert "第 2 / 2 页" in post(reader, page="2")
    for junk in ("0", "-1", "x", "9" * 20, "²"):
        assert "共 63 条" in post(reader, page=junk)
    assert audits(reader.office.engine, "audit_viewed") == [("li", "audit")]


@pytest.mark.parametrize(
    ("form", "total"),
    [({"actor": "=1+1"}, 60), ({"action": "sign_in"}, 1), ({"target": "2026110100007"}, 1),
     ({"target": "a\x00"}, 63), ({"since": "2026-11-02"}, 19), ({"until": "2026-11-01"}, 44),
     ({"since": "2026-11-02", "until": "2026-11-02", "actor": "=1+1"}, 16),
     ({"since": "yesterday"}, 63), ({"until": "9999-12-31"}, 63), ({"actor": "nobody"}, 0)],
)  # fmt: skip
def test_narrowed_down_by_city_days(reader: Desk, form: dict[str, str], total: int) -> None:
    # The evening of the 1st in UTC is the 2nd in the city.
    assert f"共 {total} 条" in post(reader, **form)


def test_who_did_it_is_found_by_the_words_on_the_page(reader: Desk, engine: Engine) -> None:
    with writing(engine) as session:
        for actor in ("cli:张三", "unknown:01", "unknown:02"):
            audit.write(session, KEY, at=datetime(2026, 11, 5, tzinfo=UTC), actor=actor,
                        action="citizen_exported", data={"account": "root"})  # fmt: skip
    told = post(reader, actor="命令行（张三）")
    assert "共 1 条" in told
    assert "系统账户 root" in told
    assert "共 2 条" in post(reader, actor="未知登录名")


def test_taken_along_without_formulas_and_written_down(reader: Desk) -> None:
    text = post(reader, "/export", actor="=1+1")
    assert text.startswith("\ufeff序号,时间")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 61
    assert rows[1][2] == "'=1+1"
    assert audits(reader.office.engine, "audit_exported") == [("li", "audit")]


@given(st.text())
def test_no_cell_is_a_formula(cell: str) -> None:
    safe = harmless(cell)
    assert safe.endswith(cell)
    assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_check_names_what_is_broken(reader: Desk, engine: Engine) -> None:
    assert "没有被改动或删除" in post(reader, "/check")
    with reading(engine) as session:
        renew_anchor(session, reader.office.app.state.site.anchor)
    with writing(engine) as session:
        session.execute(update(Audit).where(Audit.id == 5).values(actor="wang"))
    assert "序号 5 的记录被改动过" in post(reader, "/check")


def test_a_day_is_parsed_or_nothing() -> None:
    assert parse_day(" 2026-11-20 ") == date(2026, 11, 20)
    for text in ("", "2026-13-01", "today", "2026-02-30"):
        assert parse_day(text) is None
