"""What stops a start is one error with a code."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from config.errors import ConfigError
from config.settings import Settings
from qianmen.prepare import prepare
from store.engine import StoreError, open_engine, writing


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(ConfigError) as caught:
        prepare(Settings(data_dir=tmp_path / "var"))
    assert caught.value.code == "volume_missing"
    assert "var" in str(caught.value)


def test_a_database_of_a_later_version_is_left_as_it_is(tmp_path: Path, database: str) -> None:
    engine = open_engine(database)
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(StoreError) as caught:
        prepare(Settings(data_dir=tmp_path / "var", database_url=database))
    assert caught.value.code == "database_newer"
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "ffff"
    engine.dispose()


def test_a_damaged_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    file = tmp_path / "var" / "qianmen.sqlite3"
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError) as caught:
        prepare(Settings(data_dir=tmp_path / "var"))
    assert caught.value.code == "database_corrupt"
    assert file.read_bytes() == b"no database" * 1000


def test_a_missing_model(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", model=tmp_path / "none")
    with pytest.raises(Exception, match="none") as caught:
        prepare(settings)
    assert getattr(caught.value, "code", "") == "model_missing"
