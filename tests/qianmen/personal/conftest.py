"""A day's orders in an installation whose city set a key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from config.city import City
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from store.engine import open_store, upgrade
from tests.fakes.orders import a_day

KEY = "qk1.aes256.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
SM4 = "qk1.sm4.AAECAwQFBgcICQoLDA0ODw"
NOBODY = "redis://127.0.0.1:1/0"


def installation(folder: Path, city: City, key: str = "", template: Path | None = None) -> Keeping:
    """One of its own; ``template``: a file with our tables, so that none need be made."""
    settings = Settings(
        data_dir=folder, data_key=key, redis_url=NOBODY, database_url="",
        secret_key="a secret that only tests know",
    )  # fmt: skip
    if template:
        folder.mkdir(mode=0o700)
        shutil.copyfile(template, folder / "qianmen.sqlite3")
    engine = open_store(settings)
    upgrade(engine)
    return Keeping(settings, city, engine)


@pytest.fixture
def keeping(tmp_path: Path, city: City, sqlite_template: Path) -> Iterator[Keeping]:
    """Without a key."""
    kept = installation(tmp_path / "plain", city, template=sqlite_template)
    yield kept
    kept.engine.dispose()


@pytest.fixture
def sealed(tmp_path: Path, city: City, sqlite_template: Path) -> Iterator[Keeping]:
    """With a key."""
    kept = installation(tmp_path / "sealed", city, KEY, sqlite_template)
    yield kept
    kept.engine.dispose()


def fill(keeping: Keeping, now: datetime) -> tuple[str, str]:
    """A day's orders; the numbers of the call's and the chat's."""
    moment = now.astimezone(keeping.city.zone)
    return a_day(keeping.engine, keeping.settings.recordings_dir, moment)
