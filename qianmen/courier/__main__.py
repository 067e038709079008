"""Run the courier: ``python -m qianmen.courier``. Several may run; killed, it loses nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Container

import structlog
import uvloop
from prometheus_client import REGISTRY

from bot.bus import Bus
from config.city import City, load_city
from config.errors import ConfigError
from config.logs import configure
from config.settings import Settings, load_settings
from handoff.links.book import nobody_else
from handoff.links.emergency import HttpLink
from handoff.links.http import Post
from handoff.links.keys import read_keys
from qianmen.courier.courier import Courier, Parts
from qianmen.courier.wechat import others_of, wechat_ways
from qianmen.keeper.page import serving
from store.engine import StoreError, open_store
from store.seal import SealError

_log = structlog.get_logger(__name__)


async def carry(settings: Settings, city: City, stop: asyncio.Event) -> None:
    """Send until ``stop``. Raises ConfigError, StoreError, SealError, OSError."""
    keys = read_keys(settings.link_keys)
    engine, bus = open_store(settings), Bus(settings.redis)
    bus.start()
    try:
        async with Post(city.links) as post, wechat_ways(settings, city, engine) as ways:
            link = HttpLink(post, city.links, keys)
            others = others_of(city) if ways else nobody_else
            courier = Courier(Parts(engine, city, bus, link, post, keys, more=ways, others=others))
            _say_what_lacks(city, keys)
            with serving(
                settings.metrics_host, settings.courier_port, REGISTRY, lambda: courier.alive
            ):
                await courier.start()
                _log.info("courier_started", parties=len(city.links.parties),
                          targets=len(city.links.targets))  # fmt: skip
                await stop.wait()
                await courier.stop()
    finally:
        await bus.stop()
        engine.dispose()


def _say_what_lacks(city: City, known: Container[str]) -> None:
    """A link without a key sends nothing: said once, at the start."""
    names = [party.name for party in city.links.parties]
    names += [target.name for target in city.links.targets]
    for name in names:
        if name not in known:
            _log.error("link_unusable", code="link_key_missing", link=name)


async def _until_told(settings: Settings, city: City) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await carry(settings, city, stop)


def main() -> int:
    """Run the process; 1 with one clear line where it cannot."""
    try:
        settings = load_settings()
        configure("courier", settings.log_level)
        uvloop.run(_until_told(settings, load_city(settings.city)))
    except (ConfigError, StoreError, SealError) as error:
        _log.error("courier_cannot_start", code=error.code, reason=str(error))
        return 1
    except OSError as error:
        where = f"{settings.metrics_host}:{settings.courier_port}"
        _log.error("courier_cannot_start", code="port_in_use", reason=f"{where}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
