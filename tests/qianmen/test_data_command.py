"""``qianmen data`` as an operator types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from config.city import City
from config.settings import Settings
from qianmen.cli import app
from sealing.keys import keyring
from store.engine import open_store, upgrade
from store.seal import SealError
from tests.fakes.orders import PHONE, a_day

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


pytestmark = pytest.mark.usefixtures("logs_as_they_were")


@pytest.fixture
def house(tmp_path: Path, city: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation with a day's orders, found by the environment; commands run in it."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "QIANMEN_DATA_DIR": str(tmp_path / "data"),
        "QIANMEN_SECRET_KEY": "a secret that only tests know",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATABASE_URL": "",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    engine = open_store(settings)
    upgrade(engine)
    a_day(engine, settings.recordings_dir, NOW.astimezone(city.zone))
    yield tmp_path
    engine.dispose()


def typed(*words: str, told: str = "") -> Result:
    return CliRunner().invoke(app, ["data", *words], input=told)


def document(*words: str, code: int = 0, told: str = "") -> Any:
    result = typed(*words, "--json", told=told)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(("flag", "algorithm"), [((), "aes256"), (("--sm4",), "sm4")])
def test_a_new_key(flag: tuple[str, ...], algorithm: str) -> None:
    made = document("new-key", *flag)
    ring = keyring(made["key"])
    assert ring is not None
    assert (ring.newest.id, made["algorithm"]) == (made["id"], algorithm)
    plain = typed("new-key", *flag)
    assert keyring(plain.stdout) is not None


def test_from_a_key_to_an_export(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_DATA_KEY", document("new-key", "--sm4")["key"])
    assert document("reseal")["rows"] > 30
    files = [path for path in (house / "data").glob("qianmen.sqlite3*") if path.is_file()]
    assert PHONE.encode() not in b"".join(path.read_bytes() for path in files)
    done = document("export", "-", "--to", "out.zip", "--by", "王芳", told=f"+86 {PHONE}\n")
    assert (done["conversations"], done["recordings"]) == (1, 1)
    assert (house / "out.zip").is_file()
    again = typed("export", PHONE, "--to", "out.zip", "--by", "王芳")
    assert getattr(again.exception, "code", "") == "export_exists"
    monkeypatch.delenv("QIANMEN_DATA_KEY")
    refused = typed("retain")
    assert isinstance(refused.exception, SealError)
    assert refused.exception.code == "data_key_missing"


def test_what_would_go_and_what_goes(house: Path) -> None:
    report = document("retain", "--dry-run")
    assert report.pop("dry_run") is True
    assert set(report.values()) == {0}
    assert document("retain")["dry_run"] is False


def test_erasing_says_what_stays_and_why(house: Path) -> None:
    tried = document("erase", PHONE, "--by", "王芳", "--orders", "all", "--dry-run")
    assert (tried["dry_run"], tried["conversations"], len(tried["orders"])) == (True, 1, 1)
    told = typed("erase", PHONE, "--by", "王芳")
    assert told.exit_code == 0
    assert "工单还没有办结；办结后再运行一次" in told.output
    assert "--orders all" in told.output
    assert "连不上 Redis" in told.output
    assert typed("erase", PHONE).exit_code == 2  # --by is asked for
    assert typed("erase", PHONE, "--by", "x", "--orders", "some").exit_code == 2


def test_an_old_database_is_named(house: Path) -> None:
    (house / "data" / "qianmen.sqlite3").unlink()
    result = typed("retain")
    assert getattr(result.exception, "code", "") == "database_old"
