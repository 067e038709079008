"""What editors publish is rendered before the first caller hears it.

The phone process looks for a new knowledge revision every second and renders the spoken form of
the answers that are new since then, one sentence at a time, so that a call waits for one sentence
at most. What was there when it began is rendered when it is first said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from knowledge.published import revision
from store.engine import reading
from store.faults import fault_of
from store.tables import Answer
from tts.sentences import sentences
from tts.speaker import Speaker

EVERY_S = 1.0
_log = structlog.get_logger(__name__)


class Rendering:
    """Follows the knowledge revision; ``run`` until it is cancelled."""

    def __init__(self, engine: Engine, speaker: Speaker, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._speaker = speaker
        self._every_s = every_s
        self._revision = -1
        self._known: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look and render, for ever. A database that is away is looked for again."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> int:
        """Render what is new since the last look; how many sentences (none at the first)."""
        try:
            found = await asyncio.to_thread(self._read)
        except SQLAlchemyError as error:
            _log.debug("rendering_waits", code=fault_of(error))
            return 0
        if found is None:
            return 0
        number, speeches = found
        new = speeches - self._known if self._revision >= 0 else frozenset()
        self._revision, self._known = number, speeches
        return await self._render(new)

    async def _render(self, speeches: Iterable[str]) -> int:
        parts = [part for speech in sorted(speeches) for part in sentences(speech)]
        failed = await self._speaker.warm(parts)
        if parts:
            _log.info("answers_rendered", sentences=len(parts), failed=failed)
        return len(parts)

    def _read(self) -> tuple[int, frozenset[str]] | None:
        """The revision and everything that is said or will be; None where nothing is new."""
        with reading(self._engine) as session:
            number = revision(session)
            if number == self._revision:
                return None
            said = session.scalars(select(Answer.speech).where(Answer.state == "published"))
            return number, frozenset(said)


def begin(rendering: Rendering) -> Callable[[], bool]:
    """Run it beside everything else; what is returned ends it."""
    task = asyncio.create_task(rendering.run(), name="rendering")
    return lambda: bool(task.cancel())
