"""An installation with a day's work in it, for the keeper."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.city import City
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from tests.fakes.orders import a_day


@pytest.fixture
def keeping(tmp_path: Path, engine: Engine, city: City, now: datetime) -> Keeping:
    settings = Settings(data_dir=tmp_path / "data", secret_key="only tests know this", data_key="")
    a_day(engine, settings.recordings_dir, now.astimezone(city.zone))
    return Keeping(settings, city, engine)
