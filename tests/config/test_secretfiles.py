"""Secrets that stand in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.secretfiles import SECRETS
from config.settings import Settings, load_settings

URL = "postgresql+psycopg://q:hidden-word@db/q"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIANMEN_SECRETS_DIR", str(tmp_path))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / f"qianmen_{name}").write_bytes(content)


@pytest.mark.parametrize("name", SECRETS)
def test_each_secret_may_stand_in_a_file(folder: Path, name: str) -> None:
    put(folder, name, b"redis://the-word\r\n")
    assert getattr(load_settings(), name) == "redis://the-word"


@pytest.mark.parametrize("variable", ["DATABASE_URL", "QIANMEN_DATABASE_URL"])
def test_a_variable_goes_before_a_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    put(folder, "database_url", b"sqlite:///file")
    monkeypatch.setenv(variable, "sqlite:///variable")
    assert load_settings().database == "sqlite:///variable"


def test_other_files_are_left_alone(folder: Path) -> None:
    (folder / "qianmen_sip_port").write_text("9")
    (folder / "database_url").write_text("sqlite:///somebody-elses")
    assert load_settings() == Settings(secrets_dir=folder)
    assert load_settings().sip_port == 5060
    assert not load_settings().database_url


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "secret_empty"),
        (b" \n", "secret_empty"),
        (b"\xff\xfe hidden-word", "secret_unreadable"),
        (b"hidden-word\nmore", "secret_unreadable"),
        (b"hidden-word" * 10_000, "secret_unreadable"),
    ],
)
def test_a_bad_file_is_named_and_its_content_is_not(
    folder: Path, content: bytes, code: str
) -> None:
    put(folder, "data_key", content)
    with pytest.raises(ConfigError, match="qianmen_data_key") as caught:
        load_settings()
    assert caught.value.code == code
    assert "hidden-word" not in str(caught.value)


def test_a_folder_in_place_of_the_file_is_named(folder: Path) -> None:
    (folder / "qianmen_data_key").mkdir()
    with pytest.raises(ConfigError, match="qianmen_data_key") as caught:
        load_settings()
    assert caught.value.code == "secret_unreadable"


def test_a_missing_folder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_SECRETS_DIR", str(folder / "none"))
    with pytest.raises(ConfigError, match="QIANMEN_SECRETS_DIR") as caught:
        load_settings()
    assert caught.value.code == "secrets_missing"


def test_children_are_told_the_folder_not_the_secret(folder: Path) -> None:
    put(folder, "database_url", URL.encode())
    settings = load_settings()
    assert settings.environment() == {"QIANMEN_SECRETS_DIR": str(folder)}
    changed = settings.model_copy(update={"database_url": "sqlite:///other"})
    assert changed.environment()["QIANMEN_DATABASE_URL"] == "sqlite:///other"
    assert "QIANMEN_DATABASE_URL" not in changed.environment(secrets=False)


def test_no_secret_is_printed() -> None:
    words = {name: f"hidden-word-{name}" for name in SECRETS}
    assert "hidden-word" not in repr(Settings.model_validate(words))
    assert Settings.model_validate(words).data_key == "hidden-word-data_key"
