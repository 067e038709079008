"""What citizens send is fetched, kept with its turn, and heard, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, select

from bot.bus import Bus
from bot.conversation import Conversations, Parts
from chat.attachments import kept_of
from chat.files import Files
from chat.voice import SAMPLE_RATE, VoiceError, duration_ms
from chat.wechat import voice
from chat.wechat.fetching import LEASE, Fetcher, claim
from config.city import City
from store.engine import reading, writing
from store.tables import Turn, WechatMedia
from tests.chat.voicenotes import note
from tests.chat.wechat.rig import Rig
from tests.fakes.dialogue import FakeDialogue
from tests.fakes.office import NOBODY
from tests.fakes.vosk_server import StockVoskServer
from tts.wav import wav_of

SPEEX = (Path(__file__).parent / "note.speex").read_bytes()
"""「住房公积金怎么提取」 by espeak-ng, encoded by Xiph's speexenc 1.2.1 (wideband, quality 4); its
138 frames were taken out of the Ogg file and each put behind a byte with its length."""
TALK = "wechat-1"
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What PostgreSQL could do otherwise is tried in the other tests."""


class World:
    """A core with a conversation, a platform that holds files, and our process that fetches."""

    def __init__(self, engine: Engine, city: City, folder: Path) -> None:
        self.engine = engine
        self.rig = Rig()
        self.files = Files(folder)
        self.prompts = city.prompts
        self.bus = Bus(NOBODY)
        self.dialogue = FakeDialogue()
        self.woken: list[str] = []
        self.core = Conversations(
            Parts(
                engine=engine, city=city, dialogue=self.dialogue, bus=self.bus,
                urgent=lambda _: None, matter_facts=lambda _: ("", ""),
                extract=lambda _said, _at: (), now=self.rig.clock.now,
            )
        )  # fmt: skip

    async def begin(self) -> None:
        await self.core.open(
            TALK, channel="wechat", line="12345", citizen="wechat:gh_1:x", at=self.rig.clock.now()
        )

    def sent(self, kind: str, data: bytes, suffix: str, heard: str = "wx:1") -> None:
        """The citizen sent a file; the door has written it down."""
        known = self.rig.platform.media.keep(data, suffix, self.rig.clock.seconds())
        with writing(self.engine) as session:
            session.add(
                WechatMedia(id=heard, conversation_id=TALK, kind=kind, media_id=known,
                            next_at=self.rig.clock.now(), at=self.rig.clock.now())
            )  # fmt: skip

    def fetcher(self, asr: str = "ws://127.0.0.1:1") -> Fetcher:
        return Fetcher(
            self.engine, self.files, self.rig.api(), self.core, asr, self.rig.clock.now,
            self.woken.append,
        )  # fmt: skip

    async def fetch(self, asr: str = "ws://127.0.0.1:1") -> int:
        found = await self.fetcher(asr).look()
        await self.core.settled()
        return found

    def row(self) -> WechatMedia:
        with reading(self.engine) as session:
            return session.scalars(select(WechatMedia)).one()

    def said(self, speaker: str) -> list[str]:
        """What was said, in order, without the greeting."""
        with reading(self.engine) as session:
            query = select(Turn).where(Turn.speaker == speaker).order_by(Turn.seq)
            return [row.text for row in session.scalars(query)][speaker == "bot" :]


@pytest.fixture
async def world(engine: Engine, city: City, tmp_path: Path) -> AsyncIterator[World]:
    world = World(engine, city, tmp_path)
    await world.begin()
    yield world
    await world.core.settled()
    await world.bus.stop()


def photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(made, "JPEG")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "suffix"), [(note("amr", "libopencore_amrnb", 8000), "amr"), (SPEEX, "speex")]
)
async def test_a_voice_note_is_heard_and_kept(world: World, data: bytes, suffix: str) -> None:
    world.sent("voice", data, suffix)
    async with StockVoskServer(["住房", "公积金", "怎么", "提取"]).serving() as url:
        assert await world.fetch(url) == 1
    assert world.said("citizen") == ["住房公积金怎么提取"]
    assert world.said("bot") == ["听到：住房公积金怎么提取"]
    kept = kept_of(world.engine, TALK, "wx:1")
    assert kept is not None
    assert (kept.kind, kept.media_type, kept.text) == ("voice", "audio/wav", "住房公积金怎么提取")
    assert (world.files.read(kept.path) or b"").startswith(b"RIFF")
    assert (world.row().state, world.row().media_id) == ("kept", "")
    assert world.woken == [TALK]  # whoever watches the talk looks again


@one_database
async def test_who_cannot_be_understood_is_asked_politely_to_type(world: World) -> None:
    world.sent("voice", b"#!SILK_V3" + bytes(300), "amr")
    await world.fetch()
    assert world.said("bot") == [world.prompts.voice_unclear]
    assert world.row().state == "failed"


@one_database
async def test_a_note_without_words_is_kept_all_the_same(world: World) -> None:
    world.sent("voice", note("amr", "libopencore_amrnb", 8000), "amr")
    async with StockVoskServer([]).serving() as url:
        await world.fetch(url)
    assert world.said("bot") == [world.prompts.voice_unclear]
    assert kept_of(world.engine, TALK, "wx:1") is not None


@one_database
async def test_a_recogniser_that_is_away_is_waited_for_a_while(world: World) -> None:
    world.sent("voice", SPEEX, "speex")
    await world.fetch()
    assert world.said("bot") == []
    world.rig.clock.go(6)
    async with StockVoskServer(["公积金"]).serving() as url:
        await world.fetch(url)
    assert world.said("bot") == ["听到：公积金"]


@one_database
async def test_and_then_no_longer(world: World) -> None:
    world.sent("voice", SPEEX, "speex")
    for _ in range(4):
        await world.fetch()
        world.rig.clock.go(200)
    assert world.said("bot") == [world.prompts.voice_unclear]
    assert kept_of(world.engine, TALK, "wx:1") is not None


@one_database
async def test_what_the_platform_recognised_is_only_kept(world: World) -> None:
    from turns.heard import Attachment, Heard

    await world.core.hear(
        Heard("wx:1", TALK, "wechat", "12345", "speech", "公积金", world.rig.clock.now(),
              attachments=(Attachment("voice"),))
    )  # fmt: skip
    world.sent("voice", SPEEX, "speex")
    await world.fetch()  # no recogniser is there, and none is needed
    assert world.said("citizen") == ["公积金"]
    assert world.row().state == "kept"


@one_database
async def test_photos_and_videos(world: World) -> None:
    world.sent("photo", photo(), "jpg", "wx:1")
    world.sent("video", bytes(4) + b"ftypmp42" + bytes(200), "mp4", "wx:2")
    world.sent("photo", b"GIF89a" + bytes(50), "gif", "wx:3")
    assert await world.fetch() == 3
    kinds = [kept and kept.kind for kept in
             (kept_of(world.engine, TALK, f"wx:{n}") for n in (1, 2, 3))]  # fmt: skip
    assert kinds == ["photo", "video", None]
    assert world.said("citizen") == []


@one_database
async def test_the_platform_is_away_and_comes_back(world: World) -> None:
    world.sent("photo", photo(), "jpg")
    world.rig.unreachable = 1000
    await world.fetch()
    assert world.row().state == "waiting"
    assert await world.fetch() == 0, "nobody tries before it is time"
    world.rig.unreachable = 0
    world.rig.clock.go(6)
    await world.fetch()
    assert world.row().state == "kept"


@one_database
async def test_what_the_platform_has_no_longer_is_given_up(world: World) -> None:
    world.sent("voice", SPEEX, "speex")
    world.rig.platform.media.files.clear()
    await world.fetch()
    assert world.row().state == "failed"
    assert world.said("bot") == [world.prompts.voice_unclear]


async def test_who_dies_in_the_middle_is_followed_by_another(world: World) -> None:
    world.sent("photo", photo(), "jpg")
    assert len(claim(world.engine, world.rig.clock.now(), 4)) == 1  # and dies
    assert await world.fetch() == 0
    world.rig.clock.go(LEASE.total_seconds() + 1)
    await world.fetch()
    assert world.row().state == "kept"


async def test_many_processes_fetch_it_once(world: World) -> None:
    world.sent("photo", photo(), "jpg")
    found = await asyncio.gather(*(world.fetcher().look() for _ in range(4)))
    assert sum(found) == 1
    assert world.rig.paths().count("/cgi-bin/media/get") == 1


def test_wechats_speex_is_sound() -> None:
    pcm = voice.decode(SPEEX)
    assert duration_ms(pcm) == pytest.approx(138 * 20, abs=25)
    loud = memoryview(pcm).cast("h")
    assert max(loud) > 5000
    assert voice.media_type_of(SPEEX) == voice.SPEEX


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "kind_unknown"), (SPEEX[:-1], "kind_unknown"), (b"\x03abc", "kind_unknown"),
     (SPEEX[: 33 * 5], "sound_empty"), (SPEEX * 30, "sound_too_long"),
     ((b"\x6e" + bytes(110)) * 3000, "sound_too_long")],
)  # fmt: skip
def test_what_is_no_speex_has_a_code(data: bytes, code: str) -> None:
    with pytest.raises(VoiceError) as wrong:
        voice.decode(data)
    assert wrong.value.code == code


def test_sound_becomes_a_file_that_browsers_play() -> None:
    made = wav_of(bytes(SAMPLE_RATE))
    assert (made[:4], made[8:12], len(made)) == (b"RIFF", b"WAVE", SAMPLE_RATE + 44)


@one_database
async def test_it_goes_on_by_itself(world: World) -> None:
    world.sent("photo", photo(), "jpg")
    fetcher = world.fetcher()
    fetcher.start()
    fetcher.wake()
    async with asyncio.timeout(60):
        while world.row().state == "waiting":  # noqa: ASYNC110  # a row gives no event
            await asyncio.sleep(0.02)
    await fetcher.stop()
    assert world.row().at <= world.rig.clock.now() + timedelta(seconds=1)
