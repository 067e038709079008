"""What may be said is rendered before a caller waits for it.

Each phone process keeps its own cache full. It looks for a new knowledge revision every second and
renders the answers that are new since then at once, one sentence at a time, so that a call waits
for one sentence at most; what was published before it began follows a few sentences a second. What
fails is tried again. Once a day everything is touched, so that the keeper, which deletes what was
not used for long, keeps it.

The texts are read from the store: the room that searches them would cost this process 100 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from store.engine import reading
from store.faults import fault_of
from store.tables import Answer, KnowledgeRevision
from tts.sentences import sentences
from tts.speaker import Speaker

EVERY_S = 1.0
OLD_AT_ONCE = 4
"""Sentences of what was there before, rendered in each look: 5 % of a core."""
TOUCHED_EVERY_S = 24 * 3600.0
_log = structlog.get_logger(__name__)


class Rendering:
    """Follows the knowledge revision; ``run`` until it is cancelled.

    ``standing``: sentences that are kept as well. ``clock`` counts seconds.
    """

    def __init__(
        self,
        engine: Engine,
        speaker: Speaker,
        standing: Iterable[str] = (),
        every_s: float = EVERY_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._engine = engine
        self._speaker = speaker
        self._standing = tuple(standing)
        self._every_s = every_s
        self._clock = clock
        self._revision = -1
        self._wanted: dict[str, None] = {}
        self._todo: dict[str, None] = {}
        self._touched_at = clock()

    @property
    def waiting(self) -> int:
        """How many sentences are still to be rendered."""
        return len(self._todo)

    async def run(self) -> None:
        """Look and render, for ever. A database that is away is looked for again."""
        while True:
            await self.look()
            await asyncio.sleep(self._every_s)

    async def look(self) -> int:
        """Render what is new since the last look and some of the old; how many sentences."""
        try:
            found = await asyncio.to_thread(self._read)
        except SQLAlchemyError as error:
            _log.debug("rendering_waits", code=fault_of(error))
            return 0
        done = 0
        if found is not None:
            done = await self._follow(*found)
        if self._clock() - self._touched_at >= TOUCHED_EVERY_S:
            self._touched_at = self._clock()
            self._todo = dict(self._wanted)
        return done + await self._render(list(self._todo)[:OLD_AT_ONCE])

    async def _follow(self, revision: int, speeches: tuple[str, ...]) -> int:
        """Take note of a new revision, and render at once what came with it."""
        first = self._revision < 0
        self._revision = revision
        before = self._wanted
        parts = (part for speech in speeches for part in sentences(speech))
        self._wanted = dict.fromkeys((*self._standing, *parts))
        new = dict.fromkeys(part for part in self._wanted if part not in before)
        self._todo = {part: None for part in (*new, *self._todo) if part in self._wanted}
        return 0 if first else await self._render(list(new))

    async def _render(self, parts: list[str]) -> int:
        """Render ``parts``; those that fail go to the end of what is still to be done."""
        done = 0
        for part in parts:
            self._todo.pop(part, None)
            if await self._speaker.kept(part):
                continue
            if await self._speaker.warm([part]):
                self._todo[part] = None
            else:
                done += 1
        if done:
            _log.info("answers_rendered", sentences=done, waiting=self.waiting)
        return done

    def _read(self) -> tuple[int, tuple[str, ...]] | None:
        """The revision and everything that is said or will be; None where nothing is new."""
        with reading(self._engine) as session:
            number = session.scalar(select(KnowledgeRevision.revision)) or 0
            if number == self._revision:
                return None
            rows = session.execute(
                select(Answer.speech, Answer.text)
                .where(Answer.state == "published")
                .order_by(Answer.id)
            )
            return number, tuple(speech.strip() or text for speech, text in rows)


def begin(rendering: Rendering) -> Callable[[], bool]:
    """Run it beside everything else; what is returned ends it."""
    task = asyncio.create_task(rendering.run(), name="rendering")
    return lambda: bool(task.cancel())
