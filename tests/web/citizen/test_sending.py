"""What a citizen sends beside words: a voice note, a photo, a place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Response, WebSocketRoute, expect

from tests.fakes.axe import violations
from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import SMALL_TARGETS, Line, bubbles, greeted

SECONDS = re.compile(r"0:(?!00)\d\d")
# How often a sound began to play; a note of a second is over before a slow machine has looked.
COUNT_PLAYED = """() => {
  const { play } = HTMLMediaElement.prototype;
  let count = 0;
  HTMLMediaElement.prototype.play = function () {
    this.addEventListener("playing", () => {
      count += 1;
      document.documentElement.dataset.played = count;
    });
    return play.call(this);
  };
}"""
# What goes up, as bytes: Chromium tells its debugger nothing of a Blob's content.
KEEP_WHAT_GOES_UP = """() => {
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (blob) {
    window.sent = blob;
    send.call(this, blob);
  };
}"""
SENT = """async () => {
  const bytes = new Uint8Array(await sent.arrayBuffer());
  const picture = sent.type === "image/jpeg" ? await createImageBitmap(sent) : {};
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return { type: sent.type, size: bytes.length, exif: text.includes("Exif"),
           width: picture.width, height: picture.height };
}"""


def uploads(page: Page) -> list[str]:
    """What the server acknowledges of what goes up: the query of each call."""
    taken: list[str] = []

    def answered(response: Response) -> None:
        if "/chat/attachment?" in response.url and response.status == 200:
            taken.append(response.url.partition("?")[2])

    page.on("response", answered)
    return taken


def camera_picture(folder: Path) -> Path:
    """As a telephone's camera writes it: large, lying on its side, and saying where it was."""
    picture = Image.new("RGB", (3000, 2000), "#3a6")
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn it a quarter to the right
    exif[0x010F] = "SomeCamera"
    exif.get_ifd(0x8825)[2] = (43.0, 39.0, 12.0)  # GPS latitude
    picture.save(folder / "photo.jpg", exif=exif)
    return folder / "photo.jpg"


def record(page: Page) -> None:
    """A second of what the fake microphone hears."""
    page.click("#voice-record")
    expect(page.locator("#voice-time")).to_have_text(SECONDS)
    page.click("#voice-record")
    expect(page.locator("#voice-send")).to_be_focused()


def test_a_voice_note_may_be_heard_and_dropped_before_it_is_sent(phones: Phones) -> None:
    page = phones.open()
    taken = uploads(page)
    page.evaluate(KEEP_WHAT_GOES_UP)
    greeted(page)
    page.click("#voice-open")
    record(page)
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    page.evaluate(COUNT_PLAYED)
    page.click("#voice-play")
    expect(page.locator("html")).to_have_attribute("data-played", "1")
    page.click("#voice-drop")
    expect(page.locator("#voice-time")).to_have_text("0:00")
    assert taken == []
    record(page)
    page.click("#voice-send")
    expect(page.locator(".attached__words")).to_have_text("识别为：公积金怎么取")
    (call,) = taken
    assert "kind=voice" in call
    assert "line=12345" in call
    sent = page.evaluate(SENT)
    assert sent["type"] == "audio/webm"
    assert sent["size"] > 500
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    page.reload()  # now it comes from the server
    expect(page.locator(".attached__words")).to_have_text("识别为：公积金怎么取")
    page.evaluate(COUNT_PLAYED)
    page.locator(".attached__play").click()
    expect(page.locator("html")).to_have_attribute("data-played", "1")


def test_the_button_may_be_held_while_speaking(phones: Phones) -> None:
    page = phones.open()
    greeted(page)
    page.click("#voice-open")
    page.locator("#voice-record").hover()
    page.mouse.down()
    expect(page.locator("#voice-time")).to_have_text(SECONDS)
    assert violations(page) == []
    page.mouse.up()
    expect(page.locator("#voice-status")).to_contain_text("录好了")
    page.keyboard.press("Escape")
    page.click("#voice-open")
    expect(page.locator("#voice-send")).to_be_hidden()  # what was not sent is gone


def test_a_note_ends_after_a_minute(phones: Phones) -> None:
    page = phones.open()
    greeted(page)
    page.click("#voice-open")
    page.click("#voice-record")
    expect(page.locator("#voice-status")).to_have_text("正在录音，请说。")
    for seconds, says in ((55, "快到60秒了"), (61, "录好了，60秒")):
        page.evaluate("""(seconds) => {
          window.begun ??= performance.now();
          performance.now = () => window.begun + seconds * 1000;
        }""", seconds)  # fmt: skip
        expect(page.locator("#voice-status")).to_contain_text(says)


def test_who_lets_nobody_hear_is_told_what_else_to_do(phones: Phones) -> None:
    page = phones.open()
    page.evaluate("""() => {
      navigator.mediaDevices.getUserMedia =
        async () => { throw new DOMException("", "NotAllowedError"); };
    }""")
    page.click("#voice-open")
    page.keyboard.press("Enter")
    expect(page.locator("#voice-status")).to_contain_text("直接打字")


def test_a_photo_is_made_small_and_tells_nothing_of_the_camera(
    phones: Phones, tmp_path: Path
) -> None:
    page = phones.open()
    taken = uploads(page)
    page.evaluate(KEEP_WHAT_GOES_UP)
    greeted(page)
    page.set_input_files("#photo-file", camera_picture(tmp_path))
    expect(page.locator("#photo-send")).to_be_focused()
    assert violations(page) == []
    assert page.evaluate(SMALL_TARGETS) == []
    page.click("#photo-send")
    expect(page.locator(".attached__photo")).to_be_visible()
    expect(page.locator(".turn_mine[data-state='']")).to_have_count(1)
    (call,) = taken
    assert "kind=photo" in call
    sent = page.evaluate(SENT)
    assert (sent["width"], sent["height"]) == (960, 1440)  # upright
    assert not sent["exif"]
    assert sent["size"] < 100_000
    expect(bubbles(page, "工作人员")).to_have_count(1)
    page.reload()  # now it comes from the server
    expect(page.locator(".attached__photo")).to_be_visible()
    assert violations(page) == []


def test_what_is_no_picture_is_said_to_be_none(phones: Phones, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"no picture at all")
    page = phones.open()
    page.set_input_files("#photo-file", tmp_path / "photo.jpg")
    expect(page.locator("#photo-status")).to_contain_text("请换一张")
    expect(page.locator("#photo-send")).to_be_disabled()
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x24ftypheic" + bytes(400))
    page.set_input_files("#photo-file", tmp_path / "photo.heic")
    expect(page.locator("#photo-status")).to_contain_text("截个图再发")


def test_a_photo_taken_offline_is_kept_over_a_reload_and_sent_once(
    phones: Phones, tmp_path: Path
) -> None:
    page = phones.open(visit=False)
    taken = uploads(page)
    line = Line(page)
    page.goto(phones.place.url())
    greeted(page)
    line.cut()
    page.set_input_files("#photo-file", camera_picture(tmp_path))
    page.click("#photo-send")
    waiting = page.locator(".turn__state", has_text="还没发出去")
    expect(waiting).to_have_count(1)
    page.reload()
    expect(waiting).to_have_count(1)
    expect(page.locator(".attached__photo")).to_be_visible()
    line.mend()
    expect(page.locator(".turn_mine[data-state='']")).to_have_count(1)
    assert len(taken) == 1
    page.reload()
    expect(page.locator(".attached__photo")).to_be_visible()
    expect(page.locator(".turn_mine")).to_have_count(1)
    assert len(taken) == 1


def sent_frames(page: Page) -> list[dict[str, Any]]:
    """The frames that the page sends, as they go."""
    frames: list[dict[str, Any]] = []

    def between(socket: WebSocketRoute) -> None:
        upstream = socket.connect_to_server()

        def forward(message: str | bytes) -> None:
            frames.append(json.loads(message))
            upstream.send(message)

        socket.on_message(forward)

    page.route_web_socket("**/chat/ws*", between)
    return frames


def places(frames: list[dict[str, Any]]) -> list[tuple[float | None, float | None, str]]:
    return [(f["lat"], f["lon"], f["label"]) for f in frames if f["type"] == "place"]


def test_a_place_is_told_with_the_citizens_consent(phones: Phones) -> None:
    where = {"latitude": 43.652, "longitude": 122.243, "accuracy": 20.0}
    page = phones.open(visit=False, geolocation=where, permissions=["geolocation"])
    frames = sent_frames(page)
    page.goto(phones.place.url())
    greeted(page)
    page.click("#place-open")
    expect(page.locator("#place")).to_contain_text("会问您是否允许")
    page.click("#place-here")
    expect(page.locator("#place-status")).to_contain_text("已经取到位置")
    assert violations(page) == []
    page.fill("#place-label", "建业小区9号楼")
    page.keyboard.press("Enter")
    expect(page.locator(".attached__place")).to_have_text("位置：建业小区9号楼")
    assert places(frames) == [(43.652, 122.243, "建业小区9号楼")]


def test_without_consent_an_address_will_do(phones: Phones) -> None:
    page = phones.open(visit=False)
    frames = sent_frames(page)
    page.goto(phones.place.url())
    greeted(page)
    page.click("#place-open")
    page.keyboard.press("Tab")
    page.locator("#place-form button[type=submit]").click()
    expect(page.locator("#place-wrong")).to_be_visible()
    page.evaluate("""() => {
      navigator.geolocation.getCurrentPosition = (taken, refused) => refused({ code: 1 });
    }""")
    page.click("#place-here")
    expect(page.locator("#place-status")).to_contain_text("请写下地址")
    expect(page.locator("#place-label")).to_be_focused()
    page.keyboard.type("解放路和胜利街路口")
    page.keyboard.press("Enter")
    expect(page.locator(".attached__place")).to_have_text("位置：解放路和胜利街路口")
    assert places(frames) == [(None, None, "解放路和胜利街路口")]
