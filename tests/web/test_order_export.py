"""Lists that are taken along: nothing in them is a formula, no number without the right."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from handoff.orders import write
from store.engine import reading, writing
from store.tables import Audit, Conversation, Staff, WorkOrder, WorkOrderField
from tests.web.conftest import Desk, audits
from turns.orders import OrderDraft
from web import orderexport
from web.orderexport import HEADINGS

EVIL = ["=1+1", "+8613912345678", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠A1",
        " =cmd|'/C calc'!A0", "\u3000=1", "'=1"]  # fmt: skip


def rows(desk: Desk, **form: str) -> list[list[str]]:
    answer = desk.client.post("/orders/export/csv", data={"token": desk.token, **form})
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "attachment; filename=" in answer.headers["content-disposition"]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def sheet(desk: Desk, **form: str) -> list[tuple[Any, ...]]:
    answer = desk.client.post("/orders/export/xlsx", data={"token": desk.token, **form})
    assert answer.status_code == 200
    book = load_workbook(io.BytesIO(answer.content))
    cells = list(book["工单"].iter_rows())
    assert not any(cell.data_type == "f" for row in cells for cell in row)
    return [tuple(cell.value for cell in row) for row in cells]


def lead(desk: Desk) -> None:
    with writing(desk.office.engine) as session:
        session.scalars(select(Staff).where(Staff.login == "li")).one().roles = ["supervisor"]


def test_the_filtered_list_as_a_table(desk: Desk, day: tuple[str, str]) -> None:
    table = rows(desk)
    assert tuple(table[0]) == HEADINGS
    assert [row[0] for row in table[1:3]] == [day[1], day[0]]
    assert len(table) == 10
    assert len(rows(desk, kind="投诉")) == 4
    told = dict(zip(*rows(desk, search=day[0])[:2], strict=True))
    assert told["标题"] == "建业小区9号楼下烧烤摊油烟扰民"
    assert told["受理时间"] == "2026-11-20 11:49:01"
    assert told["联系电话"] == "139****5678"
    assert told["诉求内容"] == "楼下烧烤摊每天晚上油烟特别大，窗户不敢开"


def test_the_same_as_a_workbook(desk: Desk, day: tuple[str, str]) -> None:
    table = sheet(desk)
    assert table[0] == HEADINGS
    assert len(table) == 10
    told = dict(zip(table[0], next(row for row in table if row[0] == day[0]), strict=True))
    assert told["联系电话"] == "139****5678"
    assert told["主办单位"] == "城市管理局"


@pytest.mark.parametrize("evil", EVIL)
def test_no_cell_is_a_formula(desk: Desk, day: tuple[str, str], evil: str) -> None:
    lead(desk)
    with writing(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one()
        order.title = order.department = evil
        for field in session.scalars(
            select(WorkOrderField).where(WorkOrderField.order_id == order.id)
        ):
            field.value = evil
    for table in (rows(desk, personal="yes"), sheet(desk, personal="yes")):
        for row in table:
            for cell in row:
                bare = str(cell or "").lstrip(" \u3000\ufeff\x00")
                assert not bare.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－",
                                            "＠")), cell  # fmt: skip


def test_what_no_workbook_may_hold_is_left_out(desk: Desk, day: tuple[str, str]) -> None:
    with writing(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one()
        order.title = "a\x0bb\x1f" + "长" * 50
    assert any(row[7] == "ab" + "长" * 50 for row in sheet(desk))


def test_names_and_numbers_need_the_right_and_the_wish(desk: Desk, day: tuple[str, str]) -> None:
    assert "13912345678" not in str(rows(desk, personal="yes"))  # an agent's wish is not enough
    lead(desk)
    assert "13912345678" not in str(rows(desk))
    assert "13912345678" in str(rows(desk, personal="yes"))
    assert "13912345678" in str(sheet(desk, personal="yes"))
    assert audits(desk.office.engine, "orders_exported") == [("li", "orders")] * 4
    with reading(desk.office.engine) as session:
        kept = session.scalars(select(Audit.data).where(Audit.action == "orders_exported"))
        assert [data["personal"] for data in kept] == [False, False, True, True]


def test_a_number_in_the_middle_of_a_text_is_masked_too(desk: Desk, day: tuple[str, str]) -> None:
    with writing(desk.office.engine) as session:
        what = session.scalars(select(WorkOrderField).where(WorkOrderField.name == "what")).first()
        assert what is not None
        what.value = "身份证150502199001011234，电话13800000000"
    table = str(rows(desk))
    assert "199001011234" not in table
    assert "13800000000" not in table


def test_a_secret_order_hides_who_reported_it(desk: Desk, day: tuple[str, str]) -> None:
    with writing(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one()
        order.secret, order.agent = True, "wang"
    told = dict(zip(*[row for row in rows(desk) if row[0] in ("工单编号", day[0])], strict=True))
    assert told["联系电话"] == told["反映人"] == "保密"


def test_a_long_list_is_read_in_batches_and_capped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = desk.office.now().astimezone(desk.office.city.zone)
    with writing(desk.office.engine) as session:
        session.add(Conversation(id="c", channel="web", started_at=now, ended_at=None))
    for number in range(25):
        draft = OrderDraft(f"k{number}", "c", "web", "12345", "咨询", "normal", f"第{number}件")
        write(desk.office.engine, draft, now=now + timedelta(seconds=number // 5))
    monkeypatch.setattr(orderexport, "_BATCH", 7)
    assert [row[7] for row in rows(desk)[1:]] == [
        row[7] for row in sorted(rows(desk)[1:], key=lambda row: (row[1], row[0]), reverse=True)
    ]
    assert len({row[0] for row in rows(desk)[1:]}) == 25
    monkeypatch.setattr(orderexport, "MOST", 10)
    assert len(rows(desk)) == 11
