from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

from knowledge import publish
from qianmen.rendering import Rendering
from store.engine import writing
from tests.knowledge.desk import PLACE, act, approved, live, small_city
from tts.frames import Request
from tts.speaker import Speaker


class Sounding:
    """Writes down what it is asked to speak."""

    def __init__(self) -> None:
        self.spoken: list[str] = []

    async def speak(self, request: Request) -> bytes:
        self.spoken.append(request.text)
        return b"\0\0" * 80

    async def close(self) -> None:
        pass


async def test_what_is_published_is_rendered_before_anybody_hears_it(
    engine: Engine, tmp_path: Path
) -> None:
    small_city(engine)
    sound = Sounding()
    async with Speaker(tmp_path, synthesiser=sound) as speaker:
        rendering = Rendering(engine, speaker)
        assert await rendering.look() == 0  # what was there is rendered when it is said
        approved(engine, "带身份证。最高1200元。")
        publish.publish(engine, act("chief"), PLACE, live=live())
        assert await rendering.look() == 2
        assert sound.spoken == ["带身份证。", "最高一千二百元。"]
        assert speaker.cached("最高1200元。") is not None
        assert await rendering.look() == 0


async def test_a_database_that_is_away_is_waited_for(engine: Engine, tmp_path: Path) -> None:
    async with Speaker(tmp_path, synthesiser=Sounding()) as speaker:
        rendering = Rendering(engine, speaker)
        with writing(engine) as session:
            session.execute(text("ALTER TABLE knowledge_revision RENAME TO gone"))
        assert await rendering.look() == 0
