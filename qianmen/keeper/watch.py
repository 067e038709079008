"""What the keeper looks at by itself: volumes, the clock, Redis, the database.

Nothing here mends anything: each finding is a code in the log when it changes, and a metric.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import redis
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from redis.exceptions import RedisError
from sqlalchemy import text

from config.settings import Settings
from config.wholefile import write_whole
from qianmen.keeper import volumes
from qianmen.keeper.clock import Clock, confirmed, loads, look
from qianmen.keeper.duty import Duty, Keeping
from store.engine import reading
from store.faults import fault_of

_ASK_S = 2.0
_log = structlog.get_logger(__name__)


def clock_file(settings: Settings) -> Path:
    """What the keeper knows of the clock, from one process to the next."""
    return settings.data_dir / "run" / "clock.json"


def confirmation_file(settings: Settings) -> Path:
    """Made by ``qianmen doctor --clock-is-right``, taken away by the keeper."""
    return settings.data_dir / "run" / "clock-is-right"


class Watch:
    """The watching duties, with what they saw last."""

    def __init__(
        self, settings: Settings, registry: CollectorRegistry, *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._monotonic = monotonic
        self._said: dict[str, str] = {}
        self._clock = loads(_text_of(clock_file(settings)))
        self._free = Gauge(
            "qianmen_disk_free_bytes", "Room left for us.", ["volume"], registry=registry
        )
        self._size = Gauge(
            "qianmen_disk_size_bytes", "Size of the volume.", ["volume"], registry=registry
        )
        self._writable = Gauge(
            "qianmen_volume_writable", "1: takes what is written.", ["volume"], registry=registry
        )
        self._up = Gauge("qianmen_part_up", "1: it answers.", ["part"], registry=registry)
        self._jumps = Counter(
            "qianmen_clock_jumps", "Steps of the wall clock beyond 5 s.", registry=registry
        )
        trusted = Gauge("qianmen_clock_trusted", "0: what deletes by age rests.", registry=registry)
        trusted.set_function(lambda: float(self._clock.trusted))

    @property
    def clock(self) -> Clock:
        """The clock as last looked at."""
        return self._clock

    def duties(self) -> tuple[Duty, ...]:
        """What is to be done, on every host; the clock first: others ask whether to trust it."""
        return (
            Duty("clock", timedelta(seconds=10), self.look_at_clock, everywhere=True),
            Duty("volumes", timedelta(seconds=30), self.look_at_volumes, everywhere=True),
            Duty("redis", timedelta(seconds=10), self.ask_redis, everywhere=True),
            Duty("database", timedelta(seconds=10), self.ask_database, everywhere=True),
        )

    def look_at_clock(self, _keeping: Keeping, now: datetime) -> None:
        """``clock_jumped`` with its size; sessions, order days and queue times suffer by it."""
        clock = look(self._clock, now, self._monotonic())
        if clock.jump:
            self._jumps.inc()
            _log.warning(
                "clock_changed",
                code="clock_jumped",
                jump_s=round(clock.jump.total_seconds()),
                deleting_rests_h=round(clock.doubt / timedelta(hours=1), 1),
            )
        confirmation = confirmation_file(self._settings)
        if confirmation.exists():
            confirmation.unlink(missing_ok=True)
            clock = confirmed(clock)
            _log.warning("clock_changed", code="clock_confirmed")
        self._clock = clock
        _write(clock_file(self._settings), clock.dumps())

    def look_at_volumes(self, _keeping: Keeping, _now: datetime) -> None:
        """``disk_low``, ``disk_full``, ``volume_readonly`` and their like, a volume each."""
        for name, folder in volumes.folders(self._settings).items():
            volume = volumes.look_at(name, folder)
            self._free.labels(name).set(volume.free)
            self._size.labels(name).set(volume.total)
            self._writable.labels(name).set(not volume.write_errno)
            self._tell(f"volume {name}", volumes.judge(volume), "volume_ok", free=volume.free)

    def ask_redis(self, keeping: Keeping, _now: datetime) -> None:
        """``redis_lost``: wake-ups come a second late, Rasa forgets; no message is lost."""
        lost = False
        client = redis.Redis.from_url(
            keeping.settings.redis, socket_connect_timeout=_ASK_S, socket_timeout=_ASK_S
        )
        try:
            client.ping()
        except (RedisError, OSError):
            lost = True
        finally:
            client.close()
        self._up.labels("redis").set(not lost)
        self._tell("redis", "redis_lost" if lost else "", "redis_back")

    def ask_database(self, keeping: Keeping, _now: datetime) -> None:
        """``database_down`` and the other codes of ``store.faults``."""
        code = ""
        try:
            with reading(keeping.engine) as session:
                session.execute(text("SELECT 1"))
        except Exception as error:  # noqa: BLE001  # whatever a driver raises has a code there
            code = fault_of(error)
        self._up.labels("database").set(not code)
        self._tell("database", code, "database_back")

    def _tell(self, subject: str, code: str, well: str, **fields: int) -> None:
        """Log a change: the trouble's code, and ``well`` when it is over."""
        before = self._said.get(subject, "")
        self._said[subject] = code
        if code and code != before:
            _log.error("watch_found", code=code, subject=subject, **fields)
        elif before and not code:
            _log.warning("watch_found", code=well, subject=subject, **fields)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, content: str) -> None:
    """As far as the volume takes it: a full disk is told by the volumes' duty."""
    with contextlib.suppress(OSError):
        write_whole(path, content.encode())
