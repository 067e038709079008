"""The speaker with its real synthesiser process, and with processes that misbehave."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tts.cache import SoundCache, key
from tts.errors import TtsError
from tts.frames import Request
from tts.process import SynthesisProcess
from tts.speaker import Speaker, names_of


class CountingSynthesiser:
    """Speaks one sample a character, or fails."""

    def __init__(self, error: TtsError | None = None) -> None:
        self.spoken: list[str] = []
        self.error = error
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def speak(self, request: Request) -> bytes:
        self.spoken.append(request.text)
        self.asked.set()
        await self.go.wait()
        if self.error:
            raise self.error
        return b"\x01\x00" * len(request.text)

    async def close(self) -> None:
        pass


def break_files(folder: Path) -> None:
    for path in folder.rglob("*.pcm"):
        path.write_bytes(b"broken")


async def test_a_sentence_is_rendered_by_a_process_once(tmp_path: Path) -> None:
    async with Speaker(tmp_path) as speaker:
        first = await speaker.render("租房提取公积金要带什么材料？")
        assert len(first) > 16000
        assert await speaker.render("租房提取公积金要带什么材料？") == first
        assert speaker.cached("租房提取公积金要带什么材料？") == first
    assert Speaker(tmp_path).cached("租房提取公积金要带什么材料？") == first


async def test_numbers_are_made_speakable_before_the_key(tmp_path: Path) -> None:
    fake = CountingSynthesiser()
    async with Speaker(tmp_path, synthesiser=fake) as speaker:
        await speaker.render("共3个")
        await speaker.render("共三个")
    assert fake.spoken == ["共三个"]


async def test_a_broken_file_is_rendered_again(tmp_path: Path) -> None:
    fake = CountingSynthesiser()
    await Speaker(tmp_path, synthesiser=fake).render("您好")
    break_files(tmp_path)
    assert await Speaker(tmp_path, synthesiser=fake).render("您好") == b"\x01\x00" * 2
    assert len(fake.spoken) == 2


async def test_two_listeners_share_one_rendering_and_one_may_leave(tmp_path: Path) -> None:
    fake = CountingSynthesiser()
    fake.go.clear()
    async with Speaker(tmp_path, synthesiser=fake) as speaker:
        leaving = asyncio.create_task(speaker.render("您好"))
        staying = asyncio.create_task(speaker.render("您好"))
        await fake.asked.wait()
        leaving.cancel()
        fake.go.set()
        assert await staying == b"\x01\x00" * 2
        with pytest.raises(asyncio.CancelledError):
            await leaving
    assert len(fake.spoken) == 1


async def test_a_failing_synthesiser_leaves_what_is_cached(tmp_path: Path) -> None:
    await Speaker(tmp_path, synthesiser=CountingSynthesiser()).render("请稍候")
    broken = CountingSynthesiser(TtsError("tts_failed", "no voice"))
    async with Speaker(tmp_path, synthesiser=broken) as speaker:
        assert await speaker.render("请稍候")
        assert speaker.cached("请稍候")
        assert speaker.cached("没有说过的话") is None
        with pytest.raises(TtsError) as caught:
            await speaker.render("没有说过的话")
        assert caught.value.code == "tts_failed"
        assert await speaker.warm(["请稍候", "没有说过的话"]) == 1


async def test_killed_between_two_sentences_it_is_restarted() -> None:
    process = SynthesisProcess()
    try:
        before = await process.speak(Request("您好", "cmn", 165))
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        assert await process.speak(Request("您好", "cmn", 165)) == before
    finally:
        await process.close()
    assert process.pid is None


async def test_killed_in_the_middle_of_a_sentence_it_is_restarted() -> None:
    process = SynthesisProcess()
    try:
        await process.speak(Request("您好", "cmn", 165))
        first = process.pid
        assert first
        os.kill(first, signal.SIGSTOP)  # so that the request surely waits when the child dies
        speaking = asyncio.create_task(process.speak(Request("请讲", "cmn", 165)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        assert len(await speaking) > 2000
        assert process.pid != first
    finally:
        await process.close()


async def test_a_hanging_process_times_out_and_the_next_sentence_is_spoken() -> None:
    process = SynthesisProcess(timeout_s=10)
    try:
        await process.speak(Request("您好", "cmn", 165))
        assert process.pid
        os.kill(process.pid, signal.SIGSTOP)
        process._timeout_s = 0.2
        with pytest.raises(TtsError) as caught:
            await process.speak(Request("您好", "cmn", 165))
        assert caught.value.code == "tts_timeout"
        process._timeout_s = 10
        assert await process.speak(Request("您好", "cmn", 165))
    finally:
        await process.close()


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.stdin.buffer.read(1); sys.stdout.write('Traceback')",
        r"import sys; sys.stdin.buffer.read(1); sys.stdout.buffer.write(b'\xff\xff\xff\xff')",
        r"import sys; sys.stdin.buffer.read(1); sys.stdout.buffer.write(b'\0\0\0\2\0\1')",
    ],
)
async def test_a_program_that_is_no_synthesiser_is_one_error(program: str) -> None:
    process = SynthesisProcess((sys.executable, "-c", program))
    try:
        with pytest.raises(TtsError) as caught:
            await process.speak(Request("您好", "cmn", 165))
        assert caught.value.code == "tts_failed"
    finally:
        await process.close()


async def test_a_missing_program_is_one_error(tmp_path: Path) -> None:
    process = SynthesisProcess((str(tmp_path / "nothing"),))
    with pytest.raises(TtsError) as caught:
        await process.speak(Request("您好", "cmn", 165))
    assert caught.value.code == "tts_failed"


async def test_a_refused_voice_keeps_the_process() -> None:
    process = SynthesisProcess()
    try:
        with pytest.raises(TtsError) as caught:
            await process.speak(Request("您好", "cmn+nobody", 165))
        assert caught.value.code == "tts_voice"
        first = process.pid
        assert await process.speak(Request("您好", "cmn", 165))
        assert process.pid == first
    finally:
        await process.close()


def test_the_cache_of_another_version_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tts import cache

    old = cache.key("您好", "cmn", 165)
    SoundCache(tmp_path).put(old, b"\x01\x00")
    monkeypatch.setattr(cache, "VERSION", 99)
    assert SoundCache(tmp_path).get(cache.key("您好", "cmn", 165)) is None


async def test_a_city_s_reading_changes_the_sound_and_the_key(tmp_path: Path) -> None:
    readings = {"六安": "liu4 an1", "别处": "bie2 chu4"}
    text = "去六安怎么走"
    async with Speaker(tmp_path) as plain, Speaker(tmp_path, readings=readings) as speaker:
        usual = await plain.render(text)
        assert speaker.cached(text) is None
        assert await speaker.render(text) != usual
        assert await plain.render(text) == usual
    own = names_of(text, "cmn", 165, readings=readings)
    assert key(text, "cmn", 165, [("六安", "liu4 an1")]) in own  # to be found when it is erased
    assert own.isdisjoint(names_of(text, "cmn", 165))
