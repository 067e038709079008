"""What is published is rendered before anybody hears it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine, text

from knowledge import publish
from qianmen import rendering as module
from qianmen.rendering import TOUCHED_EVERY_S, Rendering
from store.engine import writing
from tests.knowledge.desk import PLACE, act, approved, live, small_city
from tts.errors import TtsError
from tts.frames import Request
from tts.speaker import Speaker


class Sounding:
    """Writes down what it is asked to speak."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.fails = False

    async def speak(self, request: Request) -> bytes:
        self.spoken.append(request.text)
        if self.fails:
            raise TtsError("tts_failed", "as told")
        return b"\0\0" * 80

    async def close(self) -> None:
        pass


def rendered(folder: Path) -> list[Path]:
    """The files of the cache."""
    return list(folder.rglob("*.pcm"))


async def finished(rendering: Rendering) -> None:
    """Look until nothing of the old is left."""
    await rendering.look()
    while rendering.waiting:
        await rendering.look()


async def test_what_is_published_is_rendered_before_anybody_hears_it(
    engine: Engine, tmp_path: Path
) -> None:
    small_city(engine)
    sound = Sounding()
    async with Speaker(tmp_path, synthesiser=sound) as speaker:
        rendering = Rendering(engine, speaker)
        await finished(rendering)
        sound.spoken.clear()
        approved(engine, "带身份证。最高1200元。")
        publish.publish(engine, act("chief"), PLACE, live=live())
        assert await rendering.look() == 2
        assert sound.spoken == ["带身份证。", "最高一千二百元。"]
        assert speaker.cached("最高1200元。") is not None
        assert await rendering.look() == 0


async def test_what_was_there_follows_a_few_at_a_time(engine: Engine, tmp_path: Path) -> None:
    small_city(engine)
    sound = Sounding()
    prompts = [f"提示{n}。" for n in "一二三四五六"]
    async with Speaker(tmp_path, synthesiser=sound) as speaker:
        rendering = Rendering(engine, speaker, prompts)
        assert await rendering.look() == module.OLD_AT_ONCE
        assert rendering.waiting
        await finished(rendering)
        assert set(prompts) < set(sound.spoken)
        count = len(sound.spoken)
        again = Rendering(engine, speaker, prompts)  # another start finds all of it on the disk
        await finished(again)
        assert len(sound.spoken) == count


async def test_what_fails_is_tried_again(engine: Engine, tmp_path: Path) -> None:
    sound = Sounding()
    sound.fails = True
    async with Speaker(tmp_path, synthesiser=sound) as speaker:
        rendering = Rendering(engine, speaker, ["您好。"])
        assert await rendering.look() == 0
        assert rendering.waiting == 1
        sound.fails = False
        assert await rendering.look() == 1
        assert rendering.waiting == 0


async def test_once_a_day_all_is_marked_as_used(engine: Engine, tmp_path: Path) -> None:
    now = 0.0
    async with Speaker(tmp_path, synthesiser=Sounding()) as speaker:
        rendering = Rendering(engine, speaker, ["您好。"], clock=lambda: now)
        await finished(rendering)
        (file,) = rendered(tmp_path)
        os.utime(file, (1, 1))
        await rendering.look()
        assert file.stat().st_mtime == 1
        now = TOUCHED_EVERY_S
        await rendering.look()
        assert file.stat().st_mtime > 1


async def test_a_database_that_is_away_is_waited_for(engine: Engine, tmp_path: Path) -> None:
    async with Speaker(tmp_path, synthesiser=Sounding()) as speaker:
        rendering = Rendering(engine, speaker)
        with writing(engine) as session:
            session.execute(text("ALTER TABLE knowledge_revision RENAME TO gone"))
        assert await rendering.look() == 0


def test_rendering_loads_no_search() -> None:
    code = "import sys, qianmen.rendering; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
