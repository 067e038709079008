"""Checks side by side, each with its time limit; one that fails is a finding itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from config.city import City
from config.settings import Settings
from qianmen.doctor.finding import Finding, error, warning
from qianmen.supervise import Running

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Patient:
    """The installation that is looked at.

    ``managed`` is what its process manager says, None where there is none; ``up``: it runs, here
    or in containers. ``scattered``: its processes are in several containers, of which this is one,
    so that their ports are not this one's. ``thorough``: what takes minutes is done as well.
    """

    settings: Settings
    city: City | None
    managed: Mapping[str, Running] | None
    up: bool
    thorough: bool = False
    scattered: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """``examine`` gathers facts and judges them; ``within_s`` is its limit."""

    title: str
    examine: Callable[[Patient], tuple[Finding, ...]]
    within_s: float = 10.0


def check(
    title: str,
    collect: Callable[[Patient], Facts],
    judge: Callable[[Facts], Iterable[Finding]],
    within_s: float = 10.0,
) -> Check:
    """Facts by ``collect``, which may block and touch the world; findings by ``judge``, pure."""
    return Check(title, lambda patient: tuple(judge(collect(patient))), within_s)


def run_checks(checks: Iterable[Check], patient: Patient) -> tuple[tuple[str, Finding], ...]:
    """All at once; findings in the order of the checks, each with its check's title."""
    wanted = tuple(checks)
    found: list[tuple[Finding, ...] | None] = [None] * len(wanted)

    def work(place: int) -> None:
        found[place] = _examined(wanted[place], patient)

    threads = [
        threading.Thread(target=work, args=(place,), daemon=True) for place in range(len(wanted))
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for item, thread in zip(wanted, threads, strict=True):
        thread.join(max(0.0, began + item.within_s - time.monotonic()))
    listed = [_too_slow(item) if got is None else got for item, got in zip(wanted, found)]  # noqa: B905  # a late thread may still write to the list
    return tuple((item.title, one) for item, got in zip(wanted, listed, strict=True) for one in got)


def _examined(item: Check, patient: Patient) -> tuple[Finding, ...]:
    try:
        return item.examine(patient)
    except Exception as failure:  # noqa: BLE001  # a check that breaks must not hide the others
        code = getattr(failure, "code", None)
        name = code if isinstance(code, str) else type(failure).__name__
        seen = f"这一项没能查完（{name}）"
        return (error("check_failed", item.title, seen, "请把这一行连同版本号告诉维护人员。"),)


def _too_slow(item: Check) -> tuple[Finding, ...]:
    seen = f"{item.within_s:.0f} 秒内没有查完"
    do = "磁盘、网络或数据库可能卡住了：先看其他几项，稍后再查一次。"
    return (warning("check_slow", item.title, seen, do),)
