"""One order's page: steps, refusals, edits with their history, secrecy, the printed sheet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from handoff.order import deeds
from store.engine import reading, writing
from store.tables import (
    Callback,
    HandoffEntry,
    Linkage,
    OrderEvent,
    Staff,
    Survey,
    WorkOrder,
    WorkOrderField,
)
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, Desk, audits, sign_in


def order_of(desk: Desk, number: str) -> WorkOrder:
    with reading(desk.office.engine) as session:
        return session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()


def take(
    desk: Desk, number: str, verb: str, edition: int | None = None, **form: object
) -> Response:
    given = order_of(desk, number).edition if edition is None else edition
    data = {"token": desk.token, "edition": given, **form}
    return desk.client.post(f"/orders/{number}/deeds/{verb}", data=data)


def lead(desk: Desk) -> None:
    """They are a supervisor now."""
    with writing(desk.office.engine) as session:
        session.scalars(select(Staff).where(Staff.login == "li")).one().roles = ["supervisor"]


def test_an_order_goes_its_way_by_the_pages_forms(desk: Desk, day: tuple[str, str]) -> None:
    number = day[0]
    helpers = ["生态环境局", "应急管理局"]
    steps: tuple[tuple[str, dict[str, Any], str], ...] = (
        (
            "dispatch",
            {"department": "城市管理局", "departments": helpers, "text": "请会办"},
            "派单",
        ),
        ("sign", {}, "签收"),
        ("handle", {"text": "已到现场"}, "办理"),
        ("answer", {"text": "烧烤摊已经清理"}, "答复"),
        ("visit", {"reached": "yes", "solved": "yes", "score": "satisfied"}, "回访"),
        ("close", {}, "办结"),
        ("archive", {}, "归档"),
    )
    for verb, form, state in steps:
        answer = take(desk, number, verb, **form)
        assert answer.status_code == 303, (verb, answer.text)
        assert order_of(desk, number).state == state
    order = order_of(desk, number)
    assert (order.department, order.departments) == ("城市管理局", helpers)
    html = desk.get(f"/orders/{number}").text
    for words in ("派单：主办 城市管理局，协办 生态环境局、应急管理局（受理 → 派单）", "请会办",
                  "回访：已联系上，已解决，满意", "办理结果", "李敏"):  # fmt: skip
        assert words in html, words
    assert len(audits(desk.office.engine, "order_step")) == len(steps)


def test_a_step_that_cannot_be_says_why_and_keeps_what_was_typed(
    desk: Desk, day: tuple[str, str]
) -> None:
    answer = take(desk, day[0], "close", text="这就办结")
    assert answer.status_code == 409
    assert "还没有答复，不能办结" in answer.text
    assert order_of(desk, day[0]).state == "受理"
    take(desk, day[0], "dispatch", department="城市管理局")
    missing = take(desk, day[0], "return")
    assert missing.status_code == 422
    assert "请写明理由" in missing.text
    long = take(desk, day[0], "note", text="字" * 2001)
    assert long.status_code == 422
    assert take(desk, day[0], "fly").status_code == 404
    html = desk.get(f"/orders/{day[0]}").text
    refused = html.split("现在不能办的")[1].split("</details>")[0]
    assert "<b>办结</b> 还没有答复，不能办结" in refused


def test_a_stale_page_is_told_what_happened_meanwhile(desk: Desk, day: tuple[str, str]) -> None:
    number, rules, now = day[0], desk.office.city.orders, desk.office.now()
    before = order_of(desk, number).edition
    deeds.do(desk.office.engine, number, "note", by="wang", now=now, rules=rules,
             text="市民又来电催问")  # fmt: skip
    answer = take(desk, number, "dispatch", edition=before, department="城市管理局",
                  text="我写的说明")  # fmt: skip
    assert answer.status_code == 409
    told = answer.text.split('id="refused"')[1].split("</div>")[0]
    assert "市民又来电催问" in told
    assert "我写的说明" in answer.text  # still in the form
    assert order_of(desk, number).state == "受理"
    assert take(desk, number, "dispatch", department="城市管理局").status_code == 303


def test_two_clicks_at_once_take_one_step(desk: Desk, day: tuple[str, str]) -> None:
    edition = order_of(desk, day[0]).edition
    first, second = (take(desk, day[0], "urge", edition=edition) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 409)
    assert order_of(desk, day[0]).urged == 1


def test_what_only_who_supervises_may_do(desk: Desk, day: tuple[str, str]) -> None:
    take(desk, day[0], "urge")
    assert take(desk, day[0], "supervise").status_code == 403
    assert "由班长办理" in desk.get(f"/orders/{day[0]}").text
    lead(desk)
    assert take(desk, day[0], "supervise", text="今晚到现场").status_code == 303


def test_earlier_orders_are_merged_in_two_clicks(desk: Desk, day: tuple[str, str]) -> None:
    with writing(desk.office.engine) as session:
        other = session.scalars(select(WorkOrder).where(WorkOrder.title.contains("公交"))).one()
        main = other.number
    answer = take(desk, day[0], "merge", into=main)
    assert answer.status_code == 303
    html = desk.get(f"/orders/{day[0]}").text
    assert f'已并入工单 <a href="/orders/{main}"' in html
    assert day[0] in desk.get(f"/orders/{main}").text
    assert take(desk, day[0], "merge", into="1").status_code in (409, 422)


def edit(desk: Desk, number: str, was: dict[str, str], mine: dict[str, str],
         edition: int) -> Response:  # fmt: skip
    data = {"token": desk.token, "edition": str(edition)}
    data |= {f"was.{name}": value for name, value in was.items()} | mine
    return desk.client.post(f"/orders/{number}/edit", data=data)


def test_a_field_is_changed_and_its_former_value_is_kept(desk: Desk, day: tuple[str, str]) -> None:
    number = day[0]
    form = desk.get(f"/orders/{number}/edit").text
    assert 'name="was.where" value="解放街道建业小区9号楼（解放路与胜利街路口）"' in form
    was = {
        "where": "解放街道建业小区9号楼（解放路与胜利街路口）",
        "title": "建业小区9号楼下烧烤摊油烟扰民",
    }
    mine = {"where": "解放街道建业小区9号楼东侧", "title": was["title"]}
    edition = order_of(desk, number).edition
    assert edit(desk, number, was, mine, edition).status_code == 303
    html = desk.get(f"/orders/{number}").text
    where = html.split('data-name="where"')[1].split("</div>")[0]
    assert "解放街道建业小区9号楼东侧" in where
    assert f"<s>{was['where']}</s>" in where
    assert "李敏 2026-11-20 12:00:00 改" in where
    assert "✓ 李敏 已确认" in where
    assert audits(desk.office.engine, "order_edited") == [("li", number)]
    with reading(desk.office.engine) as session:
        changed = session.scalars(select(OrderEvent).where(OrderEvent.event == "edited")).one()
    assert changed.data == {"fields": ["where"]}  # the title was not touched


def test_who_changed_something_else_meanwhile_is_no_obstacle(
    desk: Desk, day: tuple[str, str]
) -> None:
    number, now = day[0], desk.office.now()
    before = order_of(desk, number).edition
    deeds.edit(desk.office.engine, number, {"name": "王女士"}, by="wang", now=now)
    answer = edit(
        desk, number, {"outcome": "", "name": ""}, {"outcome": "取缔", "name": ""}, before
    )
    assert answer.status_code == 303
    html = desk.get(f"/orders/{number}").text
    assert "王女士" in html
    assert "取缔" in html


def test_who_changed_the_same_is_shown_both_and_asked(desk: Desk, day: tuple[str, str]) -> None:
    number, now = day[0], desk.office.now()
    before = order_of(desk, number).edition
    deeds.edit(desk.office.engine, number, {"name": "王女士"}, by="wang", now=now)
    answer = edit(desk, number, {"name": ""}, {"name": "汪先生"}, before)
    assert answer.status_code == 409
    assert "现在是：<b>王女士</b>" in answer.text
    assert 'name="name" value="汪先生"' in answer.text
    again = edit(desk, number, {"name": "王女士"}, {"name": "汪先生"}, before + 1)
    assert again.status_code == 303
    assert "汪先生" in desk.get(f"/orders/{number}").text


@pytest.mark.parametrize(
    ("name", "value"),
    [("phone", "call me"), ("kind", "投"), ("urgency", "now"), ("title", "字" * 61),
     ("code", "99.99.99")],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_and_stays_in_the_form(
    desk: Desk, day: tuple[str, str], name: str, value: str
) -> None:
    answer = edit(desk, day[0], {name: "?"}, {name: value}, order_of(desk, day[0]).edition)
    assert answer.status_code == 422
    assert "没有保存" in answer.text
    assert order_of(desk, day[0]).edition == 1


def test_a_doubtful_field_is_confirmed(desk: Desk, day: tuple[str, str]) -> None:
    form = {"token": desk.token, "field": "where"}
    assert desk.client.post(f"/orders/{day[0]}/confirm", data=form).status_code == 303
    where = desk.get(f"/orders/{day[0]}").text.split('data-name="where"')[1].split("</div>")[0]
    assert "待核对" not in where
    assert "李敏 已确认" in where
    form["field"] = "nothing"
    assert desk.client.post(f"/orders/{day[0]}/confirm", data=form).status_code == 422


def hide(desk: Desk, number: str) -> None:
    """The citizen wants secrecy, and the order has another's agent."""
    with writing(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()
        order.secret, order.agent = True, "wang"


def test_who_need_not_know_reads_that_it_is_secret(desk: Desk, day: tuple[str, str]) -> None:
    number = day[0]
    hide(desk, number)
    pages = [desk.get(f"/orders/{number}{page}").text
             for page in ("", "/transcript", "/print", "/edit")]  # fmt: skip
    for html in pages:
        assert "13912345678" not in html
        assert "幺三九" not in html
    assert "市民要求保密" in pages[0]
    assert "/recordings/" not in pages[0]
    assert ("li", number) in audits(desk.office.engine, "order_refused")
    assert desk.get("/recordings/rec-7f3a").status_code == 403
    found = desk.client.post("/orders", data={"token": desk.token, "search": "13912345678"})
    assert number not in found.text  # not even that it is theirs
    form = {"token": desk.token, "field": "phone"}
    assert desk.client.post(f"/orders/{number}/confirm", data=form).status_code == 403


def test_whose_order_it_is_and_who_supervises_know(desk: Desk, day: tuple[str, str]) -> None:
    number = day[0]
    hide(desk, number)
    with writing(desk.office.engine) as session:
        session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one().agent = "li"
    assert "13912345678" in desk.get(f"/orders/{number}").text
    hide(desk, number)
    assert "13912345678" not in desk.get(f"/orders/{number}").text
    lead(desk)
    assert "13912345678" in desk.get(f"/orders/{number}").text
    assert desk.get("/recordings/rec-7f3a").status_code == 200


def test_whoever_calls_a_citizen_back_knows_whom(desk: Desk, day: tuple[str, str]) -> None:
    number = day[0]
    hide(desk, number)
    now, order = desk.office.now(), order_of(desk, number)
    with writing(desk.office.engine) as session:
        entry = session.scalars(select(HandoffEntry).limit(1)).one()
        session.add(Callback(phone="13912345678", conversation_id=order.conversation_id,
                             order_id=order.id, handoff_id=entry.id, reason="abandoned",
                             state="taken", agent="zhao", created_at=now,
                             changed_at=now))  # fmt: skip
    assert "13912345678" not in desk.get(f"/orders/{number}").text
    with writing(desk.office.engine) as session:
        session.scalars(select(Callback).where(Callback.agent == "zhao")).one().agent = "li"
    assert "13912345678" in desk.get(f"/orders/{number}").text


def test_a_secret_order_nobody_has_is_open_to_whom_it_may_be_offered(
    desk: Desk, day: tuple[str, str]
) -> None:
    with writing(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one()
        order.secret, order.agent = True, ""
    assert "13912345678" in desk.get(f"/orders/{day[0]}").text


def test_who_was_told_and_what_the_citizen_thought_of_it(desk: Desk, day: tuple[str, str]) -> None:
    now = desk.office.now()
    order = order_of(desk, day[0])
    with writing(desk.office.engine) as session:
        session.add(Linkage(id="l", order_id=order.id, party="110", state="acknowledged",
                            reference="JQ1", created_at=now, acknowledged_at=now))  # fmt: skip
        session.add(Survey(key="s", conversation_id=order.conversation_id, order_id=order.id,
                           about="agent", agent="li", how="keys", score="fair", solved=False,
                           why="态度好", asked_at=now, answered_at=now))  # fmt: skip
    html = desk.get(f"/orders/{day[0]}").text
    for words in ("对方已确认", "对方编号 JQ1", "基本满意", "没有解决", "按键", "态度好"):
        assert words in html, words


def test_the_sheet_has_everything_and_no_menu(desk: Desk, day: tuple[str, str]) -> None:
    html = desk.get(f"/orders/{day[0]}/print").text
    for words in (day[0], "12345政务服务便民热线工单", "13912345678", "办理意见", "李敏 打印于",
                  "城市管理局", "楼下烧烤摊每天晚上油烟特别大"):  # fmt: skip
        assert words in html, words
    assert "top__nav" not in html
    assert audits(desk.office.engine, "order_printed") == [("li", day[0])]
    assert desk.get("/orders/2026000000000/print").status_code == 404


def test_a_deadline_is_told_in_words(desk: Desk, day: tuple[str, str]) -> None:
    with writing(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one()
        order.state, order.due_at = "办理", desk.office.now() + timedelta(hours=2, minutes=5)
        late = session.scalars(select(WorkOrder).where(WorkOrder.number == day[1])).one()
        late.state, late.due_at = "办理", desk.office.now() - timedelta(days=1, minutes=5)
    html = desk.client.post("/orders", data={"token": desk.token}).text
    assert "due_soon" in html
    assert "还剩 2 小时" in html
    assert "due_overdue" in html
    assert "超期 1 天" in html
    one = desk.client.post("/orders", data={"token": desk.token, "view": "overdue"}).text
    assert day[1] in one
    assert day[0] not in one


def test_nobody_without_the_right_changes_anything(
    office: Office, visitor: TestClient, staff: str, day: tuple[str, str]
) -> None:
    with writing(office.engine) as session:
        session.scalars(select(Staff)).one().roles = ["editor"]
    assert sign_in(visitor, staff, PASSWORD) == 303
    desk = Desk(office, visitor)
    assert take(desk, day[0], "note", text="x").status_code == 403
    assert edit(desk, day[0], {"name": ""}, {"name": "x"}, 1).status_code == 403
    for path in ("/orders/export/csv", "/orders/export/xlsx"):
        assert visitor.post(path, data={"token": desk.token}).status_code == 403
    with reading(office.engine) as session:
        names = session.scalars(select(WorkOrderField.name)).all()
    assert "name" not in names
