"""The city's own recordings: each can be read, and says what is to be said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, ok, warning
from qianmen.recorded import city_recordings
from tts.recordings import LONGEST_S, Code, Problem

_SHOWN = 5
_SEEN: dict[Code, tuple[str, str]] = {
    "unreadable": ("读不了", "请用 WAV、FLAC、Ogg 或 Opus 重新导出；说明文字用 UTF-8。"),
    "too_long": (f"超过 {LONGEST_S:.0f} 秒", "请按句剪成几个文件。"),
    "silent": ("听不到声音", "请重新录音。"),
    "stale": ("录的话和现在的提示语不一样，没有播放", "请按新的提示语重新录音，改好旁边的 .txt。"),
    "perhaps_stale": (
        "比提示语文件旧，可能录的是旧话",
        "请听一遍：话没变，用 touch 更新文件时间，或在旁边放同名 .txt 写上录的话；变了，重新录音。",
    ),
    "unknown": ("不知道录的是哪句话", "文件名用提示语的名字，或在旁边放同名 .txt 写上录的话。"),
    "twice": ("同一句话有两个录音", "请留一个。"),
}


@dataclass(frozen=True, slots=True)
class RecordedFacts:
    """``count``: recordings that are said; what is wrong with the others."""

    count: int = 0
    problems: tuple[Problem, ...] = ()


def collect_recorded(patient: Patient) -> RecordedFacts:
    """Read every recording, as the phone does."""
    if patient.city is None:
        return RecordedFacts()
    found = city_recordings(patient.city)
    return RecordedFacts(len(found.sounds), found.problems)


def judge_recorded(facts: RecordedFacts) -> Iterator[Finding]:
    """One finding for each kind of problem."""
    subject = "录音提示语"
    if facts.count and not facts.problems:
        yield ok("recordings_ok", subject, f"{facts.count} 段")
    for code, (seen, do) in _SEEN.items():
        files = [problem.file for problem in facts.problems if problem.code == code]
        if files:
            named = "、".join(files[:_SHOWN]) + ("等" if len(files) > _SHOWN else "")
            yield warning(f"recording_{code}", subject, f"{named}：{seen}", do)


CHECKS = (check("语音", collect_recorded, judge_recorded, within_s=60),)
