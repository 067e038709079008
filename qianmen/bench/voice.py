"""How long a caller waits: from the last spoken sample to the first answering one, at the wire."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import wave
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from config.settings import ROOT, Settings
from qianmen.bench.figures import Figure, Figures, percentile, spread
from qianmen.bench.questions import CALLS
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.record import read_record
from tts.say import synthesise
from turns.ids import conversation_of_call

PARTS = {"endpoint_ms": "end of turn", "words_ms": "words", "dialogue_ms": "dialogue",
         "speech_ms": "speech"}  # fmt: skip
_VOICES = (("cmn", 165), ("cmn+f3", 155), ("cmn+m3", 175))
GOAL_P50_MS = 600
GOAL_SPREAD = 3
GOAL_BARGE_IN_MS = 250
BARGE_IN_S = 2.0
"""So long after an answer began the next question is asked into it."""
_BARGE_CALLS = 5
_LONGEST_S = 1200.0

Timings = Sequence[dict[str, Any]]


async def run_voice(
    settings: Settings,
    turns: int = 30,
    *,
    calls: int = 1,
    barge_ins: int = 0,
    uri: str = "",
    recordings: Sequence[Path] = (),
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> Figures:
    """Call a running front door until ``turns`` questions were asked; what came of it.

    ``calls`` are held at the same time; after them ``barge_ins`` questions are asked into the
    answer before. ``uri`` is this machine's own front door unless given; ``recordings`` (16-bit
    WAV) are asked in the place of synthesised questions. The split comes from the front door's own
    record.
    Raises :class:`CitizenError` where it does not answer.
    """
    uri = uri or f"sip:12345@127.0.0.1:{settings.sip_port}"
    with tempfile.TemporaryDirectory(prefix="qianmen-bench-") as folder:
        plan = _plan(turns, Path(folder), recordings)
        held = await _measure({"uri": uri, "calls": plan, "at_once": calls}, on_progress)
        barged = await _barge_in(uri, barge_ins, Path(folder), recordings, on_progress)
        waited = await asyncio.to_thread(
            _fixed, settings, sorted({path for c in plan for path in c})
        )
    timings = await asyncio.to_thread(_timings, settings, held)
    figures = summary(held, timings, len(plan) - len(held))
    return Figures((*figures.figures, *barge_in(barged)), fixed_endpoint(held, timings, waited))


async def _barge_in(
    uri: str,
    count: int,
    folder: Path,
    recordings: Sequence[Path],
    on_progress: Callable[[dict[str, Any]], None] | None,
) -> list[dict[str, Any]]:
    """Calls with ``count`` questions asked into the answer before, and the first of each call."""
    if not count:
        return []
    calls = _plan(count + -(-count // _BARGE_CALLS), folder, recordings)
    plan = {"uri": uri, "calls": calls, "at_once": _BARGE_CALLS, "barge_in_s": BARGE_IN_S}
    return await _measure(plan, on_progress)


def _fixed(settings: Settings, paths: Sequence[str]) -> list[float]:
    """How long Vosk's own endpointing waits after each question, ms; [] with a remote recogniser.

    Those that it cut in the middle wait for nothing and are left out.
    """
    from asr.models.shelf import in_use
    from asr.vosk_local import model_rate
    from qianmen.bench.vosk_endpoint import waits_ms

    folder = in_use(settings)
    return [] if folder is None else waits_ms(folder, model_rate(folder), [Path(p) for p in paths])


def fixed_endpoint(
    calls: Sequence[dict[str, Any]], timings: Sequence[Timings], waited: Sequence[float]
) -> tuple[Figure, ...]:
    """What callers would have waited with Vosk's own endpointing: its waits and the rest of ours.

    Computed, not measured: each of ``waited`` (ms) and each turn's time without its end of turn.
    """
    rests = [
        turn["answer_ms"] - float(part["endpoint_ms"])
        for call, parts in zip(calls, timings, strict=True)
        if len(call["turns"]) == len(parts)
        for turn, part in zip(call["turns"], parts, strict=True)
        if turn["answer_ms"] is not None and "endpoint_ms" in part
    ]
    return spread("voice answer, Vosk's endpointing", [a + b for a in waited for b in rests])


def barge_in(calls: Sequence[dict[str, Any]]) -> tuple[Figure, ...]:
    """How soon an answer stopped when the caller spoke into it."""
    turns = [turn for call in calls for turn in call["turns"]]
    stopped = [turn["barge_in_ms"] for turn in turns if turn["barge_in_ms"] is not None]
    if not turns:
        return ()
    return (
        *spread("barge-in", stopped, (50, 95), {95: f"≤ {GOAL_BARGE_IN_MS}"}),
        Figure("barge-in tried", len(stopped) + sum(turn["cut_in"] for turn in turns), ""),
        Figure("barge-in not heard", sum(turn["cut_in"] for turn in turns), ""),
    )


def _plan(turns: int, folder: Path, recordings: Sequence[Path]) -> list[list[str]]:
    if recordings:
        paths = [str(path) for path in islice(cycle(recordings), turns)]
        return [paths[start : start + 6] for start in range(0, turns, 6)]
    calls: list[list[str]] = []
    left = turns
    for number, sentences in enumerate(cycle(CALLS)):
        if left <= 0:
            break
        voice, speed = _VOICES[number % len(_VOICES)]
        asked = sentences[:left]
        calls.append([write_question(folder, text, voice, speed) for text in asked])
        left -= len(asked)
    return calls


def write_question(folder: Path, text: str, voice: str, speed: int) -> str:
    """``text`` spoken, in a WAV file of ``folder``; its path."""
    path = folder / f"{len(list(folder.iterdir()))}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(synthesise(text, voice, speed))
    return str(path)


async def _measure(
    plan: dict[str, Any], on_progress: Callable[[dict[str, Any]], None] | None
) -> list[dict[str, Any]]:
    """Run the measuring process; a line for each call, up to one that is not taken."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qianmen.bench.wire_main",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT, limit=2**24,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  # pipes
    calls: list[dict[str, Any]] = []
    failure: CitizenError | None = None
    try:
        process.stdin.write(json.dumps(plan).encode())
        process.stdin.write_eof()
        async with asyncio.timeout(_LONGEST_S):
            async for line in process.stdout:
                call = json.loads(line)
                if "error" in call:
                    failure = CitizenError(call["error"], call["text"])
                    break
                calls.append(call)
                if on_progress is not None:
                    on_progress(call)
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not calls:
        raise failure or CitizenError("lost", "the measuring process ended without a result")
    return calls


def _timings(settings: Settings, calls: Iterable[dict[str, Any]]) -> list[Timings]:
    names = (conversation_of_call(call["call_id"]) for call in calls)
    records = [read_record(settings.database, name, data_key=settings.data_key) for name in names]
    return [record.timings if record is not None else () for record in records]


def elsewhere(calls: Sequence[dict[str, Any]], timings: Sequence[Timings]) -> list[float]:
    """What of each answer the front door's parts do not explain, ms: packets, jitter buffer, lead.

    Only of calls in which every question became exactly one turn.
    """
    rest: list[float] = []
    for call, parts in zip(calls, timings, strict=True):
        if len(call["turns"]) != len(parts):
            continue
        rest += [
            turn["answer_ms"] - sum(float(part[key]) for key in PARTS)
            for turn, part in zip(call["turns"], parts, strict=True)
            if turn["answer_ms"] is not None and PARTS.keys() <= part.keys()
        ]
    return rest


def summary(
    calls: Sequence[dict[str, Any]], timings: Sequence[Timings], not_taken: int = 0
) -> Figures:
    """The figures of measured calls (``WireCall`` as dicts) and of the front door's own split.

    ``not_taken``: calls of the plan that were never held, because one was not answered.
    """
    turns = [turn for call in calls for turn in call["turns"]]
    answers = [turn["answer_ms"] for turn in turns if turn["answer_ms"] is not None]
    figures: list[Figure] = [Figure("voice turns", len(turns), "")]
    figures += spread("voice answer", answers, goals={50: f"≤ {GOAL_P50_MS}"})
    if answers:
        ratio = percentile(answers, 99) / percentile(answers, 50)
        goal = f"≤ {GOAL_SPREAD}"
        figures.append(Figure("voice answer p99 / p50", round(ratio, 2), "", goal))
    for key, name in PARTS.items():
        values = [float(part[key]) for parts in timings for part in parts if key in part]
        figures += spread(f"voice split: {name}", values, (50, 95))
    figures += spread("voice split: elsewhere", elsewhere(calls, timings), (50, 95))
    greetings = [call["greeting_ms"] for call in calls if call["greeting_ms"] is not None]
    figures += spread("voice call taken", [call["answered_ms"] for call in calls], (50,))
    figures += spread("voice greeting heard", greetings, (50,))
    figures += spread("own packet gap", [g for call in calls for g in call["pacing_ms"]], (99,))
    figures += [
        Figure("voice turns cut into", sum(turn["cut_in"] for turn in turns), ""),
        Figure("voice turns unanswered",
               sum(t["answer_ms"] is None and not t["cut_in"] for t in turns), ""),
        Figure("voice calls ended early", sum(call["ended_early"] for call in calls), ""),
        Figure("voice calls not taken", not_taken, ""),
    ]  # fmt: skip
    return Figures(tuple(figures))
