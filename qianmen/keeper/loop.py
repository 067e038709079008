"""Do the duties: each in a thread of its own, at its interval, whatever becomes of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy.exc import SQLAlchemyError

from qianmen.keeper.duty import Duty, Keeping
from qianmen.keeper.lock import Lock
from store.faults import fault_of

FIRST_AGAIN_S = 5.0
NOT_NOW_S = 300.0
"""Until a duty that must not be done now is thought of again: the lock or the clock may change."""
_log = structlog.get_logger(__name__)


def wait_s(every_s: float, failures: int) -> float:
    """Until a duty is done again: its interval; after failures sooner, then later and later."""
    if not failures:
        return every_s
    return min(every_s, FIRST_AGAIN_S * 2.0 ** min(failures - 1, 20))


def code_of(error: BaseException) -> str:
    """The error's own stable code, the database's, else ``duty_failed``."""
    code = getattr(error, "code", None)
    if isinstance(error, SQLAlchemyError | OSError):
        return fault_of(error)
    return code if isinstance(code, str) else "duty_failed"


@dataclass(frozen=True, slots=True)
class Terms:
    """When a duty may be done: ``lock`` is held by one keeper, ``clock_trusted`` says the time.

    Both are asked each time; ``now`` is the wall clock, aware, in UTC.
    """

    lock: Lock
    clock_trusted: Callable[[], bool]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Keeper:
    """Runs duties from ``start`` to ``stop``."""

    def __init__(
        self, keeping: Keeping, duties: Iterable[Duty], terms: Terms, registry: CollectorRegistry
    ) -> None:
        self._keeping = keeping
        self._terms = terms
        self._stopping = threading.Event()
        self._told: set[str] = set()
        self._threads = [
            threading.Thread(target=self._live, args=(duty,), name=duty.name, daemon=True)
            for duty in duties
        ]
        self._failures = Counter(
            "qianmen_keeper_duty_failures", "Failed tries of a duty.", ["duty"], registry=registry
        )
        self._success = Gauge(
            "qianmen_keeper_duty_last_success_timestamp_seconds",
            "When the duty was last done (Unix time).",
            ["duty"],
            registry=registry,
        )
        self._resting = Gauge(
            "qianmen_keeper_duty_resting", "1: rests while the clock is in doubt.", ["duty"],
            registry=registry,
        )  # fmt: skip

    def start(self) -> None:
        """Begin all duties now."""
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether every duty has its thread."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self, patience_s: float) -> None:
        """Begin nothing more; what is being done may end for so long, then it is cut off."""
        self._stopping.set()
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _live(self, duty: Duty) -> None:
        failures = 0
        every_s = duty.every.total_seconds()
        while not self._stopping.is_set():
            wait = every_s
            try:
                if self._allowed(duty):
                    self._do(duty)
                else:
                    wait = min(every_s, NOT_NOW_S)
                failures = 0
            except Exception as error:  # noqa: BLE001  # the others must go on, and this one again
                failures += 1
                wait = wait_s(every_s, failures)
                self._failed(duty, error)
            self._stopping.wait(wait)

    def _do(self, duty: Duty) -> None:
        now = self._terms.now()
        duty.work(self._keeping, now)
        self._success.labels(duty.name).set(now.timestamp())

    def _failed(self, duty: Duty, error: Exception) -> None:
        self._failures.labels(duty.name).inc()
        code = code_of(error)
        unknown = code in ("duty_failed", "database_error")
        _log.error("duty_failed", code=code, duty=duty.name, exc_info=error if unknown else None)

    def _allowed(self, duty: Duty) -> bool:
        if not duty.everywhere and not self._terms.lock.held():
            return False
        rests = duty.deletes and not self._terms.clock_trusted()
        if rests and duty.name not in self._told:
            _log.warning("duty_rests", code="clock_in_doubt", duty=duty.name)
        (self._told.add if rests else self._told.discard)(duty.name)
        if duty.deletes:
            self._resting.labels(duty.name).set(rests)
        return not rests
