"""Citizens of WeChat are told what becomes of their orders: once, and nothing that is theirs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, select

from chat.wechat import notices
from chat.wechat.notices import TARGET, Due
from config.city import City
from config.errors import ConfigError
from config.settings import Settings
from config.wechat import NoticeTemplate, WechatFile
from handoff.alarms import open_alarms
from handoff.links.book import fan_out, forget_strangers
from handoff.order.rows import tell
from handoff.orders import write
from qianmen.courier.lane import Lane
from qianmen.courier.wechat import WechatWay, others_of, wechat_ways
from store.engine import reading, writing
from store.tables import Conversation, Delivery, WechatCitizen, WorkOrder
from tests.chat.wechat.rig import APPID, SECRET, Rig
from tests.fakes.office import NOBODY
from turns.orders import OrderDraft, OrderField, Provenance

OPENID = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
FIELDS = {"character_string1": "{number}", "phrase2": "已受理", "time3": "{time}",
          "thing4": "{department}"}  # fmt: skip
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What PostgreSQL could do otherwise is tried in the other tests."""


class World:
    """An order of a citizen of WeChat's, the platform, and a courier."""

    def __init__(self, engine: Engine, city: City) -> None:
        self.engine = engine
        self.rig = Rig()
        self.rig.platform.templates |= {"T1": tuple(FIELDS), "T2": ("phrase1",)}
        self.rig.platform.citizen(OPENID)
        file = WechatFile.model_validate({
            "notices": {
                "created": {"template": "T1", "fields": FIELDS, "url": "https://a.cn/{number}"},
                "close": {"template": "T2", "kind": "subscription",
                          "fields": {"phrase1": "已办结"}},
            }
        })  # fmt: skip
        self.city = city.model_copy(update={"wechat": file})

    @property
    def now(self) -> datetime:
        return self.rig.clock.now()

    def order(self, channel: str = "wechat") -> str:
        """Its number."""
        with writing(self.engine) as session:
            session.add(Conversation(id="t1", channel=channel, started_at=self.now))
            session.flush()
            if channel == "wechat":
                session.add(
                    WechatCitizen(id="c1", openid_mark="m1", openid=OPENID, account="gh_1",
                                  conversation_id="t1", changed_at=self.now)
                )  # fmt: skip
        source = Provenance("h1", "quote", self.now, 0.9, "rule")
        fields = (OrderField("what", "我家在建业小区，楼下油烟", source),)
        draft = OrderDraft("k1", "t1", channel, "12345", "投诉", "normal", "油烟扰民",
                           department="城市管理局", fields=fields, secret=True)  # fmt: skip
        return write(self.engine, draft, now=self.now, city=self.city).number

    def step(self, verb: str) -> None:
        """Something became of the order."""
        with writing(self.engine) as session:
            row = session.scalars(select(WorkOrder)).one()
            row.edition += 1
            tell(session, row, verb, self.now)

    async def carry(self) -> None:
        """What a courier does when it is woken."""
        fan_out(self.engine, self.city.links, self.now, others_of(self.city))
        way = WechatWay(self.engine, self.city, self.rig.api())
        lane = Lane(way, lambda: self.now, lambda _: None)
        await lane.look()
        await lane.end(60)

    def states(self) -> list[tuple[str, str]]:
        with reading(self.engine) as session:
            query = select(Delivery).where(Delivery.target == TARGET).order_by(Delivery.created_at)
            return [(row.state, row.fault) for row in session.scalars(query)]


@pytest.fixture
def world(engine: Engine, city: City) -> World:
    return World(engine, city)


async def test_the_citizen_is_told_that_the_order_was_taken(world: World) -> None:
    number = world.order()
    await world.carry()
    await world.carry()
    (seen,) = world.rig.shown(OPENID)
    assert seen.text.split("\n") == [
        f"character_string1：{number}", "phrase2：已受理", "time3：2026年11月20日 12:00",
        "thing4：城市管理局",
    ]  # fmt: skip
    assert seen.url == f"https://a.cn/{number}"
    assert "建业" not in seen.text
    assert world.states() == [("sent", "")]


@one_database
async def test_only_steps_that_the_city_names_are_told(world: World) -> None:
    world.order()
    world.step("sign")
    world.rig.platform.citizen(OPENID).takes.add("T2")
    world.step("close")
    await world.carry()
    assert "phrase1：已办结" in world.rig.texts(OPENID)
    assert len(world.states()) == 2


@one_database
async def test_orders_from_elsewhere_are_none_of_wechats(world: World) -> None:
    world.order("web")
    await world.carry()
    assert world.states() == []


@one_database
async def test_who_agreed_to_no_notice_is_not_told_and_nobody_is_alarmed(world: World) -> None:
    world.order()
    world.step("close")
    await world.carry()
    assert ("refused", "notice_refused") in world.states()
    world.rig.clock.go(3600)
    await world.carry()
    assert len(world.rig.shown(OPENID)) == 1
    assert not open_alarms(world.engine)


@one_database
async def test_who_follows_no_more_is_not_told(world: World) -> None:
    world.order()
    with writing(world.engine) as session:
        session.get_one(WechatCitizen, "c1").subscribed = False
    await world.carry()
    assert world.states() == [("refused", "nobody_there")]


@one_database
async def test_a_wrong_template_alarms_people(world: World) -> None:
    world.order()
    world.rig.platform.templates.clear()
    await world.carry()
    assert world.states() == [("given_up", "template_invalid")]
    assert len(open_alarms(world.engine)) == 1


@one_database
async def test_what_fails_for_a_while_is_told_later(world: World) -> None:
    world.order()
    world.rig.unreachable = 1000
    await world.carry()
    assert world.states() == [("waiting", "wechat_unreachable")]
    world.rig.unreachable = 0
    world.rig.clock.go(60)
    await world.carry()
    assert world.states() == [("sent", "")]


async def test_a_courier_that_dies_is_followed_by_another_under_the_same_id(world: World) -> None:
    world.order()
    fan_out(world.engine, world.city.links, world.now, others_of(world.city))
    (dead,) = notices.claim(world.engine, world.city, world.now, 9)
    assert isinstance(dead, Due)
    assert OPENID not in repr(dead)
    assert notices.claim(world.engine, world.city, world.now, 9) == ()
    world.rig.clock.go(61)
    (alive,) = notices.claim(world.engine, world.city, world.now, 9)
    assert alive.notice.id == dead.notice.id == dead.id


@one_database
def test_a_city_that_takes_its_notices_away_gives_them_up(world: World) -> None:
    world.order()
    fan_out(world.engine, world.city.links, world.now, others_of(world.city))
    assert forget_strangers(world.engine, world.city.links, [TARGET]) == 0
    assert forget_strangers(world.engine, world.city.links) == 1


@pytest.mark.parametrize(
    ("name", "text", "sent"),
    [("thing1", "一" * 30, "一" * 19 + "…"), ("phrase2", "已经办理完毕", "已经办理完"),
     ("thing1", " 两 行\n字 ", "两 行 字"), ("thing1", "", "无"), ("time3", "", "无"),
     ("character_string4", "2026" * 10, ("2026" * 10)[:32])],
)  # fmt: skip
def test_fields_are_within_the_platforms_bounds(name: str, text: str, sent: str) -> None:
    template = NoticeTemplate(template="T", fields={name: text or "{number}"})
    made = notices.made(template, {"number": ""}, "n1")
    assert made.fields[name] == sent


@pytest.mark.parametrize(
    "file",
    [{"notices": {"created": {"template": "T", "fields": {"a": "{phone}"}}}},
     {"notices": {"created": {"template": "T", "fields": {"a": "{"}}}},
     {"notices": {"sold": {"template": "T", "fields": {"a": "b"}}}},
     {"buttons": [{"name": "两样", "key": "a", "url": "https://a.cn"}]},
     {"buttons": [{"name": "什么也不做"}]},
     {"buttons": [{"name": "名字长得公众平台不要", "key": "a"}]},
     {"buttons": [{"name": "深", "buttons": [{"name": "深", "buttons": [
         {"name": "深", "key": "a"}]}]}]}],
)  # fmt: skip
def test_a_wrong_file_is_refused(file: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WechatFile.model_validate(file)


@one_database
def test_template_ids_are_the_installations(world: World) -> None:
    file = world.city.wechat.with_templates("created=OURS")
    assert (file.notices["created"].template, file.notices["close"].template) == ("OURS", "T2")
    assert world.city.wechat.with_templates("") == world.city.wechat
    for wrong in ("created", "created=", "answer=X", "=X"):
        with pytest.raises(ConfigError, match="QIANMEN_WECHAT_TEMPLATES"):
            world.city.wechat.with_templates(wrong)


@one_database
async def test_a_courier_has_the_way_only_where_there_is_something_to_tell(world: World) -> None:
    settings = Settings(wechat_appid=APPID, wechat_secret=SECRET, redis_url=NOBODY)
    async with wechat_ways(settings, world.city, world.engine) as ways:
        assert [way.name for way in ways] == [TARGET]
    silent = world.city.model_copy(update={"wechat": WechatFile()})
    async with wechat_ways(settings, silent, world.engine) as ways:
        assert ways == ()
    nobody = settings.model_copy(update={"wechat_appid": ""})
    async with wechat_ways(nobody, world.city, world.engine) as ways:
        assert ways == ()


@one_database
def test_times_are_the_citys(world: World) -> None:
    late = datetime.fromisoformat("2026-12-31T20:30:00+00:00")
    with reading(world.engine):
        order = WorkOrder(number="1", kind="投诉", department="", due_at=late)
    words = notices.words_of(order, world.city, late + timedelta(hours=1))
    assert (words["deadline"], words["time"]) == ("2027年01月01日 04:30", "2027年01月01日 05:30")
