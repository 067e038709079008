"""Rasa's memory in Redis with the city's key, in Rasa's own environment and a real Valkey."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import redis
import yaml

from bot.rasa.launch import data_key, render
from config.settings import ROOT, Settings
from sealing.keys import new_key
from tests.bot.rasa_rig import RASA_PYTHON, _valkey
from tests.ports import free_port

TALK = """
import asyncio, sys
from rasa.core.tracker_store import TrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import UserUttered

endpoints = AvailableEndpoints.read_endpoints("endpoints.yml")
store = TrackerStore.create(endpoints.tracker_store, domain=Domain.empty())

async def talk():
    tracker = await store.get_or_create_tracker("web-1")
    print("|".join(event.text for event in tracker.events if isinstance(event, UserUttered)))
    for word in sys.argv[1:]:
        tracker.update(UserUttered(word))
    await store.save(tracker)

asyncio.run(talk())
"""


def test_the_key_comes_from_its_variable_or_its_file(tmp_path: Path) -> None:
    assert data_key({}, tmp_path) == ""
    (tmp_path / "qianmen_data_key").write_text("from file\n")
    assert data_key({}, tmp_path) == "from file"
    assert data_key({"QIANMEN_SECRETS_DIR": str(tmp_path)}, tmp_path / "none") == "from file"
    assert data_key({"QIANMEN_DATA_KEY": "from variable"}, tmp_path) == "from variable"


def test_without_a_key_rasas_own_store_is_used(tmp_path: Path) -> None:
    for sealed, kind in (
        (False, "redis"),
        (True, "bot.rasa.components.tracker.SealedTrackerStore"),
    ):
        render(tmp_path, "redis://127.0.0.1:1/0", "http://127.0.0.1:1", sealed=sealed)
        endpoints = yaml.safe_load((tmp_path / "endpoints.yml").read_text())
        assert endpoints["tracker_store"]["type"] == kind


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not RASA_PYTHON.is_file(), reason="Rasa's environment is not installed")
def test_what_was_said_is_remembered_sealed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_port=free_port(), redis_url="")
    old, new = new_key(), new_key("sm4")

    def talk(key: str, *words: str) -> str:
        done = subprocess.run(
            [RASA_PYTHON, "-c", TALK, *words], cwd=tmp_path, capture_output=True, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "QIANMEN_DATA_KEY": key,
                              "PYTHONWARNINGS": "ignore"}, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    with _valkey(settings):
        render(tmp_path, settings.redis, "http://127.0.0.1:1")
        assert talk(old, "从前说的") == ""
        render(tmp_path, settings.redis, "http://127.0.0.1:1", sealed=True)
        assert talk(old, "我的电话13812345678") == "从前说的"  # from before there was a key
        client = redis.from_url(settings.redis)
        stored = client.get("qianmen:tracker:web-1")
        client.close()
        assert isinstance(stored, bytes)
        assert stored.startswith(b"qs1.")
        assert b"13812345678" not in stored
        assert talk(f"{new},{old}") == "从前说的|我的电话13812345678"
        fresh = talk(old)  # sealed with the new key by now: a fresh memory, no failure
        assert "data_key_wrong" in fresh
        assert "从前说的" not in fresh
