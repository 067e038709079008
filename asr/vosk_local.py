"""Vosk inside this process: one shared model, one recogniser a stream, threads.

Vosk releases the GIL while it works, so a bounded pool of threads uses the cores.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import structlog
import vosk

from asr.models.check import check
from asr.models.tried import Tried
from asr.narrow import Narrow, grammar
from asr.recogniser import SAMPLE_RATE, UNKNOWN, RecogniserError, Words, join
from asr.resampling import Resampler
from turns.voice import Word

T = TypeVar("T")

log = structlog.get_logger()
_RUNTIME_GRAPHS = ("graph/HCLr.fst", "HCLr.fst")
_SILENT = -2
"""Log level: Kaldi's errors only, and those are caught."""
_WARM_UP = bytes(2 * SAMPLE_RATE // 2)

_TRIAL = Path(__file__).with_name("trial.py")
_TRIAL_S = 120.0
"""The largest Mandarin model loads in a fraction of this."""
_REASON = re.compile(r"^(?:ERROR|ASSERTION_FAILED) \(\S+ ?\S*\) (.{1,160})", re.MULTILINE)


class VoskRecogniser:
    """Streams of one Vosk model; ``folder`` is a model in Vosk's format.

    ``tried`` remembers that it once loaded, so that it need not be tried in a process of its own
    at every start.
    """

    def __init__(self, folder: Path, executor: Executor, tried: Tried | None = None) -> None:
        self._folder = folder
        self._executor = executor
        self._tried = tried
        self._model: Any = None
        self._rate = SAMPLE_RATE
        self._has_grammars = False

    async def start(self) -> None:
        """Load the model and recognise half a second of silence; raises `RecogniserError`."""
        check_model(self._folder)
        self._rate = model_rate(self._folder)
        # Taken, not read: should the model crash this process after all, the next start tries it.
        if self._tried is None or not self._tried.take(self._folder):
            await try_model(self._folder, self._rate)
        vosk.SetLogLevel(_SILENT)
        loop = asyncio.get_running_loop()
        self._model = await loop.run_in_executor(self._executor, self._load)
        lookahead = any((self._folder / name).is_file() for name in _RUNTIME_GRAPHS)
        self._has_grammars = lookahead
        log.info("asr_model_loaded", rate=self._rate, grammars=self._has_grammars)
        stream = await self.open()
        await stream.accept(_WARM_UP)
        await stream.finish()
        if self._tried is not None:
            self._tried.put(self._folder)

    async def open(self) -> VoskStream:
        """A new stream."""
        return VoskStream(self._model, self._rate, self._executor, self._has_grammars)

    def _load(self) -> Any:
        try:
            return vosk.Model(str(self._folder))
        except Exception:  # noqa: BLE001  # Vosk raises bare Exception
            raise _corrupt(self._folder, "Vosk cannot load it") from None


class VoskStream:
    """One caller's Vosk recogniser."""

    def __init__(self, model: Any, rate: int, executor: Executor, has_grammars: bool) -> None:
        self._model = model
        self._rate = rate
        self._executor = executor
        self._has_grammars = has_grammars
        self._phrases: tuple[str, ...] = ()
        self._narrow: Narrow | None = None
        self._renew_narrow = False
        self._native: Any = None
        self._resampler = Resampler(SAMPLE_RATE, rate)
        self._done: list[Word] = []
        self._native_bytes = 0
        self._turn_from_ms = 0
        """Where the turn began in the native recogniser's time, which runs on through turns."""
        self._fresh = True
        """Whether nothing was accepted since the last finish."""

    async def accept(self, pcm: bytes) -> str:
        """See `RecogniserStream.accept`."""
        return await self._run(lambda: self._accept(pcm))

    async def finish(self) -> Words:
        """See `RecogniserStream.finish`."""
        return await self._run(self._finish)

    async def set_grammar(self, phrases: Sequence[str] | None) -> None:
        """See `RecogniserStream.set_grammar`; needs a model with a lookahead graph.

        What is said beside the phrases is recognised freely (`asr.narrow`).
        """
        wanted = tuple(phrases or ()) if self._has_grammars else ()
        if wanted != self._phrases:
            # Vosk aborts when a running recogniser's grammar changes: a new one takes its place.
            self._phrases, self._renew_narrow = wanted, True

    async def close(self) -> None:
        """See `RecogniserStream.close`."""
        self._native = self._narrow = None

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _begin(self) -> Any:
        self._native = vosk.KaldiRecognizer(self._model, float(self._rate))
        self._native.SetWords(True)
        return self._native

    def _begin_narrow(self) -> None:
        self._narrow, self._renew_narrow = None, False
        phrases = grammar(self._phrases, self._knows)
        if phrases is None:
            return
        native = vosk.KaldiRecognizer(self._model, float(self._rate), phrases)
        native.SetWords(True)
        began = self._native_bytes

        def words(result: str) -> list[Word]:
            return self._words(result, self._turn_from_ms - _bytes_ms(began))

        self._narrow = Narrow(native, self._phrases, words)

    def _accept(self, pcm: bytes) -> str:
        native = self._native or self._begin()
        if self._renew_narrow and self._fresh:
            self._begin_narrow()
        self._fresh = False
        self._native_bytes += len(pcm)
        pcm = self._resampler.push(pcm)
        try:
            narrow = self._narrow.accept(pcm) if self._narrow is not None else ""
            ended = native.AcceptWaveform(pcm)
        except Exception:  # noqa: BLE001  # Vosk raises bare Exception
            raise RecogniserError("asr_lost", "Vosk failed on a piece of sound") from None
        if ended:
            self._done += self._words(native.Result(), self._turn_from_ms)
            return narrow or join(word.text for word in self._done)
        partial = str(json.loads(native.PartialResult())["partial"]).split()
        return narrow or join([*(word.text for word in self._done), *known(partial)])

    def _finish(self) -> Words:
        if self._native is None:
            return Words()
        free = (*self._done, *self._words(self._native.FinalResult(), self._turn_from_ms))
        narrow = self._narrow.finish() if self._narrow is not None else None
        self._native.Reset()
        self._done.clear()
        self._fresh = True
        self._turn_from_ms = _bytes_ms(self._native_bytes)
        return Words(free if narrow is None else tuple(narrow))

    def _words(self, result: str, before: int) -> list[Word]:
        """A result's words, their times counted from ``before`` ms of its recogniser's time."""
        return [
            Word(word.text, max(word.start_ms - before, 0), word.end_ms - before, word.confidence)
            for word in parse_result(json.loads(result))
        ]

    def _knows(self, word: str) -> bool:
        return int(self._model.vosk_model_find_word(word)) >= 0


def check_model(folder: Path) -> None:
    """See that ``folder`` is a whole Vosk model; `RecogniserError` says what to do if not."""
    problems = check(folder)
    if not problems:
        return
    advice = "重新解压或重新安装它（qianmen models fetch），或者把 MODEL 设成另一个模型"
    if problems[0].code == "model_missing":
        advice = "把 MODEL 设成 Vosk 模型的文件夹或已安装模型的名字，或者不设 MODEL，用入门模型"
    raise RecogniserError(problems[0].code, f"{problems[0].message}：{advice}")


async def try_model(folder: Path, rate: int) -> None:
    """Load the model in another process, where it may crash; raises `RecogniserError`."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(_TRIAL), str(folder), str(rate)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_TRIAL_S):
            _, printed = await child.communicate()
    except TimeoutError:
        raise _corrupt(folder, "Vosk comes to no end with it") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        reason = _REASON.search(printed.decode("utf-8", "replace"))
        raise _corrupt(folder, reason[1] if reason else "Vosk fails on it")


def model_rate(folder: Path) -> int:
    """The sample rate in Hz a model was trained at; Kaldi's default, 16000, where it says none."""
    for name in ("conf/mfcc.conf", "mfcc.conf", "conf/fbank.conf"):
        path = folder / name
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            found = re.search(r"--sample-frequency=(\d+)", text)
            return int(found[1]) if found else 16000
    return 16000


def parse_result(result: dict[str, Any]) -> list[Word]:
    """The words of a Vosk result with word times; those without times get confidence 0."""
    items = result.get("result")
    if not items:
        return [Word(text, 0, 0, 0.0) for text in known(str(result.get("text", "")).split())]
    return [
        Word(
            str(item["word"]),
            round(1000 * float(item["start"])),
            round(1000 * float(item["end"])),
            min(max(float(item["conf"]), 0.0), 1.0),
        )
        for item in items
        if item["word"] != UNKNOWN
    ]


def known(words: Sequence[str]) -> list[str]:
    """The words without the mark for what a grammar does not know."""
    return [word for word in words if word != UNKNOWN]


def _bytes_ms(count: int) -> int:
    return 1000 * count // (2 * SAMPLE_RATE)


def _corrupt(folder: Path, why: str) -> RecogniserError:
    return RecogniserError(
        "model_corrupt",
        f"模型 {folder} 坏了（{why}）：重新解压或重新安装它（qianmen models fetch），"
        "或者把 MODEL 设成另一个模型",
    )
