"""Recordings: both sides in step, playable at every moment, and a disk that refuses."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from structlog.testing import capture_logs

from telephony.flac import BLOCK_SAMPLES, FlacFile
from telephony.line import FRAME_BYTES, FRAME_MS, FRAME_SAMPLES
from telephony.recording import FLUSH_FRAMES, MAX_WAITING, Recorder
from tests.fakes.leg import FakeLeg

NOISE = np.random.default_rng(7).integers(-9000, 9000, (80_000, 2), dtype=np.int16)


def heard(path: Path) -> NDArray[np.int16]:
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == 8000
    return np.asarray(samples, dtype=np.int16)


def feed(leg: FakeLeg, frames: int) -> None:
    start = leg.clock_ms // FRAME_MS * FRAME_SAMPLES
    for at in range(start, start + frames * FRAME_SAMPLES, FRAME_SAMPLES):
        left, right = NOISE[at : at + FRAME_SAMPLES].T
        leg.frame(left.tobytes(), right.tobytes())


async def test_both_sides_stand_at_their_own_time(tmp_path: Path) -> None:
    leg, path = FakeLeg(), tmp_path / "2026" / "call.flac"
    with ThreadPoolExecutor(1) as pool:
        recorder = Recorder(leg, path, pool)
        feed(leg, 123)
        await recorder.close()
    assert recorder.duration_ms == 123 * FRAME_MS
    assert (heard(path) == NOISE[: 123 * FRAME_SAMPLES]).all()


@pytest.mark.parametrize("samples", [1, 1151, 1152, 1153, 3200, 64_000])
def test_what_is_written_can_be_played_at_once(tmp_path: Path, samples: int) -> None:
    path = tmp_path / "a.flac"
    file = FlacFile(path)
    for start in range(0, samples, 3200):
        file.write(NOISE[start : min(start + 3200, samples)])
    whole = (samples - 1) // BLOCK_SAMPLES * BLOCK_SAMPLES
    if whole:  # no player takes a file of nothing
        assert soundfile.info(path).frames == whole
        assert (heard(path) == NOISE[:whole]).all()
    file.close()
    assert (heard(path) == NOISE[:samples]).all()


def test_all_but_the_last_second_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "import asyncio, pathlib, sys, os, signal\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from telephony.recording import Recorder\n"
        "from tests.fakes.leg import FakeLeg\n"
        "from tests.telephony.test_recording import feed\n"
        "pool, leg = ThreadPoolExecutor(1), FakeLeg()\n"
        "Recorder(leg, pathlib.Path(sys.argv[1]), pool)\n"
        "feed(leg, 499)\n"
        "pool.submit(int).result()\n"  # what was handed over is written
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "call.flac"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    sound = heard(path)
    assert (sound == NOISE[: len(sound)]).all()
    assert 499 * FRAME_SAMPLES - len(sound) < 8000


@pytest.mark.parametrize(
    ("path", "code"), [("/dev/full", "disk_full"), ("/proc/none/a.flac", "volume_missing")]
)
async def test_a_full_disk_ends_the_recording_and_nothing_else(path: str, code: str) -> None:
    leg = FakeLeg()
    with capture_logs() as logs, ThreadPoolExecutor(1) as pool:
        recorder = Recorder(leg, Path(path), pool)
        feed(leg, 200)
        await recorder.close()
    assert [line["code"] for line in logs] == [code]
    assert recorder.duration_ms == 0


async def test_a_disk_that_fills_up_keeps_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg, path = FakeLeg(), tmp_path / "call.flac"
    with capture_logs() as logs, ThreadPoolExecutor(1) as pool:
        recorder = Recorder(leg, path, pool)
        feed(leg, 3 * FLUSH_FRAMES)
        pool.submit(int).result()

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("telephony.flac.os.pwrite", full)
        feed(leg, 2 * FLUSH_FRAMES)
        await recorder.close()
    assert [line["code"] for line in logs] == ["disk_full"]
    assert recorder.duration_ms == 3 * FLUSH_FRAMES * FRAME_MS
    sound = heard(path)
    assert (sound == NOISE[: len(sound)]).all()
    assert len(sound) >= 2 * FLUSH_FRAMES * FRAME_SAMPLES


async def test_a_disk_that_hangs_does_not_fill_the_memory(tmp_path: Path) -> None:
    leg, moves = FakeLeg(), threading.Event()
    with capture_logs() as logs, ThreadPoolExecutor(1) as pool:
        pool.submit(moves.wait)
        recorder = Recorder(leg, tmp_path / "call.flac", pool)
        for _ in range((MAX_WAITING + 2) * FLUSH_FRAMES):
            leg.frame(bytes(FRAME_BYTES), bytes(FRAME_BYTES))
        assert [line["code"] for line in logs] == ["disk_slow"]
        moves.set()
        await recorder.close()
    assert recorder.duration_ms == 0
