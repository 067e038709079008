"""The facts as they are gathered from real things that are wrong."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from typer.testing import CliRunner

from asr.models.seal import SEAL, Seal, SealedFile, digest_of, write_seal
from asr.starter.archive import ensure_model
from config.city import City
from config.listening import SideServer, listen
from config.secret import secret_key
from config.settings import Settings
from knowledge.load import load_folder
from qianmen import cli
from qianmen.doctor import (
    content,
    dialogue,
    examination,
    host,
    network,
    places,
    privacy,
    speech,
    stores,
    telephone,
    trail,
)
from qianmen.doctor.check import Check, Patient, check, run_checks
from qianmen.doctor.examination import report_lines, summary
from qianmen.doctor.finding import Finding, healthy, ok
from qianmen.keeper.duty import Keeping
from qianmen.keeper.trail import anchor_audit
from qianmen.keeper.watch import confirmation_file
from sealing.keys import new_key
from store import audit
from store.audit_anchor import AuditError
from store.engine import open_engine, open_store, writing
from store.migrate import migrate, schema_change
from store.tables import Conversation, Staff
from telephony.line import Leg, LineSettings
from telephony.sip.line import SipLine
from tests.conftest import NOON
from tests.fakes.valkey import valkey
from tests.ports import free_port, free_ports


@pytest.fixture
def patient(tmp_path: Path, city: City) -> Patient:
    return Patient(Settings(data_dir=tmp_path / "var"), city, None, up=False)


@pytest.fixture(autouse=True)
def _logs_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner's standard error is closed after each command; logging must not be sent to it."""
    monkeypatch.setattr("qianmen.commands.shared.configure", lambda *_: None)


@pytest.fixture
def stored(patient: Patient, database: str) -> Patient:
    """An installation with a database on the newest schema, without rows."""
    return having(patient, database_url=database)


def having(patient: Patient, *, up: bool | None = None, **settings: object) -> Patient:
    changed = patient.settings.model_copy(update=settings)
    return replace(patient, settings=changed, up=patient.up if up is None else up)


def codes(findings: object) -> list[str]:
    assert isinstance(findings, Iterator)
    return [one.code for one in findings if one.level != "ok"]


def of_database(patient: Patient) -> list[str]:
    return codes(stores.judge_database(stores.collect_database(patient)))


def test_a_taken_port_and_who_has_it(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        facts = network.collect_ports(having(patient, web_port=port))
    found = [one for one in network.judge_ports(facts) if str(port) in one.subject]
    assert [one.code for one in found] == ["port_taken"]
    assert "python" in found[0].seen
    assert "QIANMEN_WEB_PORT" in found[0].do


def test_a_port_of_a_process_of_ours_is_no_trouble(patient: Patient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ours = having(patient, up=True, web_port=taken.getsockname()[1])
        port = next(p for p in network.collect_ports(ours).ports if p.setting == "QIANMEN_WEB_PORT")
    assert port.ours


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A whole model of our own, sealed as one that was fetched."""
    folder = tmp_path / "model"
    shutil.copytree(ensure_model(tmp_path / "starter"), folder)
    files = {
        path.relative_to(folder).as_posix(): SealedFile(path.stat().st_size, digest_of(path))
        for path in folder.rglob("*")
        if path.is_file()
    }
    write_seal(folder, Seal("test", 1, "0" * 64, verified=True, files=files))
    return folder


def of_model(patient: Patient, *, thorough: bool = False) -> list[str]:
    return codes(speech.judge_model(speech.collect_model(replace(patient, thorough=thorough))))


def test_a_whole_model(patient: Patient, model: Path) -> None:
    assert of_model(having(patient, model=model), thorough=True) == []


@pytest.mark.parametrize("sealed", [True, False])
def test_a_half_fetched_model(patient: Patient, model: Path, sealed: bool) -> None:
    graph = model / "graph" / "HCLr.fst"
    graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])
    if not sealed:
        (model / SEAL).unlink()
    assert of_model(having(patient, model=model), thorough=not sealed) == ["model_corrupt"]


def test_a_wrong_checksum(patient: Patient, model: Path) -> None:
    acoustics = model / "am" / "final.mdl"
    content = bytearray(acoustics.read_bytes())
    content[-1] ^= 1
    acoustics.write_bytes(content)
    assert of_model(having(patient, model=model), thorough=True) == ["model_corrupt"]


def test_no_model_and_no_recogniser(patient: Patient, tmp_path: Path) -> None:
    assert of_model(having(patient, model=tmp_path / "none")) == ["model_missing"]
    away = having(patient, asr_url="ws://127.0.0.1:1")
    assert of_model(away) == ["asr_url_unreachable"]


def test_the_starter_model_is_named_as_such(patient: Patient) -> None:
    assert of_model(patient) == ["model_starter"]


def test_a_database_in_order(stored: Patient) -> None:
    assert of_database(stored) == []


def test_no_database_yet_is_made_by_nobody_here(patient: Patient) -> None:
    assert of_database(patient) == []
    assert not patient.settings.data_dir.exists()


def test_an_old_database(stored: Patient, database: str) -> None:
    engine = open_engine(database)
    with schema_change(engine) as connection:
        migrate(connection, "0001")
    engine.dispose()
    assert of_database(stored) == ["database_old"]


def test_a_database_of_a_later_version(stored: Patient, database: str) -> None:
    engine = open_engine(database)
    with writing(engine) as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    engine.dispose()
    assert of_database(stored) == ["database_newer"]


def test_a_damaged_database(patient: Patient) -> None:
    patient.settings.data_dir.mkdir()
    (patient.settings.data_dir / "qianmen.sqlite3").write_bytes(b"no database" * 1000)
    assert of_database(patient) == ["database_corrupt"]


def test_a_database_that_takes_nothing(stored: Patient, database: str) -> None:
    if database.startswith("sqlite"):
        pytest.skip("root may write to any file")
    readonly = f"{database}&options=-c%20default_transaction_read_only%3Don"
    assert of_database(having(stored, database_url=readonly)) == ["database_readonly"]


def test_a_database_that_is_away(patient: Patient) -> None:
    away = having(patient, database_url="postgresql://q:hidden-word@127.0.0.1:1/q")
    found = list(stores.judge_database(stores.collect_database(away)))
    assert [one.code for one in found] == ["database_down"]
    assert "hidden-word" not in str(found)


def test_a_missing_and_a_wrong_key(stored: Patient) -> None:
    key = new_key()
    with_key = having(stored, data_key=key)
    engine = open_store(with_key.settings)
    with writing(engine) as session:
        session.add(Conversation(id="c1", channel="call", citizen="13800138000", started_at=NOON))
    engine.dispose()
    assert of_database(with_key) == []
    assert of_database(stored) == ["data_key_missing"]
    assert of_database(having(stored, data_key=new_key())) == ["data_key_wrong"]
    assert of_database(having(stored, data_key="rubbish")) == ["data_key_invalid"]


def test_a_changed_audit_line(stored: Patient, engine: Engine) -> None:
    stored = having(stored, database_url=engine.url.render_as_string(hide_password=False))
    key = secret_key(stored.settings)
    for action in ("sign_in", "order_seen"):
        with writing(engine) as session:
            audit.write(session, key, at=NOON, actor="li", action=action)
    assert codes(trail.judge_audit(trail.collect_audit(stored))) == []
    with writing(engine) as session:
        session.execute(text("UPDATE audit SET actor = 'wang' WHERE action = 'sign_in'"))
    assert codes(trail.judge_audit(trail.collect_audit(stored))) == ["audit_broken"]


def test_an_audit_whose_end_is_cut_off(stored: Patient, engine: Engine, city: City) -> None:
    stored = having(stored, database_url=engine.url.render_as_string(hide_password=False))
    key = secret_key(stored.settings)
    with writing(engine) as session:
        for action in ("sign_in", "order_seen"):
            audit.write(session, key, at=NOON, actor="li", action=action)
    anchor_audit(Keeping(stored.settings, city, engine), NOON)
    with writing(engine) as session:
        session.execute(text("DELETE FROM audit WHERE action = 'order_seen'"))
    assert trail.collect_audit(stored).code == "end_missing"
    with pytest.raises(AuditError, match="lacks lines"):
        anchor_audit(Keeping(stored.settings, city, engine), NOON)


def of_redis(patient: Patient) -> list[str]:
    return codes(stores.judge_redis(stores.collect_redis(patient)))


def test_a_redis_that_forgets_and_one_that_is_lost(patient: Patient, tmp_path: Path) -> None:
    port = free_port()
    theirs = having(patient, redis_url=f"redis://127.0.0.1:{port}/0")
    careless = ("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru", "--appendonly", "no")
    with valkey(tmp_path / "redis", port, *careless) as server:
        assert of_redis(theirs) == ["redis_evicts", "redis_not_kept"]
        server.kill()
        server.wait()
        assert of_redis(theirs) == ["redis_lost"]
    with valkey(tmp_path / "redis", port, "--appendonly", "yes"):
        assert of_redis(theirs) == []
    assert of_redis(having(patient, redis_url="nonsense://")) == ["redis_lost"]


def test_a_rasa_that_is_down(patient: Patient) -> None:
    down = having(patient, up=True, rasa_port=1)
    assert "rasa_down" in codes(dialogue.judge_rasa(dialogue.collect_rasa(down)))


def test_no_environment_for_rasa(patient: Patient, tmp_path: Path) -> None:
    none = having(patient, rasa_python=tmp_path / "none")
    assert codes(dialogue.judge_rasa(dialogue.collect_rasa(none))) == ["rasa_missing"]


def test_a_file_in_place_of_the_data_folder(patient: Patient) -> None:
    patient.settings.data_dir.write_text("")
    found = host.judge_volumes(host.VolumeFacts(host.collect_volumes(patient).volumes, None))
    assert codes(found) == ["volume_missing"]


def test_the_sample_knowledge_is_named_as_such(stored: Patient, engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    stored = having(stored, database_url=url)
    assert stored.city is not None
    load_folder(engine, stored.city.folder / "knowledge", NOON)
    with writing(engine) as session:
        for login, host in (("li", "127.0.0.1:5070"), ("wang", "10.0.0.9")):
            session.add(Staff(login=login, name=login, password_hash="", roles=["agent"],
                              phone_uri=f"sip:8001@{host}", created_at=NOON))  # fmt: skip
    facts = content.collect_content(stored)
    assert facts.unlisted == ("wang",)
    assert facts.valid > 5
    assert "knowledge_sample" in codes(content.judge_knowledge(facts))
    assert "staff_no_administrator" in codes(content.judge_staff(facts))


def test_the_folder_of_the_city(patient: Patient, tmp_path: Path) -> None:
    away = having(patient, city=tmp_path / "none")
    assert codes(places.judge_city(places.collect_city(away))) == ["config_missing"]
    assert codes(places.judge_city(places.collect_city(patient))) == ["city_sample"]


async def ignore(_leg: Leg) -> None:
    """No call comes."""


@pytest.mark.parametrize(
    ("peers", "code"), [((), "line_ok"), (("192.0.2.1",), "line_not_for_us")]
)  # fmt: skip
async def test_the_line_answers_those_that_may_call(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, peers: tuple[str, ...], code: str
) -> None:
    monkeypatch.setattr(telephone, "_TRIES_S", (0.1,) if peers else (5.0,))
    line = SipLine(LineSettings(host="127.0.0.1", port=0, allowed_peers=peers))
    await line.start(ignore)
    try:
        here = having(
            patient, up=True, sip_host="127.0.0.1", sip_port=line.address[1], sip_peers=peers
        )
        facts = await asyncio.to_thread(telephone.collect_line, here)
    finally:
        await line.stop()
    assert [one.code for one in telephone.judge_line(facts)] == [code]


async def test_the_phone_tells_whether_it_is_registered(patient: Patient) -> None:
    async def readyz(_request: Request) -> JSONResponse:
        return JSONResponse({"ready": True, "registration": "failed"})

    sock = listen("127.0.0.1", 0, "X")
    server = SideServer([Route("/readyz", readyz)])
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    extension = having(
        patient, up=True, sip_registrar="pbx", phone_health_port=sock.getsockname()[1]
    )
    facts = await asyncio.to_thread(telephone.collect_registration, extension)
    server.should_exit = True
    await serving
    assert facts == telephone.RegistrationFacts("pbx", "failed")
    assert telephone.collect_registration(extension).state == ""
    assert telephone.collect_registration(patient).registrar == ""


def test_a_hunt_group_where_nobody_is(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telephone, "_TRIES_S", (0.05,))
    facts = telephone.collect_groups(patient)
    assert codes(telephone.judge_groups(facts)) == ["hunt_group_sample"]
    elsewhere = tuple(replace(group, sample=False) for group in facts)
    assert codes(telephone.judge_groups(elsewhere)) == ["hunt_group_silent"]


def test_a_check_that_breaks_and_one_that_never_ends(patient: Patient) -> None:
    def breaks(_patient: Patient) -> int:
        raise RuntimeError("13800138000")

    def hangs(_patient: Patient) -> int:
        threading.Event().wait(20)
        return 1

    def well(_facts: object) -> tuple[Finding, ...]:
        return (ok("well", "x", "x"),)

    wanted: tuple[Check, ...] = (
        check("a", breaks, well), check("b", hangs, well, within_s=0.1),
        check("c", lambda _: 1, well),
    )  # fmt: skip
    found = run_checks(wanted, patient)
    assert [(title, one.code) for title, one in found] == [
        ("a", "check_failed"), ("b", "check_slow"), ("c", "well"),
    ]  # fmt: skip
    assert "13800138000" not in str(found)
    assert not healthy(one for _, one in found)


def test_what_others_may_read_is_seen(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, data = tmp_path / "secrets", patient.settings.data_dir
    folder.mkdir(mode=0o755)
    data.mkdir(mode=0o700)
    for file, mode in ((Path(".env"), 0o644), (folder / "qianmen_data_key", 0o604),
                       (folder / "qianmen_secret_key", 0o640)):  # fmt: skip
        file.write_text("x")
        file.chmod(mode)
    facts = privacy.collect_privacy(having(patient, secrets_dir=folder))
    assert [mode for _, mode in facts.open_files] == [0o644, 0o604]
    assert (facts.keyed, facts.open_folder) == (False, None)
    folder.chmod(0o700)
    data.chmod(0o755)
    facts = privacy.collect_privacy(having(patient, secrets_dir=folder, data_key="k"))
    assert (facts.keyed, facts.open_folder) == (True, (str(data), 0o755))
    assert len(facts.open_files) == 1


def test_the_report_is_short_where_all_is_well() -> None:
    fine, bad = ok("a", "甲", "好"), Finding("b", "error", "乙", "坏了", "修")
    assert report_lines([("组", fine)]) == ["✔ 组：甲"]
    assert report_lines([("组", fine), ("组", bad)]) == [
        "组", "  ✔ 甲：好", "  ✘ 乙：坏了", "      怎么办：修  [b]",
    ]  # fmt: skip
    assert "1 处" in summary([fine, bad])
    assert summary([fine]) == "✔ 一切正常。"


def test_the_command_before_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIANMEN_DATA_DIR", str(tmp_path))
    ports = free_ports(8)
    names = ("PHONE_HEALTH", "ASR", "ACTIONS", "RASA", "WEB", "WEB_METRICS", "KEEPER", "REDIS")
    for name, port in zip(names, ports, strict=True):
        monkeypatch.setenv(f"QIANMEN_{name}_PORT", str(port))
    monkeypatch.setenv("QIANMEN_SIP_PORT", str(free_port()))
    done = CliRunner().invoke(cli.app, ["doctor", "--json"])
    report = json.loads(done.stdout)
    found = {one["code"]: one for one in report["findings"]}
    assert report["healthy"] is (done.exit_code == 0)
    assert {"not_running", "city_sample", "model_starter", "database_not_yet"} <= set(found)
    assert "check_failed" not in found, found["check_failed"]
    assert set(found["not_running"]) == {"code", "level", "subject", "seen", "do"}


def test_settings_that_cannot_be_used_are_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_SIP_PORT", "99999")
    done = CliRunner().invoke(cli.app, ["doctor", "--json"])
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [one["code"] for one in report["findings"]] == ["settings_invalid"]


def test_in_containers_neither_ports_nor_the_line_are_ours(patient: Patient) -> None:
    named = having(patient, actions_server="http://127.0.0.1:1", rasa_server="http://rasa:5005")
    scattered = examination.patient(named.settings)
    assert scattered.scattered
    assert not scattered.up
    running = replace(scattered, up=True)
    assert codes(network.judge_ports(network.collect_ports(running))) == []
    assert codes(telephone.judge_line(telephone.collect_line(running))) == []


def test_a_person_confirms_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANMEN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(examination, "checks", lambda: ())
    done = CliRunner().invoke(cli.app, ["doctor", "--clock-is-right"])
    assert done.exit_code == 0
    assert confirmation_file(Settings(data_dir=tmp_path)).exists()
