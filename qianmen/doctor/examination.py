"""The whole examination, and how people read it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from config.city import City, load_city
from config.errors import ConfigError
from config.settings import Settings, reachable
from qianmen.doctor import (
    content,
    dialogue,
    host,
    linked,
    network,
    orders,
    places,
    privacy,
    recorded,
    running,
    speech,
    stores,
    trail,
    wechat,
)
from qianmen.doctor import telephone as phone
from qianmen.doctor.check import Check, Patient, run_checks
from qianmen.doctor.finding import Finding
from qianmen.health import healthy
from qianmen.supervise import running as managed_processes

MARKS = {"ok": "✔", "warning": "!", "error": "✘"}


def checks() -> tuple[Check, ...]:
    """All checks, in the order in which they are shown."""
    rooms = (running, places, privacy, network, phone, speech, recorded, dialogue, stores, trail,
             linked, wechat, host, content, orders)  # fmt: skip
    return tuple(one for room in rooms for one in room.CHECKS)


def patient(settings: Settings, *, thorough: bool = False) -> Patient:
    """The installation, and whether it runs."""
    managed = managed_processes(settings)
    servers = (settings.asr_server, settings.actions_server, settings.rasa_server)
    scattered = managed is None and any(servers)
    up = managed is not None or _serves(settings, scattered=scattered)
    return Patient(settings, _city(settings), managed, up, thorough, scattered)


def _city(settings: Settings) -> City | None:
    try:
        return load_city(settings.city)
    except ConfigError:
        return None


def _serves(settings: Settings, *, scattered: bool) -> bool:
    """Whether the keeper, or in containers the actions, serve where the settings say."""
    keeper = f"http://{reachable(settings.metrics_host)}:{settings.keeper_port}/livez"
    return healthy(f"{settings.actions_address}/readyz" if scattered else keeper)


def examine(settings: Settings, *, thorough: bool = False) -> tuple[tuple[str, Finding], ...]:
    """Every finding, with the title of its group."""
    return run_checks(checks(), patient(settings, thorough=thorough))


def report_lines(found: Iterable[tuple[str, Finding]], *, everything: bool = False) -> list[str]:
    """Grouped, a line a finding, and what to do under those that need it.

    Groups in which all is well are one line, unless ``everything`` is wanted.
    """
    lines: list[str] = []
    for title, group in groupby(found, key=lambda item: item[0]):
        findings = [finding for _, finding in group]
        if not everything and all(one.level == "ok" for one in findings):
            lines.append(f"✔ {title}：{'、'.join(dict.fromkeys(f.subject for f in findings))}")
            continue
        lines.append(f"{title}")
        for one in findings:
            lines.append(f"  {MARKS[one.level]} {one.subject}：{one.seen}")
            if one.level != "ok":
                lines.append(f"      怎么办：{one.do}  [{one.code}]")
    return lines


def summary(findings: Iterable[Finding]) -> str:
    """The last line."""
    listed = tuple(findings)
    errors = sum(one.level == "error" for one in listed)
    warnings = sum(one.level == "warning" for one in listed)
    if errors:
        return f"✘ {errors} 处要马上处理，{warnings} 处要留意。"
    return f"✔ 能用；{warnings} 处要留意。" if warnings else "✔ 一切正常。"
