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


def test_where_a_process_listens_is_not_always_where_others_reach_it() -> None:
    everywhere = Settings(asr_host="0.0.0.0", rasa_host="0.0.0.0", web_host="::", web_port=81)
    assert everywhere.asr_address == "ws://127.0.0.1:2700"
    assert everywhere.rasa_address == "http://127.0.0.1:5005"
    assert everywhere.web_address == "http://127.0.0.1:81"
    named = Settings(
        asr_host="0.0.0.0", asr_server="ws://asr:2700", actions_server="http://actions:5055"
    )
    assert named.asr_address == "ws://asr:2700"
    assert named.actions_address == "http://actions:5055"
    assert named.environment()["QIANMEN_ASR_SERVER"] == "ws://asr:2700"


@pytest.mark.parametrize("url", ["asr:2700", "http://asr:2700", "ws://asr:2700/"])
def test_a_server_is_a_base_url(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("QIANMEN_ASR_SERVER", url)
    with pytest.raises(ConfigError, match="QIANMEN_ASR_SERVER"):
        load_settings()


def test_a_list_that_is_no_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_SIP_PEERS", "10.0.0.1,10.0.0.2")
    with pytest.raises(ConfigError, match="sip_peers") as caught:
        load_settings()
    assert caught.value.code == "settings_invalid"


def test_every_setting_says_what_it_is() -> None:
    silent = [name for name, field in Settings.model_fields.items() if not field.description]
    assert silent == []
