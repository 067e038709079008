"""Run the keeper: ``python -m qianmen.keeper``. Its death harms nobody: it is begun again."""

from __future__ import annotations

import signal
import sys
import threading

import structlog
from prometheus_client import CollectorRegistry

from config.city import load_city
from config.errors import ConfigError
from config.logs import configure
from config.settings import Settings, load_settings
from qianmen.keeper import gauges
from qianmen.keeper.duties import all_duties
from qianmen.keeper.duty import Keeping
from qianmen.keeper.lock import lock_for
from qianmen.keeper.loop import Keeper, Terms
from qianmen.keeper.page import serving
from qianmen.keeper.watch import Watch
from store.engine import StoreError, open_store
from store.seal import SealError

_PATIENCE_S = 1.5
_log = structlog.get_logger(__name__)


def keep(settings: Settings, stop: threading.Event) -> None:
    """Do all duties until ``stop``. Raises ConfigError, StoreError, SealError, OSError."""
    registry = CollectorRegistry()
    keeping = Keeping(settings, load_city(settings.city), open_store(settings))
    watch = Watch(settings, registry)
    lock = lock_for(settings, keeping.engine)
    terms = Terms(lock, lambda: watch.clock.trusted)
    keeper = Keeper(keeping, all_duties(watch), terms, registry)
    asked = gauges.register(registry, keeping)
    with serving(settings.metrics_host, settings.keeper_port, registry, lambda: keeper.alive):
        watch.look_at_clock(keeping, terms.now())  # before anything asks whether to trust it
        keeper.start()
        _log.info("keeper_started")
        stop.wait()
        keeper.stop(_PATIENCE_S)
    asked.close()
    lock.close()
    keeping.engine.dispose()


def main() -> int:
    """Run the process; 1 with one clear line where it cannot."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings()
        configure("keeper", settings.log_level)
        keep(settings, stop)
    except (ConfigError, StoreError, SealError) as error:
        _log.error("keeper_cannot_start", code=error.code, reason=str(error))
        return 1
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.keeper_port}"
        _log.error("keeper_cannot_start", code="port_in_use", reason=f"{where}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
