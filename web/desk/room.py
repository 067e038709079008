"""What the desk's requests share: the city's place, the published search, sound, one gate run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from config.city import City
from config.settings import Settings
from knowledge.editing import EditError, Place, place_of
from knowledge.published import Published
from web.desk.sound import Sound


@dataclass(frozen=True, slots=True)
class Desk:
    """One web process's desk. Nothing in it is begun before somebody asks for it."""

    place: Place
    published: Published
    sound: Sound
    _checking: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def one_check(self) -> Iterator[None]:
        """The publish gate takes seconds of processor time: one run at a time in a process.

        Raises :class:`EditError` ``publish_busy``.
        """
        if not self._checking.acquire(blocking=False):
            raise EditError("publish_busy", "另一次发布检查正在进行，请过几秒再试")
        try:
            yield
        finally:
            self._checking.release()


def make_desk(settings: Settings, city: City, engine: Engine) -> Desk:
    """The desk of this process."""
    place = place_of(city)
    published = Published(
        engine, parents=place.parents, regions=place.regions, calibration=place.calibration,
        zone=place.zone, cache=settings.data_dir / "learned",
    )  # fmt: skip
    return Desk(place, published, Sound(settings))
