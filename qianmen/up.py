"""Start the front door, wait until it is ready, keep it until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator

from asr.models.catalogue import STARTER
from asr.models.shelf import wanted
from config.settings import Settings
from qianmen.console import say
from qianmen.ports import check_ports
from qianmen.prepare import Prepared, prepare
from qianmen.processes import Process, processes
from qianmen.readiness import until_ready
from qianmen.supervise import start

READY_S = 300.0  # on a machine that is busy with other things; a quiet one needs 30 s
_STOP_S = 4.5


class StartError(Exception):
    """The front door did not come up; ``code`` is ``not_ready`` or ``manager_ended``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@contextlib.asynccontextmanager
async def front_door(settings: Settings) -> AsyncIterator[Prepared]:
    """Everything running and ready inside; everything ended, nothing left behind, after.

    Raises :class:`StartError`, and what preparing and the ports raise.
    """
    check_ports(settings)
    prepared = await asyncio.to_thread(prepare, settings)
    wanted = processes(settings)
    manager = start(settings, wanted)
    try:
        await _all_ready(settings, wanted, manager)
        yield prepared
    finally:
        await asyncio.to_thread(stop, manager)
        prepared.engine.dispose()


async def _all_ready(
    settings: Settings, wanted: tuple[Process, ...], manager: subprocess.Popen[bytes]
) -> None:
    waiting = [asyncio.create_task(_announce(process), name=process.name) for process in wanted]
    gone = asyncio.create_task(asyncio.to_thread(manager.wait))
    everybody = asyncio.ensure_future(asyncio.wait(waiting))
    await asyncio.wait({everybody, gone}, timeout=READY_S, return_when=asyncio.FIRST_COMPLETED)
    late = [task.get_name() for task in waiting if not task.done()]
    for task in (*waiting, everybody, gone):
        task.cancel()
    if not late:
        return
    if manager.poll() is not None:
        log = settings.log_dir / "supervisor.log"
        raise StartError("manager_ended", f"进程管理器退出了，请看 {log}")
    logs = "、".join(str(settings.log_dir / f"{name}.log") for name in late)
    raise StartError("not_ready", f"{'、'.join(late)} 在 {READY_S:.0f} 秒内没有就绪，请看 {logs}")


async def _announce(process: Process) -> None:
    began = time.monotonic()
    await until_ready(process)
    waited = time.monotonic() - began
    say(f"✔ {process.name:<8}{process.label}  {process.address}（{waited:.1f} 秒）")


def stop(manager: subprocess.Popen[bytes]) -> None:
    """End the manager and with it every process, by force after ``_STOP_S``."""
    if manager.poll() is not None:
        return
    manager.terminate()
    try:
        manager.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(manager.pid, signal.SIGKILL)  # its children follow: they are tethered to it
        manager.wait()


def stop_asked() -> asyncio.Event:
    """Set at Ctrl-C or SIGTERM, from this call on."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def say_places(settings: Settings) -> None:
    """Where everything is."""
    say(f"  市民网页对话   {settings.web_address}/")
    say(f"  工单与坐席     {settings.web_address}/staff/sign-in")
    say(f"  电话           sip:12345@本机地址:{settings.sip_port}")


def welcome(settings: Settings, prepared: Prepared) -> None:
    """Where everything is, and the first password, shown this once."""
    say("")
    say(f"{prepared.city.name} 12345 前门已经开门：")
    say_places(settings)
    if prepared.password:
        say(f"  管理员 admin 的初始密码（只显示这一次）：{prepared.password}")
    if wanted(settings) == STARTER and not settings.asr_url:
        say("  注意：现在用的是随附的入门语音模型，只认合成语音，不能给真实市民用（见 README）。")
    say("")
