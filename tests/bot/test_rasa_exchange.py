"""A new dialogue model: trained beside the one in use, which stays whatever fails."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from bot.rasa.train import MODEL, fingerprint
from bot.rasa_process import PREVIOUS, exchange, folder, is_current, retrain
from config.errors import ConfigError
from config.settings import Settings
from tests.ports import free_port

TRAINS = """#!/bin/sh
mkdir -p "$3/models"
echo new > "$3/models/qianmen.tar.gz"
printf '%s' '{stamp}' > "$3/fingerprint"
"""


def an_installation(tmp_path: Path, script: str, **given: object) -> Settings:
    """With a model from before, no Rasa running, and ``script`` for Rasa's Python."""
    python = tmp_path / "python"
    python.write_text(script, encoding="utf-8")
    python.chmod(0o755)
    settings = Settings(
        data_dir=tmp_path / "var", redis_url="", database_url="", rasa_python=python,
        rasa_port=free_port(), **given,  # type: ignore[arg-type]  # fields
    )  # fmt: skip
    models = folder(settings) / "models"
    models.mkdir(parents=True)
    (models / MODEL).write_text("old\n", encoding="utf-8")
    return settings


def read(settings: Settings, name: str) -> str:
    return (folder(settings) / "models" / name).read_text(encoding="utf-8")


def test_the_new_model_is_kept_beside_the_old_one(tmp_path: Path) -> None:
    stamp = fingerprint(Settings.model_fields["city"].default)
    settings = an_installation(tmp_path, TRAINS.replace("{stamp}", stamp))
    for before in ("old\n", "new\n"):
        assert not retrain(settings).taken  # nobody runs that could
        assert (read(settings, MODEL), read(settings, PREVIOUS)) == ("new\n", before)
        assert is_current(settings)
    assert not (folder(settings) / "next").exists()


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", TRAINS.replace("{stamp}", "other")])
def test_a_training_that_fails_changes_nothing(tmp_path: Path, script: str) -> None:
    settings = an_installation(tmp_path, script)
    with pytest.raises(ConfigError) as caught:
        retrain(settings)
    assert caught.value.code == "rasa_training"
    assert read(settings, MODEL) == "old\n"
    assert not (folder(settings) / "models" / PREVIOUS).exists()


def test_one_training_at_a_time(tmp_path: Path) -> None:
    settings = an_installation(tmp_path, "#!/bin/sh\nexit 1\n")
    with (folder(settings) / "training.lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ConfigError) as caught:
            retrain(settings)
    assert caught.value.code == "rasa_training_busy"


def test_a_rasa_elsewhere_brings_its_own_model(tmp_path: Path) -> None:
    settings = an_installation(tmp_path, "", rasa_server="http://rasa.example:5005")
    with pytest.raises(ConfigError) as caught:
        retrain(settings)
    assert caught.value.code == "rasa_elsewhere"


def test_nobody_there_takes_it(tmp_path: Path) -> None:
    assert not exchange(an_installation(tmp_path, ""), tmp_path / "any.tar.gz")
