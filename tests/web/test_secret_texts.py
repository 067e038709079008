"""A secret order's free text names who reported it: no outlet shows that to who must not see it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select

from config.links import Target
from handoff.links.message import of_news
from handoff.order import deeds
from handoff.order.edits import edit
from handoff.order.listing import shown
from handoff.order.model import OrderError
from handoff.veil import MARK
from store.engine import reading, writing
from store.tables import Callback, HandoffEntry, Staff, WorkOrder, WorkOrderField
from tests.fakes.orders import PHONE
from tests.web.conftest import Desk
from turns.orders import Provenance
from web.agents.board import read_board
from web.wall.live import danger_orders

NAME, HOME = "王小梅", "3单元501"
TITLE = f"{NAME}反映烧烤店油烟"
WHAT = f"我叫{NAME}，我家住建业小区9号楼{HOME}，楼下烧烤店油烟大，电话{PHONE}"
SECRETS = (NAME, HOME, PHONE, "王女士")


def leaks(text: str) -> list[str]:
    return [word for word in SECRETS if word in text]


@pytest.fixture
def secret(desk: Desk, day: tuple[str, str]) -> str:
    """The number of a secret order of somebody else's; its words tell who reported it."""
    office = desk.office
    now = office.now()
    with writing(office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == day[0])).one()
        order.secret, order.agent, order.title, order.summary = True, "wang", TITLE, WHAT
        rows = session.scalars(select(WorkOrderField).where(WorkOrderField.order_id == order.id))
        fields = {row.name: row for row in rows}
        fields["what"].value = WHAT
        fields["what"].former = [{"value": TITLE, "until": now.isoformat(), "by": "bot"}]
        fields["where"].value = f"建业小区9号楼{HOME}室"
        source = Provenance("h1", NAME, now, 1.0, "said.name")
        session.add(
            WorkOrderField(order_id=order.id, name="name", value=NAME, turn=source.turn,
                           quote=source.quote, at=now, confidence=1.0, rule=source.rule, former=[])
        )  # fmt: skip
    deeds.do(office.engine, day[0], "note", by="wang", now=now, rules=office.city.orders,
             text=f"已联系王女士 {PHONE}")  # fmt: skip
    return day[0]


@pytest.mark.parametrize(
    "path",
    ["/orders", "/orders/NUMBER", "/orders/NUMBER/edit",
     "/orders/NUMBER/print", "/api/orders", "/api/orders?cursor=", "/api/orders/NUMBER",
     "/api/orders/NUMBER/history"],
)  # fmt: skip
def test_no_page_tells_it(desk: Desk, secret: str, path: str) -> None:
    answer = desk.get(path.replace("NUMBER", secret))
    assert answer.status_code == 200
    assert leaks(answer.text) == []
    if path != "/api/orders/NUMBER/history":
        assert f"{MARK}反映烧烤店油烟" in answer.text


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_no_export_tells_it(desk: Desk, secret: str, ending: str) -> None:
    answer = desk.client.post(f"/orders/export/{ending}", data={"token": desk.token})
    assert answer.status_code == 200
    if ending == "csv":
        assert secret in answer.text
        assert leaks(answer.text) == []


def test_its_words_find_it_only_for_who_may_see_them(desk: Desk, secret: str) -> None:
    wanted = {"token": desk.token, "search": NAME}
    assert secret not in desk.client.post("/orders", data=wanted).text
    with writing(desk.office.engine) as session:
        session.scalars(select(Staff).where(Staff.login == "li")).one().roles = ["supervisor"]
    assert TITLE in desk.client.post("/orders", data=wanted).text


def test_no_webhook_tells_it(desk: Desk, secret: str) -> None:
    target = Target.model_validate(
        {"name": "city", "url": "https://city.example/hook", "caller": "always",
         "fields": ["title", "summary", "what", "where", "name", "phone"]}
    )  # fmt: skip
    with reading(desk.office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == secret)).one()
        told = of_news(session, target, delivery="d", topic="order.changed",
                       payload={"order": order.id}, at=desk.office.now())  # fmt: skip
    fields = json.loads(told)["order"]["fields"]
    assert leaks(str(fields)) == []
    assert fields["title"] == f"{MARK}反映烧烤店油烟"


def test_neither_wall_nor_callbacks_nor_the_command_line(desk: Desk, secret: str) -> None:
    office = desk.office
    with writing(office.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == secret)).one()
        order.urgency = "danger"
        entry = session.scalars(select(HandoffEntry.id).where(HandoffEntry.order_id == order.id))
        session.add(
            Callback(conversation_id=order.conversation_id, order_id=order.id, phone=PHONE,
                     handoff_id=entry.one(), reason="abandoned", created_at=office.now(),
                     changed_at=office.now())
        )  # fmt: skip
    (danger,) = (one for one in danger_orders(office.engine) if one["number"] == secret)
    assert danger["title"] == f"{MARK}反映烧烤店油烟"
    (call,) = read_board(office.engine, office.now(), 15).callbacks
    assert (call.number, call.title) == (secret, f"{MARK}反映烧烤店油烟")
    found = shown(office.engine, secret, caller=False)
    assert found is not None
    assert leaks(str(found)) == []
    found = shown(office.engine, secret, caller=True)
    assert found is not None
    assert set(leaks(str(found))) == set(SECRETS)


def test_what_is_hidden_is_not_written_over(engine: Engine, desk: Desk, secret: str) -> None:
    with pytest.raises(OrderError, match="看不到") as refused:
        edit(engine, secret, {"title": f"{MARK}反映烧烤店噪声"}, by="li", now=desk.office.now())
    assert refused.value.code == "value_invalid"


def test_who_deals_with_it_reads_all_of_it(desk: Desk, secret: str) -> None:
    with writing(desk.office.engine) as session:
        session.scalars(select(WorkOrder).where(WorkOrder.number == secret)).one().agent = "li"
    assert NAME in desk.get(f"/orders/{secret}").text
    assert TITLE in desk.get("/orders").text
