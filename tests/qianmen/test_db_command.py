"""``qianmen db`` as an operator uses it, on both engines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.city import City
from config.secret import secret_key
from config.settings import Settings
from qianmen.cli import main
from qianmen.doctor import trail
from qianmen.doctor.check import Patient
from store import audit
from store.engine import open_engine, reading, writing
from store.migrate import migrate, newest, schema_change
from store.tables import Audit, Conversation
from tests.postgres import Cluster
from tests.store.rows import ROWS, everything, fill

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run ``qianmen db …``: exit code, standard output, standard error."""
    monkeypatch.setenv("QIANMEN_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)  # no .env of ours
    # What capsys gives as standard error is closed after the test: no logger may keep it.
    monkeypatch.setattr("qianmen.commands.shared.configure", lambda *_: None)

    def once(*words: object, url: str = "") -> tuple[int, str, str]:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setattr(sys, "argv", ["qianmen", "db", *map(str, words)])
        try:
            main()
            code: Any = 0
        except SystemExit as error:
            code = error.code
        out, err = capsys.readouterr()
        return code or 0, out, err

    return once


def test_upgrade_says_from_where_to_where(run: Any, bare_database: str) -> None:
    engine = open_engine(bare_database)
    with schema_change(engine) as connection:
        migrate(connection, "0002")
        fill(connection)
    engine.dispose()
    code, out, _ = run("upgrade", "--json", url=bare_database)
    told = json.loads(out)
    assert (code, told["before"], told["after"], told["changed"]) == (0, "0002", newest(), True)
    code, out, err = run("upgrade", url=bare_database)
    assert (code, err) == (0, "")
    assert newest() in out


def test_a_city_that_grows_moves_to_postgresql(run: Any, tmp_path: Path, postgres: Cluster) -> None:
    assert run("upgrade")[0] == 0
    source = open_engine(f"sqlite:///{tmp_path / 'var' / 'qianmen.sqlite3'}")
    with source.begin() as connection:
        fill(connection)
    former = everything(source)
    source.dispose()
    file = tmp_path / "backup.tar.gz"
    code, out, _ = run("backup", file, "--recordings", "--json")
    told = json.loads(out)
    assert code == 0
    assert set(told["rows"].values()) == {ROWS}
    assert any("secret" in line for line in told["also_needed"])
    grown = postgres.create("grown")
    code, out, err = run("restore", file, "--json", url=grown)
    assert (code, err) == (0, "")
    assert json.loads(out)["rows"] == told["rows"]
    target = open_engine(grown)
    now = everything(target)
    with reading(target) as session:
        assert "database_restored" in session.scalars(select(Audit.action)).all()
    target.dispose()
    assert {name: rows for name, rows in now.items() if name != "audit"} == {
        name: rows for name, rows in former.items() if name != "audit"
    }
    assert len(now["audit"][1]) == ROWS + 1


def test_restoring_is_written_down_and_the_audit_holds(
    run: Any, database: str, tmp_path: Path
) -> None:
    engine = open_engine(database)
    secret = "s" * 40
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret").write_text(secret)
    with writing(engine) as session:
        audit.write(session, secret, at=NOW, actor="wang", action="sign_in")
    assert run("backup", tmp_path / "b", url=database)[0] == 0
    with writing(engine) as session:
        audit.write(session, secret, at=NOW, actor="wang", action="sign_out")
    engine.dispose()
    code, _, err = run("restore", tmp_path / "b", url=database)
    assert code == 1
    assert "database_not_empty" in err
    code, out, _ = run("restore", tmp_path / "b", "--force", "--json", url=database)
    assert (code, json.loads(out)["notes"]) == (0, [])
    with reading(engine) as session:
        assert audit.verify(session, secret) is None
        assert session.scalars(select(Audit.action).order_by(Audit.id)).all() == [
            "sign_in", "database_restored",
        ]  # fmt: skip
    engine.dispose()


def test_on_a_new_machine_the_secret_comes_first(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, city: City
) -> None:
    assert run("upgrade")[0] == 0
    old = tmp_path / "var"
    engine = open_engine(f"sqlite:///{old / 'qianmen.sqlite3'}")
    secret = secret_key(Settings(data_dir=old))
    with writing(engine) as session:
        audit.write(session, secret, at=NOW, actor="wang", action="sign_in")
    engine.dispose()
    assert run("backup", tmp_path / "b")[0] == 0
    (tmp_path / "wrong").write_text("w" * 40)
    for words, place in (((), ""), (("--secret", tmp_path / "wrong"), ""),
                         (("--secret", old / "secret"), secret)):  # fmt: skip
        new = tmp_path / f"new{len(words)}"
        monkeypatch.setenv("QIANMEN_DATA_DIR", str(new))
        code, _, err = run("restore", tmp_path / "b", *words)
        if not place:
            assert (code, "secret_differs" in err) == (1, True)
            assert not (new / "secret").exists()
            assert not (new / "qianmen.sqlite3").exists()
            continue
        assert code == 0
        assert (new / "secret").read_text() == secret
        assert (new / "secret").stat().st_mode & 0o777 == 0o600
        assert audit_says(new, city) == ["audit_ok"]


def test_a_lost_secret_begins_the_chain_anew(
    run: Any, database: str, tmp_path: Path, city: City
) -> None:
    engine = open_engine(database)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret").write_text("s" * 40)
    for day in (1, 2, 3):
        with writing(engine) as session:
            audit.write(session, "s" * 40, at=NOW + timedelta(days=day), actor="w", action="x")
    with writing(engine) as session:
        audit.delete_before(session, "s" * 40, NOW + timedelta(days=2), at=NOW + timedelta(days=4))
    engine.dispose()
    assert run("backup", tmp_path / "b", url=database)[0] == 0
    (tmp_path / "var" / "secret").write_text("n" * 40)
    code, _, err = run("restore", tmp_path / "b", "--force", url=database)
    assert (code, "secret_differs" in err) == (1, True)
    code, out, _ = run("restore", tmp_path / "b", "--force", "--new-secret", "--json", url=database)
    assert [note["code"] for note in json.loads(out)["notes"]] == ["chain_anew"]
    assert audit_says(tmp_path / "var", city, database) == ["audit_ok"]


def test_a_failed_restore_leaves_the_secret(run: Any, tmp_path: Path) -> None:
    assert run("upgrade")[0] == 0
    file = tmp_path / "var" / "secret"
    file.write_text("o" * 40)
    assert run("backup", tmp_path / "b")[0] == 0
    (tmp_path / "old").write_text("o" * 40)
    file.write_text("n" * 40)
    code, _, err = run("restore", tmp_path / "b", "--secret", tmp_path / "old")
    assert (code, "database_not_empty" in err) == (1, True)
    assert file.read_text() == "n" * 40
    assert run("restore", tmp_path / "b", "--secret", tmp_path / "old", "--force")[0] == 0
    assert file.read_text() == "o" * 40
    assert [one.read_text() for one in file.parent.glob("secret.*")] == ["n" * 40]


def test_a_backup_is_not_overwritten_and_is_written_down(
    run: Any, database: str, tmp_path: Path
) -> None:
    (tmp_path / "b").write_text("precious")
    code, _, err = run("backup", tmp_path / "b", url=database)
    assert (code, "backup_exists" in err) == (1, True)
    assert (tmp_path / "b").read_text() == "precious"
    assert run("backup", tmp_path / "b", "--force", url=database)[0] == 0
    engine = open_engine(database)
    with reading(engine) as session:
        assert session.scalars(select(Audit.action)).all() == ["database_backed_up"]
    engine.dispose()


def test_erased_citizens_that_come_back_are_said(run: Any, database: str, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "b", url=database)[0] == 0
    secret = secret_key(Settings(data_dir=tmp_path / "var"))
    engine = open_engine(database)
    for target in ("m1.a", "m1.b", "m1.a"):
        with writing(engine) as session:
            audit.write(session, secret, at=datetime.now(UTC), actor="w", action="citizen_erased",
                        target=target)  # fmt: skip
    engine.dispose()
    code, out, _ = run("restore", tmp_path / "b", "--force", "--json", url=database)
    (note,) = json.loads(out)["notes"]
    assert (code, note["code"]) == (0, "erased_are_back")
    assert "2 位" in note["text"]


def audit_says(folder: Path, city: City, url: str = "") -> list[str]:
    """What ``qianmen doctor`` finds of the audit."""
    patient = Patient(Settings(data_dir=folder, database_url=url), city, None, up=False)
    return [one.code for one in trail.judge_audit(trail.collect_audit(patient))]


def test_a_key_that_is_missing_is_said(
    run: Any, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sealing.keys import new_key
    from store.seal import seal_from

    key = new_key()
    engine = open_engine(database, seal_from(key))
    with writing(engine) as session:
        session.add(Conversation(id="c", channel="web", citizen="13900139000", started_at=NOW))
    engine.dispose()
    monkeypatch.setenv("QIANMEN_DATA_KEY", key)
    code, out, _ = run("backup", tmp_path / "b", url=database)
    assert code == 0
    assert "QIANMEN_DATA_KEY" in out
    assert b"13900139000" not in (tmp_path / "b").read_bytes()
    monkeypatch.delenv("QIANMEN_DATA_KEY")
    code, out, _ = run("restore", tmp_path / "b", "--force", "--json", url=database)
    assert code == 0
    assert [note["code"] for note in json.loads(out)["notes"]] == ["data_key_missing"]
    opened = open_engine(database, seal_from(key))
    with reading(opened) as session:
        assert session.get_one(Conversation, "c").citizen == "13900139000"
    opened.dispose()


def test_not_while_the_front_door_runs(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Settings] = []

    def running(settings: Settings) -> dict[str, object]:
        asked.append(settings)
        return {}

    monkeypatch.setattr("qianmen.supervise.running", running)
    code, _, err = run("restore", tmp_path / "none")
    assert code == 1
    assert "front_door_running" in err
    assert asked[0].data_dir == tmp_path / "var"


@pytest.mark.parametrize(
    ("words", "url", "code"),
    [
        (("upgrade",), "mysql://u:geheim@h/db", "database_url"),
        (("upgrade",), "postgresql://u:geheim@127.0.0.1:1/db", "database_down"),
        (("backup", "b"), "postgresql://u:geheim@127.0.0.1:1/db", "database_down"),
        (("backup", "b"), "", "database_old"),
        (("backup", "no/such/folder/b"), "", "backup_unwritable"),
        (("restore", "b"), "", "backup_missing"),
    ],
)
def test_failures_are_one_line_with_a_code(
    run: Any, words: tuple[str, ...], url: str, code: str
) -> None:
    exit_code, out, err = run(*words, url=url)
    assert (exit_code, out) == (1, "")
    assert code in err
    assert "geheim" not in err
    assert len(err.strip().splitlines()) == 1
