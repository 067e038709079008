"""Orders as a day brings them: a call with its recording, chats, one of them danger."""

from __future__ import annotations

import math
import struct
import wave
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from handoff.orders import write, write_handoff
from store.engine import writing
from store.tables import Conversation, Recording, Turn
from turns import wire
from turns.orders import OrderDraft, OrderField, Provenance
from turns.replies import Ask, Handoff, Option, Reply, Say

CALL = "call-7f3a"
CHAT = "web-91c2"
RECORDING = "rec-7f3a"
PHONE = "13912345678"

# speaker, words, start and end in the recording (ms), confidence
_CALL: tuple[tuple[str, str, int, int, float], ...] = (
    ("bot", "您好，这里是示例市12345热线，我是智能助手，本次通话会录音。请问您有什么事？",
     300, 7900, 1),
    ("citizen", "我想反映一下我们楼下那个烧烤摊，天天晚上油烟特别大，窗户都不敢开",
     8800, 14600, 0.93),
    ("bot", "好的，我帮您记下来。是在哪里？请说到街道、小区或者路口。", 15200, 19900, 1),
    ("citizen", "在解放路和胜利街的路口，建业小区九号楼下面", 21000, 25400, 0.52),
    ("bot", "一般是什么时候？", 26000, 27600, 1),
    ("citizen", "从上个星期开始的，每天晚上八点到十二点", 28700, 32900, 0.88),
    ("bot", "请留一个联系电话，方便工作人员回复您。", 33500, 36800, 1),
    ("citizen", "幺三九幺二三四五六七八", 38000, 42100, 0.95),
    ("bot", "我复述一遍：建业小区9号楼下有烧烤摊油烟扰民，每晚8点到12点，电话139 1234 5678。对吗？",
     42800, 55000, 1),
    ("citizen", "对的对的，我还想找个人问一下多久能处理", 56100, 60200, 0.9),
)  # fmt: skip
_CHAT_GREETING = "您好，这里是示例市12345热线，我是智能助手。请问您有什么事？"
_CHAT_ANSWER = (
    "租房提取公积金：连续足额缴存满3个月，本人及配偶在本市没有自有住房且租房居住的，可以提取。"
    "（示例数据）"
)


def a_day(engine: Engine, recordings: Path, now: datetime) -> tuple[str, str]:
    """Fill the database; returns the numbers of the call's order and of the chat's."""
    for order in _OTHERS:
        _other(engine, order, now)
    return _call(engine, recordings, now - timedelta(minutes=12)), _chat(
        engine, now - timedelta(minutes=3)
    )


def _call(engine: Engine, recordings: Path, at: datetime) -> str:
    _tone(recordings / "2026" / "rec-7f3a.wav", 62)
    with writing(engine) as session:
        session.add(_conversation(CALL, "phone", PHONE, at))
        session.flush()
        session.add(
            Recording(id=RECORDING, conversation_id=CALL, path="2026/rec-7f3a.wav", started_at=at,
                      duration_ms=62_000, complete=True)
        )  # fmt: skip
        for number, (speaker, words, start, end, confidence) in enumerate(_CALL):
            moment = at + timedelta(milliseconds=start)
            turn = (
                _heard(CALL, f"h{number}", words, moment, confidence)
                if speaker == "citizen"
                else _told(CALL, Say(f"s{number}", words), moment)
            )
            turn.recording, turn.audio_start_ms, turn.audio_end_ms = RECORDING, start, end
            session.add(turn)
            session.flush()
    draft = OrderDraft(
        key="handoff:call", conversation=CALL, channel="phone", line="12345", kind="投诉",
        urgency="normal", title="建业小区9号楼下烧烤摊油烟扰民", department="城市管理局",
        fields=(
            _field("kind", "投诉", 1, "我想反映一下", 0.93, "act.complaint", at),
            _field("what", "楼下烧烤摊每天晚上油烟特别大，窗户不敢开", 1,
                   "楼下那个烧烤摊，天天晚上油烟特别大，窗户都不敢开", 0.93, "form.what", at),
            _field("where", "解放街道建业小区9号楼（解放路与胜利街路口）", 3,
                   "在解放路和胜利街的路口，建业小区九号楼下面", 0.52, "form.where", at),
            _field("when", "2026-11-13起，每天20:00–24:00", 5,
                   "从上个星期开始的，每天晚上八点到十二点", 0.88, "form.when", at),
            _field("phone", PHONE, 7, "幺三九幺二三四五六七八", 0.95, "form.phone", at, "citizen"),
            _field("department", "城市管理局", 1, "烧烤摊", 0.93, "form.department", at),
        ),
    )  # fmt: skip
    return _handed_over(engine, draft, at + timedelta(seconds=61))


def _chat(engine: Engine, at: datetime) -> str:
    options = (Option("租房提取公积金", "gjj.rent"), Option("购房提取公积金", "gjj.buy"))
    with writing(engine) as session:
        session.add(_conversation(CHAT, "web", "web:5d", at))
        session.flush()
        said: tuple[Turn, ...] = (
            _told(CHAT, Say("g", _CHAT_GREETING), at),
            _heard(CHAT, "c1", "我想取公积金交房租", at + timedelta(seconds=20)),
            _told(CHAT, Ask("a1", "您是想问哪一项？", options), at + timedelta(seconds=21)),
            _heard(CHAT, "c2", "gjj.rent", at + timedelta(seconds=29), kind="choice"),
            _told(CHAT, Say("a2", _CHAT_ANSWER), at + timedelta(seconds=30)),
            _heard(CHAT, "c3", "在窗口办了两次都说系统有问题，转人工", at + timedelta(seconds=70)),
        )
        for turn in said:
            session.add(turn)
            session.flush()
    source = Provenance("c3", "在窗口办了两次都说系统有问题", at, 1.0, "said.content")
    draft = OrderDraft(
        key="handoff:chat", conversation=CHAT, channel="web", line="12345", kind="求助",
        urgency="normal", title="租房提取公积金两次未办成", matter="gjj.rent",
        department="住房公积金管理中心",
        fields=(OrderField("what", "在窗口办了两次都说系统有问题", source),),
    )  # fmt: skip
    return _handed_over(engine, draft, at + timedelta(seconds=71))


def _handed_over(engine: Engine, draft: OrderDraft, at: datetime) -> str:
    number = write_handoff(engine, draft, handoff=draft.key, reason="asked", now=at).number
    with writing(engine) as session:
        session.add(_told(draft.conversation, Handoff("handoff", "asked", number=number), at))
    return number


_OTHERS = (
    ("举报", "urgent", "解放路工地夜间无证施工", "城市管理局", "web", 190),
    ("投诉", "normal", "3路公交车早高峰甩站不停", "交通运输局", "phone", 155),
    ("求助", "danger", "临江大桥旁井盖缺失，有人险些跌落", "应急管理局", "phone", 96),
    ("咨询", "normal", "灵活就业人员医保怎么缴", "医疗保障局", "wechat", 61),
    ("求助", "normal", "阳光花园5号楼暖气不热", "住房和城乡建设局", "phone", 44),
    ("投诉", "urgent", "桥北路建材厂拖欠12名工人工资", "人力资源和社会保障局", "phone", 31),
    ("表扬", "normal", "表扬中心医院导诊台护士", "", "web", 22),
)


def _other(engine: Engine, order: tuple[str, str, str, str, str, int], now: datetime) -> None:
    kind, urgency, title, department, channel, minutes = order
    at = now - timedelta(minutes=minutes)
    name = f"other-{minutes}"
    with writing(engine) as session:
        row = _conversation(name, channel, "", at)
        row.state = "ended"
        session.add(row)
    draft = OrderDraft(
        key=name, conversation=name, channel=channel, line="12345", kind=kind,
        urgency=urgency,  # type: ignore[arg-type]  # one of the three, above
        title=title, department=department,
    )  # fmt: skip
    write(engine, draft, now=at)


def _conversation(name: str, channel: str, citizen: str, at: datetime) -> Conversation:
    return Conversation(
        id=name, channel=channel, line="12345", citizen=citizen, started_at=at, ended_at=None
    )


def _heard(
    name: str, known: str, words: str, at: datetime, confidence: float = 1.0, kind: str = "text"
) -> Turn:
    return Turn(
        conversation_id=name, speaker="citizen", kind=kind if confidence == 1 else "speech",
        heard=known, text=words, confidence=confidence, at=at,
        audio_start_ms=None, audio_end_ms=None,
    )  # fmt: skip


def _told(name: str, reply: Reply, at: datetime) -> Turn:
    return Turn(
        conversation_id=name, speaker="bot", kind=reply.type, heard=None,
        text=getattr(reply, "text", ""), reply=wire.dump(reply), at=at,
        audio_start_ms=None, audio_end_ms=None,
    )  # fmt: skip


def _field(
    name: str, value: str, turn: int, quote: str, confidence: float, rule: str, at: datetime,
    confirmed_by: str = "",
) -> OrderField:  # fmt: skip
    source = Provenance(f"h{turn}", quote, at, confidence, rule, confirmed_by)
    return OrderField(name, value, source)


def _tone(path: Path, seconds: int) -> None:
    """A soft tone in two channels, 8 kHz: something that can be played."""
    path.parent.mkdir(parents=True, exist_ok=True)
    second = b"".join(
        struct.pack("<hh", value, value)
        for value in (int(900 * math.sin(2 * math.pi * 330 * n / 8000)) for n in range(8000))
    )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(second * seconds)
