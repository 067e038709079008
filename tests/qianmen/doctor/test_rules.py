"""Every rule over facts: what is seen has its code, its level, and something to do."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.links import Links, Party, Target
from config.settings import Settings
from qianmen.doctor import (
    content,
    dialogue,
    host,
    linked,
    network,
    places,
    privacy,
    running,
    speech,
    stores,
    telephone,
    trail,
    wechat,
)
from qianmen.doctor.finding import Finding
from qianmen.keeper.volumes import Volume
from tests.conftest import NOON

GIB = 1024**3
REDIS = {"maxmemory": 0, "used_memory": 5, "maxmemory_policy": "noeviction", "redis_version": "8"}
DATABASE = stores.DatabaseFacts("sqlite", revision="0003", wanted="0003")
POSTGRESQL = replace(DATABASE, kind="postgresql", version=15)
LINE = network.LineFacts("10.0.0.5", "", ("10.0.0.1",), (20000, 20999), 150, ("10.0.0.5",))
ANYWHERE = replace(LINE, host="0.0.0.0")
CLOCK = host.ClockFacts(NOON, "Asia/Shanghai", synchronised=True)
ROOM = Volume("recordings", Path("/r"), 1000 * GIB, 500 * GIB, 10**6, 10**6)
POWER = host.PowerFacts(False, 16 * GIB, 12 * GIB, 16, 150, 0, recognises=True)
STAFFED = content.ContentFacts(valid=20, active=3, agents=2, administrators=1)
RASA = dialogue.RasaFacts(up=True, local=True, environment=True, current=True, parse_ms=9)
NO_WALL = network.FirewallFacts(None, None, None, (5060, 20000))
PORT = network.Port("tcp", "127.0.0.1", 8000, "QIANMEN_WEB_PORT", "", ours=False)
ASKED = telephone.LineFacts(True, "sip:127.0.0.1:5060", 200, "127.0.0.1", ())
GROUP = telephone.Group("sip:agents@10.0.0.9", ("12345",), 200, sample=False)


def codes(found: Iterable[Finding]) -> list[str]:
    """The codes of what is not well; each says what was seen and what to do."""
    listed = list(found)
    for one in listed:
        assert one.subject, one
        assert one.seen, one
        assert one.do or one.level == "ok", one
    return [one.code for one in listed if one.level != "ok"]


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (places.CityFacts("江城", 3), []),
        (places.CityFacts("示例市", 3), ["city_sample"]),
        (places.CityFacts(error=("config_invalid", "city.yaml: name")), ["config_invalid"]),
    ],
)
def test_city(facts: places.CityFacts, wanted: list[str]) -> None:
    assert codes(places.judge_city(facts)) == wanted


@pytest.mark.parametrize(
    ("given", "mode", "chars", "wanted"),
    [
        (False, None, 0, []),
        (False, 0o600, 64, []),
        (False, 0o644, 64, ["secret_permissions"]),
        (True, None, 64, []),
        (True, None, 8, ["secret_short"]),
        (False, 0o640, 3, ["secret_permissions", "secret_short"]),
    ],
)
def test_secret(given: bool, mode: int | None, chars: int, wanted: list[str]) -> None:
    assert codes(places.judge_secret(places.SecretFacts(given, mode, chars))) == wanted


@pytest.mark.parametrize(
    ("at", "url", "wanted"),
    [
        ("127.0.0.1", "", []),
        ("0.0.0.0", "", ["web_exposed"]),
        ("10.0.0.5", "https://12345.example.gov.cn", []),
        ("127.0.0.1", "http://12345.example.gov.cn", ["public_url_insecure"]),
        ("127.0.0.1", "12345.example.gov.cn", ["public_url_insecure"]),
        ("127.0.0.1", "http://localhost:8000", []),
    ],
)
def test_web(at: str, url: str, wanted: list[str]) -> None:
    assert codes(places.judge_web(places.WebFacts(at, url))) == wanted


@pytest.mark.parametrize(
    ("up", "port", "wanted"),
    [
        (False, PORT, []),
        (False, replace(PORT, holder="nginx，进程 7"), ["port_taken"]),
        (True, replace(PORT, holder="python，进程 7", ours=True), []),
        (True, replace(PORT, holder="nginx，进程 7"), ["port_taken"]),
        (False, replace(PORT, holder="?"), ["port_taken"]),
    ],
)
def test_ports(up: bool, port: network.Port, wanted: list[str]) -> None:
    assert codes(network.judge_ports(network.PortFacts(up, (port,)))) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (LINE, []),
        (replace(LINE, peers=()), ["sip_open"]),
        (replace(LINE, peers=(), host="127.0.0.1"), []),
        (ANYWHERE, []),
        (replace(ANYWHERE, addresses=("10.0.0.5", "192.168.1.5")), ["sip_address_unclear"]),
        (replace(ANYWHERE, addresses=("10.0.0.5", "1.2.3.4"), public_host="1.2.3.4"), []),
        (replace(ANYWHERE, addresses=()), []),
        (replace(LINE, rtp=(20000, 20099)), ["rtp_ports_few"]),
        (replace(LINE, fault="no such host"), ["line_settings"]),
    ],
)
def test_line_settings(facts: network.LineFacts, wanted: list[str]) -> None:
    assert codes(network.judge_line(facts)) == wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, []),
        ({"ufw": "Status: inactive\n"}, []),
        ({"ufw": "Status: active\n22/tcp ALLOW\n"}, ["firewall_closed"]),
        ({"ufw": "Status: active\n5060/udp ALLOW\n"}, []),
        ({"iptables": "-P INPUT ACCEPT\n"}, []),
        ({"iptables": "-P INPUT DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT\n"},
         ["firewall_closed"]),
        ({"nft": "type filter hook input priority filter; policy drop;\n"}, ["firewall_closed"]),
    ],
)  # fmt: skip
def test_firewall(changed: dict[str, str], wanted: list[str]) -> None:
    facts = replace(NO_WALL, **changed)  # type: ignore[arg-type]  # texts only, as said above
    assert codes(network.judge_firewall(facts)) == wanted
    assert any("qianmen call" in one.seen + one.do for one in network.judge_firewall(facts))


@pytest.mark.parametrize(
    ("buffer", "files", "wanted"),
    [
        (8 * 1024**2, 65535, []),
        (None, -1, []),
        (212992, 65535, ["socket_buffer_small"]),
        (8 * 1024**2, 1024, ["file_limit_low"]),
        (212992, 1024, ["file_limit_low", "socket_buffer_small"]),
    ],
)
def test_limits(buffer: int | None, files: int, wanted: list[str]) -> None:
    assert codes(network.judge_limits(network.LimitFacts(buffer, files, 150))) == wanted


@pytest.mark.parametrize(("most", "wanted"), [(4096, ["file_limit_bars_pages"]), (65535, [])])
def test_the_limit_that_a_process_cannot_raise_bounds_the_pages(
    most: int, wanted: list[str]
) -> None:
    facts = network.LimitFacts(8 * 1024**2, 1500, 150, most)
    assert codes(network.judge_limits(facts)) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (ASKED, []),
        (replace(ASKED, up=False, status=0), []),
        (replace(ASKED, status=503), ["line_refuses"]),
        (replace(ASKED, status=0), ["line_silent"]),
        (replace(ASKED, status=0, peers=("10.0.0.0/8",)), []),
        (replace(ASKED, status=0, peers=("127.0.0.0/8",)), ["line_silent"]),
    ],
)
def test_line(facts: telephone.LineFacts, wanted: list[str]) -> None:
    assert codes(telephone.judge_line(facts)) == wanted


@pytest.mark.parametrize(
    ("registrar", "state", "wanted"),
    [
        ("", "", []),
        ("pbx", "", []),
        ("pbx", "registered", []),
        ("pbx", "failed", ["register_failed"]),
        ("pbx", "registering", ["register_waiting"]),
        ("pbx", "none", ["register_waiting"]),
    ],
)
def test_registration(registrar: str, state: str, wanted: list[str]) -> None:
    facts = telephone.RegistrationFacts(registrar, state)
    assert codes(telephone.judge_registration(facts)) == wanted


def test_who_may_call_an_extension() -> None:
    settings = Settings(sip_registrar="pbx.example:5070", sip_peers=("10.0.0.1",))
    assert telephone.may_call(settings) == ("10.0.0.1", "pbx.example")
    assert not telephone.is_peer("127.0.0.1", telephone.may_call(settings))


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (GROUP, []),
        (replace(GROUP, status=404), []),
        (replace(GROUP, status=0), ["hunt_group_silent"]),
        (replace(GROUP, status=0, sample=True), ["hunt_group_sample"]),
    ],
)
def test_hunt_group(facts: telephone.Group, wanted: list[str]) -> None:
    assert codes(telephone.judge_groups((facts,))) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (speech.ModelFacts(folder="/models/cn"), []),
        (speech.ModelFacts(starter=True, folder="/models/starter"), ["model_starter"]),
        (speech.ModelFacts(problems=(("model_corrupt", "am/final.mdl"),)), ["model_corrupt"]),
        (speech.ModelFacts(remote="asr:2700"), []),
        (speech.ModelFacts(remote="asr:2700", reached=False), ["asr_url_unreachable"]),
    ],
)
def test_model(facts: speech.ModelFacts, wanted: list[str]) -> None:
    assert codes(speech.judge_model(facts)) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (RASA, []),
        (replace(RASA, environment=False), ["rasa_missing"]),
        (replace(RASA, environment=False, local=False), []),
        (replace(RASA, current=False), ["rasa_model_old"]),
        (replace(RASA, current=False, up=False), []),
        (replace(RASA, error="rasa_down"), ["rasa_down"]),
        (replace(RASA, parse_ms=900), ["rasa_slow"]),
    ],
)
def test_rasa(facts: dialogue.RasaFacts, wanted: list[str]) -> None:
    assert codes(dialogue.judge_rasa(facts)) == wanted


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (DATABASE, []),
        (POSTGRESQL, []),
        (replace(DATABASE, missing=True), []),
        (replace(POSTGRESQL, version=11), ["postgresql_old"]),
        (replace(DATABASE, wal=2 * GIB), ["database_wal_large"]),
        *[(replace(DATABASE, fault=code), [code]) for code in (*stores.MENDING, "database_error")],
    ],
)
def test_database(facts: stores.DatabaseFacts, wanted: list[str]) -> None:
    assert codes(stores.judge_database(facts)) == wanted


@pytest.mark.parametrize(
    ("info", "config", "wanted"),
    [
        ({}, {"appendonly": "yes"}, []),
        ({}, {}, []),  # a city's Redis that forbids CONFIG
        ({}, {"appendonly": "no"}, ["redis_not_kept"]),
        ({"maxmemory": 100, "maxmemory_policy": "allkeys-lru"}, {}, ["redis_evicts"]),
        ({"maxmemory": 100, "used_memory": 95}, {}, ["redis_full"]),
        ({"aof_last_write_status": "err"}, {}, ["redis_cannot_write"]),
    ],
)
def test_redis(info: dict[str, object], config: dict[str, str], wanted: list[str]) -> None:
    assert codes(stores.judge_redis(stores.RedisFacts(True, True, REDIS | info, config))) == wanted


@pytest.mark.parametrize(
    ("up", "ours", "wanted"),
    [(False, True, []), (True, True, ["redis_lost"]), (False, False, ["redis_lost"])],
)
def test_redis_away(up: bool, ours: bool, wanted: list[str]) -> None:
    assert codes(stores.judge_redis(stores.RedisFacts(up, ours, None, {}))) == wanted


def test_audit() -> None:
    assert codes(trail.judge_audit(trail.AuditFacts())) == []
    assert codes(trail.judge_audit(trail.AuditFacts(unread=True))) == []
    assert codes(trail.judge_audit(trail.AuditFacts("line_changed", 7))) == ["audit_broken"]


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (CLOCK, []),
        (replace(CLOCK, synchronised=None), []),
        (replace(CLOCK, synchronised=False), ["clock_not_synchronised"]),
        (replace(CLOCK, doubt_h=20.0), ["clock_jumped"]),
        (replace(CLOCK, now=datetime(2000, 1, 1, tzinfo=UTC)), ["clock_wrong"]),
        (replace(CLOCK, behind_s=86400.0), ["clock_wrong"]),
    ],
)
def test_clock(facts: host.ClockFacts, wanted: list[str]) -> None:
    assert codes(host.judge_clock(facts)) == wanted


def test_times_are_the_citys_with_their_zone() -> None:
    (found,) = host.judge_clock(CLOCK)
    local = NOON.astimezone(ZoneInfo("Asia/Shanghai"))
    assert f"{local:%Y-%m-%d %H:%M}（Asia/Shanghai，UTC+08:00）" in found.seen


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (privacy.PrivacyFacts(True), []),
        (privacy.PrivacyFacts(False), ["data_key_unset"]),
        (privacy.PrivacyFacts(True, ((".env", 0o644),)), ["secrets_readable"]),
        (privacy.PrivacyFacts(True, (), ("var", 0o755)), ["data_dir_open"]),
    ],
)
def test_privacy(facts: privacy.PrivacyFacts, wanted: list[str]) -> None:
    found = (*privacy.judge_encryption(facts), *privacy.judge_modes(facts))
    assert [one.code for one in found if one.level != "ok"] == wanted


@pytest.mark.parametrize(
    ("place", "a_day", "wanted"),
    [
        (ROOM, None, []),
        (ROOM, GIB, []),
        (ROOM, 100 * GIB, ["disk_days_left"]),
        (replace(ROOM, free=GIB), None, ["disk_low"]),
        (replace(ROOM, free=0), None, ["disk_full"]),
        (replace(ROOM, write_errno=errno.EROFS), None, ["volume_readonly"]),
        (replace(ROOM, write_errno=errno.ENOTDIR), None, ["volume_missing"]),
        (replace(ROOM, write_errno=errno.EIO), None, ["volume_error"]),
    ],
)
def test_volumes(place: Volume, a_day: int | None, wanted: list[str]) -> None:
    assert codes(host.judge_volumes(host.VolumeFacts((place,), a_day))) == wanted


def test_the_trouble_of_one_volume_is_told_once() -> None:
    full = replace(ROOM, free=0)
    both = host.VolumeFacts((full, replace(full, name="data", folder=Path("/d"))), None)
    assert codes(host.judge_volumes(both)) == ["disk_full"]


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (POWER, []),
        (replace(POWER, available=GIB // 4), ["memory_low"]),
        (replace(POWER, available=3 * GIB, model_bytes=4 * GIB), ["memory_low"]),
        (replace(POWER, up=True, available=GIB // 4), ["memory_low"]),
        (replace(POWER, up=True, available=GIB), []),
        (replace(POWER, cores=2), ["cores_few"]),
        (replace(POWER, cores=2, recognises=False), []),
    ],
)
def test_power(facts: host.PowerFacts, wanted: list[str]) -> None:
    assert codes(host.judge_power(facts)) == wanted


def test_versions() -> None:
    facts = host.VersionFacts((3, 11), {"vosk": "0.3.45", "qianmen": ""}, "Linux")
    assert codes(host.judge_versions(facts)) == []
    missing = replace(facts, packages={"vosk": ""})
    assert codes(host.judge_versions(missing)) == ["packages_missing"]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, []),
        ({"valid": 0}, ["knowledge_empty"]),
        ({"expired": 2}, ["knowledge_expired"]),
        ({"soon": 2}, ["knowledge_expires_soon"]),
        ({"sample": 2}, ["knowledge_sample"]),
        ({"administrators": 0}, ["staff_no_administrator"]),
        ({"agents": 0}, ["staff_no_agent"]),
        ({"must_change": ("admin",)}, ["staff_first_password"]),
        ({"unlisted": ("li",)}, ["staff_phone_unlisted"]),
        ({"unknown": True, "valid": 0, "agents": 0}, []),
    ],
)
def test_content(changed: dict[str, int], wanted: list[str]) -> None:
    facts = replace(STAFFED, **changed)  # type: ignore[arg-type]  # fields as named above
    assert codes([*content.judge_knowledge(facts), *content.judge_staff(facts)]) == wanted


LINKED = linked.LinkFacts(
    Links(parties=(Party(name="110", label="公安110", url="https://110.test/x"),)),
    frozenset({"110"}),
)  # fmt: skip
WEBHOOK = Target(name="erp", url="http://erp.test/x")


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, []),
        ({"links": Links()}, ["links_none"]),
        ({"keys": frozenset()}, ["link_key_missing"]),
        ({"fault": "QIANMEN_LINK_KEYS: …"}, ["link_keys_invalid"]),
        ({"links": LINKED.links.model_copy(update={"targets": (WEBHOOK,)})},
         ["link_key_missing", "link_plain"]),
        ({"late": {"110": 2}}, ["link_unacknowledged"]),
        ({"given_up": {"erp": 7}}, ["webhook_given_up"]),
        ({"acknowledged": {"110": NOON}}, []),
    ],
)  # fmt: skip
def test_links(changed: dict[str, object], wanted: list[str]) -> None:
    facts = replace(LINKED, **changed)  # type: ignore[arg-type]  # fields as named above
    assert codes(linked.judge_links(facts)) == wanted


ACCOUNT = wechat.WechatFacts(
    "wx0123456789abcdef", secret=True, tokens=("token1",), keyed=True, lines=("12345",),
    https=True, citizens=3, lately=9,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, []),
        ({"appid": "", "tokens": ()}, []),
        ({"tokens": ()}, ["wechat_token_missing"]),
        ({"tokens": ("token1", "令牌")}, ["wechat_token_invalid"]),
        ({"secret": False}, ["wechat_secret_missing"]),
        ({"bad_keys": ("QIANMEN_WECHAT_AES_KEY",)}, ["wechat_aes_key_invalid"]),
        ({"keyed": False, "https": False}, ["wechat_plain", "wechat_public_url"]),
        ({"line": "110"}, ["wechat_line_unknown"]),
        ({"line": "12345", "unfetched": 2}, ["wechat_files_late"]),
        ({"citizens": None}, []),
    ],
)
def test_wechat(changed: dict[str, object], wanted: list[str]) -> None:
    facts = replace(ACCOUNT, **changed)  # type: ignore[arg-type]  # fields as named above
    assert codes(wechat.judge_wechat(facts)) == wanted


def test_processes() -> None:
    row = ("asr", "语音识别", "RUNNING", True)
    assert codes(running.judge_processes(running.ProcessFacts(True, (row,)))) == []
    down = running.ProcessFacts(True, (row, ("rasa", "对话", "BACKOFF", False)))
    assert codes(running.judge_processes(down)) == ["process_not_ready"]
    assert codes(running.judge_processes(running.ProcessFacts(False, ()))) == ["not_running"]


def test_duties() -> None:
    text = (
        "# TYPE qianmen_keeper_duty_failures_total counter\n"
        'qianmen_keeper_duty_failures_total{duty="retention"} 3\n'
        "# TYPE qianmen_keeper_duty_last_success_timestamp_seconds gauge\n"
        f'qianmen_keeper_duty_last_success_timestamp_seconds{{duty="logs"}} {NOON.timestamp()}\n'
    )
    facts = running.keeper_facts(text, NOON.timestamp())
    assert codes(running.judge_keeper(facts)) == ["duty_not_done"]
    well = replace(facts, failures={"logs": 1.0})
    assert codes(running.judge_keeper(well)) == []
    late = replace(well, now=(NOON + timedelta(days=3)).timestamp())
    assert codes(running.judge_keeper(late)) == ["duty_not_done"]
    assert codes(running.judge_keeper(replace(well, failures=None))) == []
