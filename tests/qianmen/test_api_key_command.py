"""``qianmen api-key``: a key told once, the list without it, switched off for good."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handoff.apikeys import ApiKeyError
from qianmen.commands.api_key import api_key
from store.engine import open_engine, upgrade

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
RUN = CliRunner()


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of this test's own."""
    url = f"sqlite:///{tmp_path / 'keys.sqlite3'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("QIANMEN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("QIANMEN_SECRET_KEY", "a key that only tests know")
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


def test_a_key_from_the_beginning_to_the_end() -> None:
    made = RUN.invoke(api_key, ["add", "city-orders", "--right", "see_orders", "--json"])
    told = json.loads(made.stdout)
    assert told["key"].startswith("qmk_")
    listed = RUN.invoke(api_key, ["list", "--json"]).stdout
    assert told["key"].rsplit("_", 1)[-1] not in listed
    assert [(one["name"], one["active"]) for one in json.loads(listed)] == [("city-orders", True)]
    off = json.loads(RUN.invoke(api_key, ["disable", "city-orders", "--json"]).stdout)
    assert off["active"] is False
    assert "已停用" in RUN.invoke(api_key, ["list"]).stdout


def test_what_cannot_be_made_says_why() -> None:
    result = RUN.invoke(api_key, ["add", "city", "--right", "everything"])
    assert isinstance(result.exception, ApiKeyError)
    assert result.exception.code == "right_unknown"
    assert "see_orders" in str(result.exception)
    assert isinstance(RUN.invoke(api_key, ["disable", "none"]).exception, ApiKeyError)
