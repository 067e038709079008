"""Photos, voice notes, videos and places on an order's page, and who may see them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from chat.attachments import Kept, Kind, Note, keep
from store.engine import writing
from store.tables import Attachment, Conversation, Turn, WechatMedia, WorkOrder
from tests.fakes.orders import CHAT
from tests.web.conftest import Desk, audits
from web.rights import RIGHTS, Right

JPEG = b"\xff\xd8\xff\xe0 what a photo is \xff\xd9"
EVIL = '"><script>alert(1)</script>'


@dataclass
class Sender:
    """The citizen of the day's chat, who sends things."""

    desk: Desk
    number: str

    def file(self, kind: Kind, media_type: str, *, heard: str = "", text: str = "") -> Kept:
        """Sent by the web page: kept first, then written down."""
        office = self.desk.office
        heard = heard or f"sent-{kind}"
        kept = keep(office.engine, office.app.state.site.door.files, CHAT, heard, kind, media_type,
                    JPEG, office.now(), note=Note(text))  # fmt: skip
        item = kept.sent()
        self.turn(heard, {"kind": item.kind, "url": item.url, "text": item.text}, text)
        return kept

    def turn(self, heard: str, item: dict[str, str], text: str = "") -> None:
        with writing(self.desk.office.engine) as session:
            session.add(
                Turn(conversation_id=CHAT, speaker="citizen", kind="text" if text else "event",
                     heard=heard, text=text, at=self.desk.office.now(), attachments=[item],
                     audio_start_ms=None, audio_end_ms=None)
            )  # fmt: skip

    def waits(self, heard: str, state: str) -> None:
        with writing(self.desk.office.engine) as session:
            now = self.desk.office.now()
            session.add(WechatMedia(id=heard, conversation_id=CHAT, kind="photo", media_id="m",
                                    state=state, next_at=now, at=now))  # fmt: skip

    def change(self, **columns: object) -> None:
        """The order of the chat is otherwise."""
        with writing(self.desk.office.engine) as session:
            order = session.scalars(select(WorkOrder).where(WorkOrder.number == self.number)).one()
            for name, value in columns.items():
                setattr(order, name, value)

    def page(self, part: str = "") -> str:
        answer = self.desk.get(f"/orders/{self.number}{part}")
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def sender(desk: Desk, day: tuple[str, str]) -> Sender:
    return Sender(desk, day[1])


def shown(html: str, heard: str, html_from: str = "<li") -> str:
    """The turn in which ``heard`` stands."""
    return next(part for part in html.split(html_from) if heard in part)


def test_each_stands_at_its_turn(sender: Sender) -> None:
    photo = sender.file("photo", "image/jpeg")
    voice = sender.file("voice", "audio/wav", text="楼下太吵了")
    video = sender.file("video", "video/mp4")
    sender.turn("sent-place", {"kind": "place", "url": "geo:39.904200,116.407400",
                               "text": "建业小区"}, "建业小区")  # fmt: skip
    for html in (sender.page(), sender.page("/transcript")):
        picture = shown(html, f'src="/attachments/{photo.id}"')
        assert 'alt="市民发来的照片"' in picture
        assert f'href="/attachments/{photo.id}" target="_blank"' in picture
        assert "say__text" not in picture  # no empty bubble beside it
        note = shown(html, f'src="/attachments/{voice.id}"')
        assert '<audio controls preload="none"' in note
        assert "楼下太吵了" in note
        film = shown(html, f'src="/attachments/{video.id}"')
        assert '<video class="sent__video" controls preload="none"' in film
        assert "（39.904200，116.407400）" in shown(html, "39.904200")
        assert shown(html, "39.904200").count("建业小区") == 1
    head = shown(sender.page(), 'id="sent"', "<p")
    assert "附件 4" in head
    assert "照片1张、语音1段、视频1段、位置1处" in head
    links = re.findall(r'<a href="#turn-\d+">(\w+)</a>', head)
    assert links == ["照片1", "语音1", "视频1", "位置1"]


def test_where_nothing_was_sent_nothing_is_said(sender: Sender) -> None:
    assert "附件" not in sender.page()
    assert "附件" not in sender.page("/print")


def test_the_printed_sheet_names_them(sender: Sender) -> None:
    for place in range(2):
        sender.file("photo", "image/jpeg", heard=f"sent-{place}")
    sheet = sender.page("/print")
    assert "市民发来照片2张" in sheet
    assert "/attachments/" not in sheet


def test_a_label_is_words_never_markup(sender: Sender) -> None:
    sender.turn("sent-place", {"kind": "place", "url": "", "text": EVIL}, "我在这里")
    html = sender.page()
    assert EVIL not in html
    assert "位置：&#34;&gt;&lt;script&gt;" in html


def test_a_picture_that_is_still_to_come_and_one_that_never_will(sender: Sender) -> None:
    for heard, state in (("wx:1", "waiting"), ("wx:2", "failed")):
        sender.turn(heard, {"kind": "image", "url": "", "text": ""})
        sender.waits(heard, state)
    html = sender.page("/transcript")
    assert html.count("照片（正在取，来了就显示）") == 1
    assert html.count("照片（没有取到，或者已经删除）") == 1
    office = sender.desk.office
    kept = keep(office.engine, office.app.state.site.door.files, CHAT, "wx:1", "photo",
                "image/jpeg", JPEG, office.now())  # fmt: skip
    html = sender.page("/transcript")
    assert f'src="/attachments/{kept.id}"' in html
    assert "正在取" not in html


def test_a_deleted_one_is_said_to_be_gone(sender: Sender) -> None:
    kept = sender.file("photo", "image/jpeg")
    with writing(sender.desk.office.engine) as session:
        session.get_one(Attachment, kept.id).deleted_at = sender.desk.office.now()
    html = sender.page()
    assert kept.id not in html
    assert "照片（没有取到，或者已经删除）" in html
    assert sender.desk.get(f"/attachments/{kept.id}").status_code == 404


def test_who_lacks_the_right_reads_that(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = sender.file("photo", "image/jpeg")
    less = RIGHTS["agent"] - {Right.HEAR_RECORDINGS}
    monkeypatch.setattr("web.rights.RIGHTS", {"agent": less})
    html = sender.page()
    assert "照片（没有权限查看）" in html
    assert kept.id not in html
    assert sender.desk.get(f"/attachments/{kept.id}").status_code == 403


def test_staff_get_the_file_in_parts_and_it_is_written_down(sender: Sender) -> None:
    kept = sender.file("video", "video/mp4")
    path = f"/attachments/{kept.id}"
    whole = sender.desk.get(path)
    assert (whole.status_code, whole.content) == (200, JPEG)
    assert whole.headers["cache-control"] == "private, no-store"
    part = sender.desk.get(path, headers={"range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, JPEG[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(JPEG)}"
    beyond = sender.desk.get(path, headers={"range": "bytes=9999-"})
    assert beyond.status_code == 416
    assert audits(sender.desk.office.engine, "attachment_seen") == [("li", kept.id)]


def test_of_a_secret_order_nothing_is_shown(sender: Sender) -> None:
    kept = sender.file("photo", "image/jpeg")
    sender.turn("sent-place", {"kind": "place", "url": "geo:39.904200,116.407400",
                               "text": "我家"}, "我家")  # fmt: skip
    with writing(sender.desk.office.engine) as session:
        session.get_one(Conversation, CHAT).state = "ended"  # nobody is offered it any more
    sender.change(secret=True, agent="wang")
    for part in ("", "/transcript", "/print"):
        html = sender.page(part)
        assert "附件" not in html
        for told in (kept.id, "39.904200", "市民发来"):
            assert told not in html
    assert sender.desk.get(f"/attachments/{kept.id}").status_code == 403
    engine = sender.desk.office.engine
    assert ("li", kept.id) in audits(engine, "order_refused")
    assert audits(engine, "attachment_seen") == []
    sender.change(agent="li")
    assert f'src="/attachments/{kept.id}"' in sender.page()
    assert sender.desk.get(f"/attachments/{kept.id}").status_code == 200


def test_a_talk_with_a_secret_order_is_told_by_none_of_its_orders(sender: Sender) -> None:
    """Two matters of one talk: what was said and sent would name who reported the secret one."""
    kept = sender.file("photo", "image/jpeg")
    with writing(sender.desk.office.engine) as session:
        session.get_one(Conversation, CHAT).state = "ended"
        other = session.scalars(select(WorkOrder).where(WorkOrder.number != sender.number)).first()
        assert other is not None
        other.conversation_id, other.secret, other.agent = CHAT, True, "wang"
    html = sender.page()
    assert kept.id not in html
    assert "市民要求保密，对话不显示" in html
    assert "交房租" not in html
    assert sender.desk.get(f"/attachments/{kept.id}").status_code == 403
