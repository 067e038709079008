"""The process manager: supervisor, its configuration, and what it says of each process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from config.settings import ROOT, Settings
from qianmen.processes import Process
from qianmen.tether import tie_to_parent

# A UNIX socket's path may have 107 bytes; a deep data folder would not fit.
_SOCKET_LIMIT = 100
_STOP_S = 3


@dataclass(frozen=True, slots=True)
class Running:
    """What the process manager says of one process: its state, pid and how often it was begun."""

    name: str
    state: str
    pid: int


def socket_path(settings: Settings) -> Path:
    """Where the process manager of this installation listens."""
    path = settings.data_dir / "run" / "supervisor.sock"
    if len(str(path).encode()) <= _SOCKET_LIMIT:
        return path
    mark = hashlib.sha256(str(settings.data_dir).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"qianmen-{mark}.sock"


def render(settings: Settings, processes: Iterable[Process]) -> str:
    """Supervisor's configuration for ``processes``.

    It rotates no log by its size: ``qianmen.keeper.logs`` keeps them by day.
    """
    run, log = settings.data_dir / "run", settings.log_dir
    head = f"""[supervisord]
nodaemon=true
logfile={_plain(log / "supervisor.log")}
logfile_maxbytes=0
pidfile={_plain(run / "supervisor.pid")}
childlogdir={_plain(log)}
[unix_http_server]
file={_plain(socket_path(settings))}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
    wanted = tuple(processes)
    # In one group, so that all are told to stop at once: supervisor stops groups one by one.
    group = f"[group:qianmen]\nprograms={','.join(process.name for process in wanted)}\n"
    return head + group + "".join(_program(settings, process) for process in wanted)


def _program(settings: Settings, process: Process) -> str:
    tethered = (sys.executable, "-m", "qianmen.tether", *process.argv)
    command = " ".join(_quoted(part) for part in tethered)
    environment = child_environment(settings, process)
    pairs = ",".join(f"{key}={_quoted(value)}" for key, value in environment.items())
    log = _plain(settings.log_dir / f"{process.name}.log")
    return f"""[program:{process.name}]
command={command}
directory={_plain(process.folder)}
environment={pairs}
autorestart=true
startsecs=1
startretries=1000000
stopsignal=TERM
stopwaitsecs={_STOP_S}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=0
"""


def child_environment(settings: Settings, process: Process) -> dict[str, str]:
    """What a process gets beside what it inherits: these very settings, and its own variables.

    Secrets are not among them: they are inherited (:func:`start`), and stand in no file of ours.
    """
    base = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return base | settings.environment(secrets=False) | process.environment


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _plain(escaped) + '"'


def _plain(value: object) -> str:
    """Supervisor expands %(…)s everywhere; a per cent sign of ours must stay one."""
    return str(value).replace("%", "%%")


def start(settings: Settings, processes: Iterable[Process]) -> subprocess.Popen[bytes]:
    """Start the process manager in the foreground of a session of its own.

    Of its own, so that Ctrl-C in the terminal reaches it once, through us, and not every child.
    """
    for folder in (settings.data_dir / "run", settings.log_dir, settings.data_dir / "redis"):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = settings.data_dir / "run" / "supervisor.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(render(settings, processes), encoding="utf-8")
    return subprocess.Popen(  # noqa: S603  # our own interpreter and file
        [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(configuration)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=tie_to_parent,  # no threads exist yet in this program
        cwd=ROOT,
        env=os.environ | settings.environment(),
    )


def running(settings: Settings) -> Mapping[str, Running] | None:
    """What the process manager says of each process; None where it does not run."""
    if not socket_path(settings).exists():
        return None
    transport = SupervisorTransport(None, None, f"unix://{socket_path(settings)}")
    try:
        rows = ServerProxy("http://127.0.0.1", transport=transport).supervisor.getAllProcessInfo()
    except (OSError, Fault):
        return None
    finally:
        transport.close()
    assert isinstance(rows, list)  # noqa: S101  # what supervisor's API says
    return {row["name"]: Running(row["name"], row["statename"], row["pid"]) for row in rows}
