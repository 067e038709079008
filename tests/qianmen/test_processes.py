"""What is started, and how the process manager is told."""

from __future__ import annotations

import configparser
import socket
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.secretfiles import SECRETS
from config.settings import Settings
from qianmen.ports import check_ports
from qianmen.processes import processes
from qianmen.supervise import child_environment, render, running, socket_path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "with space and %", secret_key='p%(s)s"wo\\rd of length 16')


def rendered(settings: Settings) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(render(settings, processes(settings)))
    return parser


def test_the_processes_of_the_design_are_started(settings: Settings) -> None:
    names = [process.name for process in processes(settings)]
    assert names == ["redis", "asr", "actions", "rasa", "web", "phone", "courier", "keeper"]


def test_a_redis_of_the_citys_own_is_not_started(settings: Settings) -> None:
    theirs = settings.model_copy(update={"redis_url": "redis://redis.city:6379/3"})
    assert "redis" not in [process.name for process in processes(theirs)]
    assert theirs.redis == "redis://redis.city:6379/3"


def test_every_process_is_restarted_and_ends_with_its_parent(settings: Settings) -> None:
    parser = rendered(settings)
    programs = [name for name in parser.sections() if name.startswith("program:")]
    assert len(programs) == 8
    for name in programs:
        assert parser[name]["autorestart"] == "true"
        assert '"qianmen.tether"' in parser[name]["command"]


def test_a_child_gets_exactly_our_settings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = settings.model_copy(update={"sip_port": 5999, "sip_peers": ("10.0.0.1",)})
    inherited = changed.environment() | child_environment(changed, processes(changed)[1])
    for key, value in inherited.items():
        if key.startswith("QIANMEN_"):
            monkeypatch.setenv(key, value)
    assert Settings() == changed


def test_per_cent_signs_and_quotes_survive_supervisors_expansion(settings: Settings) -> None:
    odd = settings.model_copy(update={"oidc_label": 'p%(s)s"wo\\rd'})
    command = rendered(odd)["program:asr"]
    expanded = command["environment"] % {}
    assert 'p%(s)s\\"wo\\\\rd' in expanded


def test_no_secret_stands_in_the_managers_file(settings: Settings) -> None:
    words = {name: f"redis://hidden-{name}/0" for name in SECRETS}
    secretive = settings.model_copy(update=words)
    text = render(secretive, processes(secretive))
    assert "supervisord" in text
    assert "hidden-" not in text


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    deep = Settings(data_dir=tmp_path / ("x" * 90))
    assert len(str(socket_path(deep)).encode()) <= 100
    assert socket_path(deep) != socket_path(Settings(data_dir=tmp_path / ("y" * 90)))


def test_no_manager_is_said_so(settings: Settings) -> None:
    assert running(settings) is None


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_named_with_its_setting(settings: Settings, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        name = "web_port" if kind == socket.SOCK_STREAM else "sip_port"
        blocked = settings.model_copy(update={name: port, "sip_host": "127.0.0.1"})
        with pytest.raises(ConfigError) as caught:
            check_ports(blocked)
    assert caught.value.code == "port_in_use"
    assert f"127.0.0.1:{port} (QIANMEN_{name.upper()})" in str(caught.value)
