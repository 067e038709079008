"""Everything of one citizen, and nothing of another."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from qianmen.keeper.duty import Keeping
from qianmen.keeper.recordings import seal_left
from qianmen.personal.deeds import By
from qianmen.personal.export import Exported, export
from qianmen.personal.find import PersonalError
from store.engine import reading, writing
from store.faults import StoreError
from store.tables import Audit, Conversation
from tests.fakes.orders import CALL, CHAT, PHONE, RECORDING
from tests.qianmen.personal.conftest import fill

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
BY = By("王芳", "root")


def exported(keeping: Keeping, target: Path, identity: str = PHONE) -> Exported:
    return export(keeping.settings, keeping.engine, identity, target, BY, NOW)


def document(target: Path) -> dict[str, Any]:
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        found: dict[str, Any] = json.loads(archive.read("citizen.json"))
    return found


@pytest.mark.parametrize("which", ["keeping", "sealed"])
def test_a_call_with_its_order_and_its_sound(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    keeping: Keeping = request.getfixturevalue(which)
    number, _ = fill(keeping, NOW)
    (wav,) = keeping.settings.recordings_dir.rglob("*.wav")
    sound = wav.read_bytes()
    assert seal_left(keeping, datetime(2099, 1, 1, tzinfo=UTC)) == (which == "sealed")
    target = tmp_path / "out.zip"
    done = exported(keeping, target, "0086 139 1234 5678")
    assert (done.conversations, done.orders, done.turns, done.recordings) == (1, 1, 11, 1)
    assert target.stat().st_mode & 0o777 == 0o600
    (talk,) = document(target)["conversations"]
    assert (talk["id"], talk["relation"], talk["citizen"]) == (CALL, "own", PHONE)
    assert "烧烤摊" in talk["turns"][1]["text"]
    assert talk["orders"][0]["number"] == number
    assert {field["name"] for field in talk["orders"][0]["fields"]} >= {"what", "where", "phone"}
    (recording,) = talk["recordings"]
    assert recording["id"] == RECORDING
    with zipfile.ZipFile(target) as archive:
        assert archive.read(recording["file"]) == sound


def test_of_anothers_conversation_only_what_is_about_them(keeping: Keeping, tmp_path: Path) -> None:
    fill(keeping, NOW)
    with writing(keeping.engine) as session:
        session.get_one(Conversation, CALL).citizen = "13500001111"
    exported(keeping, tmp_path / "out.zip")
    (talk,) = document(tmp_path / "out.zip")["conversations"]
    assert talk["relation"] == "told"
    assert not {"citizen", "recordings", "slots"} & set(talk)
    assert [turn["speaker"] for turn in talk["turns"]] == ["citizen"] * 4
    assert "13500001111" not in json.dumps(talk)


def test_by_an_account_and_of_nobody(keeping: Keeping, tmp_path: Path) -> None:
    fill(keeping, NOW)
    exported(keeping, tmp_path / "web.zip", "web:5d")
    assert [t["id"] for t in document(tmp_path / "web.zip")["conversations"]] == [CHAT]
    exported(keeping, tmp_path / "none.zip", "13500009999")
    assert document(tmp_path / "none.zip")["conversations"] == []


def test_nothing_is_overwritten(keeping: Keeping, tmp_path: Path) -> None:
    target = tmp_path / "there.zip"
    target.write_text("precious")
    for path, code in ((target, "export_exists"), (tmp_path / "no" / "x.zip", "export_failed")):
        with pytest.raises(PersonalError) as caught:
            exported(keeping, path)
        assert caught.value.code == code
    assert target.read_text() == "precious"
    with reading(keeping.engine) as session:  # nothing was given out, nothing is written down
        assert session.scalars(select(Audit)).all() == []


def test_nothing_is_given_out_without_a_line(
    keeping: Keeping, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(keeping, NOW)

    def fails(*_: object) -> None:
        raise StoreError("database_readonly", "no line")

    monkeypatch.setattr("qianmen.personal.export.note", fails)
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreError):
        exported(keeping, tmp_path / "out" / "x.zip")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_lost_recording_is_said(keeping: Keeping, tmp_path: Path) -> None:
    fill(keeping, NOW)
    (wav,) = keeping.settings.recordings_dir.rglob("*.wav")
    wav.unlink()
    assert exported(keeping, tmp_path / "out.zip").missing == 1
    (talk,) = document(tmp_path / "out.zip")["conversations"]
    assert talk["recordings"][0]["file"] == ""


def test_giving_out_is_written_down(keeping: Keeping, tmp_path: Path) -> None:
    fill(keeping, NOW)
    exported(keeping, tmp_path / "out.zip")
    with reading(keeping.engine) as session:
        (line,) = session.scalars(select(Audit)).all()
    assert (line.actor, line.action) == ("cli:王芳", "citizen_exported")
    assert line.object.startswith("m1.")
    assert line.data == {"conversations": [CALL], "account": "root"}
