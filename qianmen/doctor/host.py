"""The machine: clock, volumes, memory, cores, versions."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from shutil import which
from zoneinfo import ZoneInfo

import psutil
from sqlalchemy import func, select

from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.doctor.stores import sqlite_file
from qianmen.keeper import clock as kept_clock
from qianmen.keeper.volumes import Volume, folders, judge, look_at
from qianmen.keeper.watch import clock_file
from store.engine import StoreError, open_store, reading
from store.tables import Recording

_RECORDING_BYTES_A_MS = 11
"""FLAC of telephone speech on both sides all the time: 86 kbit/s (measured); calls have pauses."""
_WEEK = timedelta(days=7)
_FEW_DAYS = 14
CALLS_A_CORE = 10
"""20 streams in real time on 2 cores, with Vosk's small model and with the starter (measured)."""
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """``synchronised`` as the kernel or timedatectl says, None unknown; ``doubt_h`` the keeper's.

    ``behind_s``: how far the clock is behind what the keeper has seen last.
    """

    now: datetime
    zone: str
    synchronised: bool | None
    doubt_h: float = 0.0
    behind_s: float = 0.0


def collect_clock(patient: Patient) -> ClockFacts:
    """Ask the kernel, systemd and the keeper's memory."""
    now = datetime.now(UTC)
    zone = patient.city.timezone if patient.city else ""
    known = kept_clock.Clock()
    path = clock_file(patient.settings)
    if path.is_file():
        known = kept_clock.loads(path.read_text("utf-8", "replace"))
    behind = (known.seen - now).total_seconds() if known.seen else 0.0
    return ClockFacts(now, zone, _synchronised(), known.doubt / timedelta(hours=1), behind)


def _synchronised() -> bool | None:
    program = which("timedatectl")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # a fixed program and arguments
            [program, "show", "-p", "NTPSynchronized", "--value"],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip()) if done.returncode == 0 else None


def _shown(facts: ClockFacts) -> str:
    """The time as the city's clocks show it, with its zone."""
    if not facts.zone:
        return f"{facts.now:%Y-%m-%d %H:%M} UTC"
    local = facts.now.astimezone(ZoneInfo(facts.zone))
    offset = local.isoformat(timespec="minutes")[-6:]
    return f"{local:%Y-%m-%d %H:%M}（{facts.zone}，UTC{offset}）"


def judge_clock(facts: ClockFacts) -> Iterator[Finding]:
    """Right, and kept right."""
    subject = "时钟"
    if facts.doubt_h:
        yield warning(
            "clock_jumped", subject,
            f"时钟往前跳过一大步；按期删除已暂停，还要停 {facts.doubt_h:.0f} 小时",
            "核对现在的时间；时间对，就运行 qianmen doctor --clock-is-right，删除立即恢复。",
        )  # fmt: skip
    if facts.now < _EARLIEST or facts.behind_s > kept_clock.NOTED.total_seconds():
        yield error(
            "clock_wrong", subject, f"现在显示 {_shown(facts)}，比记录过的时间还早",
            "校准时间（timedatectl set-time 或启用 NTP）：工单日期、登录和保存期都靠它。",
        )  # fmt: skip
    elif facts.synchronised is False:
        yield warning(
            "clock_not_synchronised", subject, "没有和时间服务器对时",
            "timedatectl set-ntp true；没有外网就在 chrony 里写上内网的时间服务器。",
        )  # fmt: skip
    elif not facts.doubt_h:
        state = "已对时" if facts.synchronised else "看不到是否对时"
        yield ok("clock_ok", subject, f"{_shown(facts)}，{state}")


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """The folders' volumes, and bytes of recordings a day in the last week (None: unknown)."""

    volumes: tuple[Volume, ...]
    recorded_a_day: int | None


def collect_volumes(patient: Patient) -> VolumeFacts:
    """Look at each; ask the database how much is recorded."""
    seen = tuple(look_at(name, folder) for name, folder in folders(patient.settings).items())
    return VolumeFacts(seen, _recorded_a_day(patient))


def _recorded_a_day(patient: Patient) -> int | None:
    file = sqlite_file(patient.settings)
    if file and not file.exists():
        return None
    try:
        engine = open_store(patient.settings)
    except StoreError:
        return None
    since = datetime.now(UTC) - _WEEK
    wanted = select(func.sum(Recording.duration_ms)).where(Recording.started_at > since)
    try:
        with reading(engine) as session:
            total = int(session.scalar(wanted) or 0)
    except Exception:  # noqa: BLE001  # the database's own check says what is wrong with it
        return None
    finally:
        engine.dispose()
    return total * _RECORDING_BYTES_A_MS // _WEEK.days


_VOLUME_SAYS = {
    "disk_full": ("盘满了", "马上腾出空间：移走旧日志、旧录音，或者换一块大的盘。"),
    "disk_low": ("空间不多了", "腾出空间或者加盘；录音保存期在 city.yaml 的 retention 里。"),
    "volume_readonly": ("不能写", "让运行前门的用户能写这个文件夹（chown、只读挂载）。"),
    "volume_missing": ("不是文件夹，或者建不了", "移开挡住的文件，或者改 QIANMEN_DATA_DIR。"),
    "volume_error": ("写的时候出错", "看 dmesg：可能是盘坏了。"),
}


def judge_volumes(facts: VolumeFacts) -> Iterator[Finding]:
    """Room, and for how long."""
    fine = True
    for place in _distinct(facts.volumes):
        code = judge(place)
        if code:
            fine = False
            said, do = _VOLUME_SAYS[code]
            seen = f"{said}，还剩 {_gib(place.free)}"
            level = warning if code == "disk_low" else error
            yield level(code, f"文件夹 {place.folder}", seen, do)
    recordings = next((one for one in facts.volumes if one.name == "recordings"), None)
    if recordings and facts.recorded_a_day:
        days = recordings.free // facts.recorded_a_day
        if days < _FEW_DAYS:
            fine = False
            yield warning(
                "disk_days_left", "录音", f"照上一周的速度，{days} 天后盘满",
                "加盘，或者在 city.yaml 的 retention 里缩短 recordings_days。",
            )  # fmt: skip
    if fine and facts.volumes:
        yield ok("disk_ok", "磁盘", f"还剩 {_gib(min(one.free for one in facts.volumes))}，都能写")


def _distinct(places: tuple[Volume, ...]) -> Iterator[Volume]:
    """The same trouble of one volume is told once."""
    seen: set[tuple[str, int]] = set()
    for place in places:
        mark = judge(place), place.total
        if mark not in seen:
            seen.add(mark)
            yield place


def _gib(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB"


IDLE_BYTES = 1430 * 1024**2
"""Resident memory of all processes at rest, with the starter model (measured)."""


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """Memory in bytes, cores, and what is expected of them."""

    up: bool
    total: int
    available: int
    cores: int
    max_calls: int
    model_bytes: int
    recognises: bool


def collect_power(patient: Patient) -> PowerFacts:
    """Ask the kernel; a container's own limit counts where there is one."""
    memory = psutil.virtual_memory()
    settings = patient.settings
    model = 0
    if settings.model and settings.model.is_dir():
        model = sum(one.stat().st_size for one in settings.model.rglob("*") if one.is_file())
    return PowerFacts(
        patient.up, memory.total, memory.available, len(os.sched_getaffinity(0)),
        settings.max_calls, model, not settings.asr_url,
    )  # fmt: skip


def judge_power(facts: PowerFacts) -> Iterator[Finding]:
    """Enough for what is started, and for the calls that are allowed."""
    subject = "内存和 CPU"
    needed = IDLE_BYTES + facts.model_bytes
    fine = True
    if not facts.up and facts.available < needed:
        fine = False
        yield warning(
            "memory_low", subject, f"还有 {_gib(facts.available)} 可用，启动要 {_gib(needed)}",
            "关掉别的程序，加内存，或者换小一点的语音模型。",
        )  # fmt: skip
    elif facts.up and facts.available < facts.total // 20:
        fine = False
        yield warning(
            "memory_low", subject, f"只剩 {_gib(facts.available)} 可用",
            "加内存；看 qianmen status 和系统日志里有没有 OOM。",
        )  # fmt: skip
    hears = CALLS_A_CORE * facts.cores
    if facts.recognises and facts.max_calls > hears:
        fine = False
        yield warning(
            "cores_few", subject,
            f"{facts.cores} 个核同时听得过来约 {hears} 路，QIANMEN_MAX_CALLS 是 {facts.max_calls}",
            f"把 QIANMEN_MAX_CALLS 设成 {hears} 以内，或者加核，或者识别放到别的机器（ASR_URL）。",
        )  # fmt: skip
    if fine:
        yield ok("power_ok", subject, f"{facts.cores} 核，可用 {_gib(facts.available)}")


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """Of Python and the packages that matter most."""

    python: tuple[int, int]
    packages: dict[str, str]
    system: str


def collect_versions(_patient: Patient) -> VersionFacts:
    """As installed."""
    packages = {}
    for name in ("qianmen", "vosk", "sqlalchemy"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = ""
    return VersionFacts(
        (sys.version_info[0], sys.version_info[1]), packages, platform.platform(terse=True)
    )


def judge_versions(facts: VersionFacts) -> Iterator[Finding]:
    """All there."""
    missing = [name for name, found in facts.packages.items() if not found and name != "qianmen"]
    python = ".".join(str(part) for part in facts.python)
    if missing:
        yield error("packages_missing", "版本", f"缺少 {'、'.join(missing)}", "运行 make setup。")
        return
    named = "，".join(f"{name} {found}" for name, found in facts.packages.items() if found)
    yield ok("versions", "版本", f"Python {python}，{named}，{facts.system}")


CHECKS = (
    check("机器", collect_clock, judge_clock),
    check("机器", collect_volumes, judge_volumes, within_s=20),
    check("机器", collect_power, judge_power),
    check("机器", collect_versions, judge_versions),
)
