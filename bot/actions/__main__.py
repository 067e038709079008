"""Run the actions process: ``python -m bot.actions``."""

from __future__ import annotations

import structlog
import uvicorn

from bot.actions.app import create_app
from bot.actions.join import joined
from config.city import load_city
from config.errors import ConfigError
from config.logs import configure
from config.settings import load_settings
from handoff.order.journal import journal_of
from store.engine import StoreError, open_store
from store.seal import SealError

_log = structlog.get_logger(__name__)


def main() -> int:
    """Serve until told to stop; 2 when the configuration cannot be used."""
    try:
        settings = load_settings()
        configure("actions", settings.log_level)
        journal = journal_of(settings)
        learned = settings.data_dir / "learned"
        app = create_app(joined(load_city(settings.city), open_store(settings), learned, journal))
    except (ConfigError, StoreError, SealError) as error:
        _log.error("actions_cannot_start", code=error.code, reason=str(error))
        return 2
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
