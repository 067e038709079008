"""What a citizen sends beside words, at the desk: with its turn, or as soon as it was fetched."""

from __future__ import annotations

from typing import Any

from chat.attachments import keep
from store.engine import writing
from store.tables import Turn, WechatMedia
from tests.fakes.office import Office
from tests.web.agents.conftest import Desks, Frame, Page, hand_over

JPEG = b"\xff\xd8\xff\xe0 what a photo is \xff\xd9"


def sends(office: Office, heard: str, kind: str, **item: Any) -> None:
    """A citizen's turn with something beside it, and no word."""
    with writing(office.engine) as session:
        session.add(
            Turn(conversation_id="web-1", speaker="citizen", kind="event", heard=heard,
                 at=office.now(), attachments=[{"kind": kind, "url": "", "text": "", **item}],
                 audio_start_ms=None, audio_end_ms=None)
        )  # fmt: skip


def kept(office: Office, heard: str) -> str:
    """The photo of that turn is there now; its id."""
    files = office.app.state.site.door.files
    return keep(office.engine, files, "web-1", heard, "photo", "image/jpeg", JPEG, office.now()).id


def told(office: Office) -> None:
    """Whoever looks at the board looks again, as it does every second."""
    office.loop.call_soon_threadsafe(office.app.state.site.floor.tell)


def fetching(office: Office, heard: str, state: str) -> None:
    with writing(office.engine) as session:
        row = session.get(WechatMedia, heard)
        if row is None:
            now = office.now()
            row = WechatMedia(id=heard, conversation_id="web-1", kind="photo", media_id="m",
                              next_at=now, at=now)  # fmt: skip
            session.add(row)
        row.state = state


def taken(page: Page, office: Office) -> str:
    """A chat that the agent has; its handoff."""
    page.online()
    handoff = hand_over(office, "web-1")
    assert page.ask(type="accept", offer=page.offered()["offer"])["type"] == "done"
    page.card(handoff)
    return handoff


def sent_with(page: Page, heard: str, state: str) -> Frame:
    """What came with that turn, once it stands so."""

    def fits(frame: Frame) -> object:
        return any(one["state"] == state for one in of(frame))

    def of(frame: Frame) -> list[Frame]:
        return [
            one for turn in frame["turns"] if turn["id"] == heard for one in turn["attachments"]
        ]

    (found,) = of(page.until("turns", fits))
    return found


def test_what_was_sent_before_and_what_comes_while_talking(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        handoff = taken(page, office)
        photo = kept(office, "photo-1")
        sends(office, "photo-1", "image", url=f"/attachments/{photo}")
        page.send(type="watch", handoff=handoff, cursor=0)
        assert sent_with(page, "photo-1", "here") == {
            "id": photo, "kind": "photo", "media_type": "image/jpeg", "text": "", "lat": None,
            "lon": None, "state": "here",
        }  # fmt: skip
        sends(office, "place-1", "place", url="geo:39.904200,116.407400", text="建业小区")
        told(office)
        place = sent_with(page, "place-1", "here")
        assert (place["kind"], place["text"]) == ("place", "建业小区")
        assert (place["lat"], place["lon"]) == (39.9042, 116.4074)
        got = page.client.get(f"/attachments/{photo}")
        assert (got.status_code, got.content) == (200, JPEG)


def test_a_picture_that_is_fetched_later_is_shown_when_it_comes(
    desks: Desks, office: Office
) -> None:
    page = desks.page("li")
    with page.open():
        handoff = taken(page, office)
        for heard in ("wx:1", "wx:2"):
            fetching(office, heard, "waiting")
            sends(office, heard, "image")
        page.send(type="watch", handoff=handoff, cursor=0)
        frame = page.until("turns")
        states = {turn["id"]: [one["state"] for one in turn["attachments"]]
                  for turn in frame["turns"]}  # fmt: skip
        assert (states["wx:1"], states["wx:2"]) == (["coming"], ["coming"])
        photo = kept(office, "wx:1")
        fetching(office, "wx:1", "kept")
        told(office)
        again = page.until("turns")
        assert [turn["id"] for turn in again["turns"]] == ["wx:1"]  # the others are not told twice
        assert again["turns"][0]["attachments"][0]["id"] == photo
        assert again["cursor"] == frame["cursor"]
        fetching(office, "wx:2", "failed")
        told(office)
        assert sent_with(page, "wx:2", "gone")["id"] == ""


def test_a_page_that_comes_back_gets_what_came_meanwhile(desks: Desks, office: Office) -> None:
    page = desks.page("li")
    with page.open():
        handoff = taken(page, office)
        fetching(office, "wx:1", "waiting")
        sends(office, "wx:1", "image")
        page.send(type="watch", handoff=handoff, cursor=0)
        cursor = page.until("turns")["cursor"]
        page.send(type="watch", handoff="", cursor=0)
        page.online()  # it is not followed any more once this is done
        photo = kept(office, "wx:1")
        fetching(office, "wx:1", "kept")
        page.send(type="watch", handoff=handoff, cursor=cursor)
        assert sent_with(page, "wx:1", "here")["id"] == photo
