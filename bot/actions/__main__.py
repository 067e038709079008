"""Run the actions process: ``python -m bot.actions``."""

from __future__ import annotations

import sys

import uvicorn

from bot.actions.app import create_app
from bot.actions.join import joined
from config.city import load_city
from config.errors import ConfigError
from config.logs import configure
from config.settings import load_settings
from store.engine import open_store


def main() -> int:
    """Serve until told to stop; 2 when the configuration cannot be used."""
    try:
        settings = load_settings()
        city = load_city(settings.city)
    except ConfigError as error:
        print(f"actions: {error}", file=sys.stderr)  # noqa: T201  # before there is a log
        return 2
    configure("actions", settings.log_level)
    app = create_app(joined(city, open_store(settings)))
    uvicorn.run(
        app,
        host=settings.actions_host,
        port=settings.actions_port,
        log_config=None,
        access_log=False,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
