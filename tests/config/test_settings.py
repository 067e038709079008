"""Settings: from the environment, with errors that name the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.secret import secret_key
from config.settings import Settings, load_settings


def test_the_defaults_keep_everything_below_one_folder() -> None:
    settings = Settings(data_dir=Path("/data"))
    assert settings.database == "sqlite:////data/qianmen.sqlite3"
    assert settings.redis == "redis://127.0.0.1:6390/0"
    assert settings.recordings_dir == Path("/data/recordings")


@pytest.mark.parametrize("name", ["QIANMEN_DATABASE_URL", "DATABASE_URL"])
def test_plain_names_work_as_well(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "postgresql+psycopg://db/q")
    assert load_settings().database == "postgresql+psycopg://db/q"


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_SIP_PORT", "99999")
    with pytest.raises(ConfigError, match="QIANMEN_SIP_PORT") as caught:
        load_settings()
    assert caught.value.code == "settings_invalid"


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    first = secret_key(settings)
    assert len(first) >= 48
    assert secret_key(settings) == first
    assert (tmp_path / "new" / "secret").stat().st_mode & 0o777 == 0o600
    assert secret_key(settings.model_copy(update={"secret_key": "given"})) == "given"
