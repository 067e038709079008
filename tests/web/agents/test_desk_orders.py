"""The order beside the talk: it fills itself, shows its sources, and nobody overwrites another."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from config.city import City
from handoff.classify import rules_of
from knowledge.matters import answer_id
from store.engine import reading, writing
from store.tables import (
    Answer,
    HandoffEntry,
    Linkage,
    Matter,
    OrderEvent,
    Turn,
    WorkOrder,
    WorkOrderField,
)
from tests.fakes.control import FakeControl
from tests.fakes.office import Office
from tests.web.agents.conftest import Desks, Frame, Page, hand_over
from tests.web.conftest import Clock, audits
from turns.calls import CallEvent
from turns.context import Context
from turns.replies import Option
from turns.understood import Candidate, Finding


class FakeLookup:
    """Finds one answer for whatever names it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def find(self, text: str, context: Context, at: datetime) -> Finding | None:
        self.asked.append((text, context.matter))
        if "公积金" not in text:
            return Finding("miss", "", (), (), context)
        if "告诉" in text:
            return Finding("answer", "gjj.rent:材料:city", (), (), context)
        sure = (Candidate("gjj.rent", "材料", 0.7), Candidate("gjj.rent", "条件", 0.2))
        options = (Option("租房提取公积金的材料", "gjj.rent:材料"),)
        return Finding("ask", "", sure, options, Context(matter="gjj.rent"))


@pytest.fixture
def office(tmp_path: Path, engine: Engine, city: City, clock: Clock) -> Office:
    return Office(
        tmp_path, engine, city, clock, agents=True, lookup=FakeLookup(), rules=rules_of(city)
    )


@pytest.fixture
def chat(desks: Desks, office: Office) -> tuple[Page, str]:
    """An agent and the chat they are offered; the page is not yet open."""
    return desks.page("li"), "handoff:web-1"


def take(page: Page, office: Office) -> str:
    page.online()
    handoff = hand_over(office, "web-1", text="建业小区9号楼下烧烤摊油烟太大，转人工")
    assert page.ask(type="accept", offer=page.offered()["offer"])["type"] == "done"
    page.send(type="watch", handoff=handoff, cursor=0)
    return handoff


def citizen_says(office: Office, known: str, text: str) -> None:
    with writing(office.engine) as session:
        session.add(
            Turn(conversation_id="web-1", speaker="citizen", kind="text", heard=known, text=text,
                 at=office.now(), audio_start_ms=None, audio_end_ms=None)
        )  # fmt: skip


def field(order: Frame, name: str) -> Frame:
    found: Frame = next((one for one in order["fields"] if one["name"] == name), {})
    return found


def tells(frame: Frame) -> bool:
    """The bot says what papers are needed."""
    return any(one["speaker"] == "bot" and "身份证" in one["text"] for one in frame["turns"])


def test_the_order_fills_itself_while_the_citizen_talks(
    chat: tuple[Page, str], office: Office
) -> None:
    page, _ = chat
    with page.open():
        take(page, office)
        page.until("order")
        citizen_says(office, "h2", "我的电话是13912345678")
        order = page.until("order", lambda frame: field(frame["order"], "phone"))["order"]
        phone = field(order, "phone")
        assert (phone["value"], phone["label"]) == ("13912345678", "联系电话")
        seqs = {turn["id"]: turn["seq"] for one in page.frames if one["type"] == "turns"
                for turn in one["turns"]}  # fmt: skip
        assert phone["turn_seq"] == seqs["h2"]
        assert "13912345678" in phone["quote"]


def test_a_field_is_changed_confirmed_and_keeps_what_it_was(
    chat: tuple[Page, str], office: Office
) -> None:
    page, _ = chat
    with page.open():
        handoff = take(page, office)
        filled = page.until("order", lambda frame: field(frame["order"], "where"))
        edition = filled["order"]["edition"]
        change = {"type": "field", "handoff": handoff, "name": "where", "edition": edition}
        assert page.ask(**change, value="建业小区8号楼")["type"] == "done"
        order = page.order
        where = field(order, "where")
        assert (where["value"], where["rule"]) == ("建业小区8号楼", "agent")
        stale = page.ask(**change, value="别处")
        assert (stale["type"], stale["code"]) == ("refused", "entry_changed")
        change["edition"] = order["edition"]
        assert page.ask(**change, value="建业小区9号楼")["type"] == "done"
        order = page.order
        assert field(order, "where")["former"][-1]["value"] == "建业小区8号楼"
        assert page.ask(type="confirm", handoff=handoff, name="where")["type"] == "done"
        order = page.order
        assert field(order, "where")["confirmed_by"] == "li"
        unknown = page.ask(type="field", handoff=handoff, name="no such", value="x",
                           edition=order["edition"])  # fmt: skip
        assert unknown["code"] == "field_unknown"
        wrong = page.ask(type="confirm", handoff=handoff, name="no such")
        assert wrong["code"] == "field_unknown"
    assert len(audits(office.engine, "order_edited")) == 2


def test_a_note_stands_on_the_order(chat: tuple[Page, str], office: Office) -> None:
    page, _ = chat
    with page.open():
        handoff = take(page, office)
        assert page.ask(type="note", handoff=handoff, text="老人，请慢慢说")["type"] == "done"
    with reading(office.engine) as session:
        found = session.scalars(select(OrderEvent).where(OrderEvent.text != "")).all()
        assert [(event.actor, event.text) for event in found] == [("li", "老人，请慢慢说")]


def test_only_who_deals_with_it_changes_an_order(chat: tuple[Page, str], office: Office) -> None:
    page, _ = chat
    with page.open():
        handoff = take(page, office)
        assert page.ask(type="note", handoff="handoff:nobody", text="x")["code"] == "entry_unknown"
        with writing(office.engine) as session:
            session.get_one(HandoffEntry, handoff).agent = "wang"
        for asked in (
            {"type": "note", "text": "x"},
            {"type": "field", "name": "where", "value": "x", "edition": 1},
            {"type": "confirm", "name": "what"},
            {"type": "link", "party": "110"},
            {"type": "send_answer", "answer": "gjj.rent:材料:city"},
        ):
            assert page.ask(handoff=handoff, **asked)["code"] in ("not_yours", "answer_unknown")


def test_a_secret_order_is_shown_to_who_deals_with_it_alone(desks: Desks, office: Office) -> None:
    li, wang = desks.page("li"), desks.page("wang")
    with li.open(), wang.open():
        handoff = take(li, office)
        li.until("order")
        with writing(office.engine) as session:
            order = session.scalars(select(WorkOrder)).one()
            order.secret, order.edition = True, order.edition + 1
            number = order.number
        shown = li.until("order", lambda frame: frame["order"]["secret"])["order"]
        assert shown["hidden"] is False
        wang.send(type="watch", handoff=handoff, cursor=0)
        assert wang.until("refused")["code"] == "not_yours"
    assert ("wang", number) not in audits(office.engine, "order_viewed")


def test_an_unknown_party_is_refused(chat: tuple[Page, str], office: Office) -> None:
    page, _ = chat
    with page.open():
        handoff = take(page, office)
        assert page.ask(type="link", handoff=handoff, party="nobody")["code"] == "party_unknown"


def test_a_link_that_is_acknowledged_shows_by_itself(
    chat: tuple[Page, str], office: Office
) -> None:
    page, _ = chat
    with page.open():
        take(page, office)
        page.until("order")
        with writing(office.engine) as session:
            order = session.scalars(select(WorkOrder)).one()
            session.add(Linkage(id="l1", order_id=order.id, party="110", state="acknowledged",
                                reference="110-7", created_at=office.now()))  # fmt: skip
        (link,) = page.until("order", lambda frame: frame["order"]["links"])["order"]["links"]
        assert (link["party"], link["reference"]) == ("110", "110-7")


def publish_rent(office: Office) -> None:
    """One matter with a published answer, and a draft that nobody is told."""
    with writing(office.engine) as session:
        session.add(Matter(code="gjj.rent", name="租房提取公积金", department="公积金中心"))
        session.flush()
        for version, state, text in (
            (1, "published", "带身份证和租房合同。"), (2, "draft", "草稿"),
        ):  # fmt: skip
            session.add(
                Answer(matter_code="gjj.rent", aspect="材料", region="city", version=version,
                       state=state, text=text, document="提取办法", article="第三条",
                       valid_from=date(2026, 1, 1), valid_to=None, changed_at=office.now())
            )  # fmt: skip


def test_answers_are_suggested_and_sent_as_they_stand(
    chat: tuple[Page, str], office: Office
) -> None:
    publish_rent(office)
    page, _ = chat
    with page.open():
        handoff = take(page, office)
        citizen_says(office, "h2", "公积金租房要什么材料")
        (answer,) = page.until("suggest")["answers"]
        assert (answer["title"], answer["text"]) == ("租房提取公积金的材料", "带身份证和租房合同。")
        assert answer["source"] == "提取办法第三条"
        sent = page.ask(type="send_answer", handoff=handoff, answer=answer["answer"])
        assert sent["type"] == "done"
        unknown = page.ask(type="send_answer", handoff=handoff, answer="gjj.rent:条件:city")
        assert unknown["code"] == "answer_unknown"
        citizen_says(office, "h3", "谢谢")
        assert page.until("suggest")["answers"] == []  # what is of no use any more goes
        back = page.ask(type="back", handoff=handoff, word="请告诉他公积金租房的材料")
        assert back["data"] == {"answered": True}
        page.until("turns", tells)  # the bot does what the word says
    with reading(office.engine) as session:
        told = session.scalars(select(Turn).where(Turn.speaker == "agent")).one()
        assert told.text.startswith("带身份证和租房合同。")
        assert told.reply["answer"] == answer_id("gjj.rent", "材料", "city")
        assert session.scalars(select(WorkOrderField)).all()


def test_what_the_bot_has_no_answer_to_is_said_to_who_gives_back(
    chat: tuple[Page, str], office: Office
) -> None:
    page, _ = chat
    with page.open():
        handoff = take(page, office)
        back = page.ask(type="back", handoff=handoff, word="替他算命")
        assert back["data"] == {"answered": False}


def test_a_caller_given_back_hears_the_answer_once_the_bot_has_them(
    people: None, tmp_path: Path, engine: Engine, city: City, clock: Clock
) -> None:
    """What is told while their telephone is still with the agent, or 'goodbye' is said, is lost."""
    control = FakeControl()
    office = Office(
        tmp_path, engine, city, clock, agents=True, lookup=FakeLookup(), control=control
    )
    publish_rent(office)
    with ExitStack() as stack:
        page = Desks(office, stack).page("li")
        with page.open():
            page.online()
            handoff = hand_over(office, "call-1", channel="phone", citizen="13912345678")
            page.ask(type="accept", offer=page.offered()["offer"])
            page.sees(lambda desk: any(one["state"] == "connected" for one in desk["mine"]))
            page.send(type="watch", handoff=handoff, cursor=0)
            page.until("order")
            page.ask(type="back", handoff=handoff, word="请告诉他公积金租房的材料")
            page.until("call", lambda frame: frame["stage"] == "parted")
            assert page.ask(type="ready")["type"] == "done"
            assert not spoken(engine)
            at = datetime.now(UTC)
            office.loop.call_soon_threadsafe(
                control.happen, CallEvent("call-1", "back", "caller", at)
            )
            page.until("turns", tells)
    assert spoken(engine) == ["带身份证和租房合同。"]


def spoken(engine: Engine) -> list[str]:
    """What the bot told."""
    with reading(engine) as session:
        return list(session.scalars(select(Turn.text).where(Turn.speaker == "bot")))
