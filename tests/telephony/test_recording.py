"""A recording on a disk that refuses: the call goes on, the log says why."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from telephony.line import FRAME_BYTES
from telephony.recording import Recorder
from tests.fakes.leg import FakeLeg


@pytest.mark.parametrize(
    ("path", "code"), [("/dev/full", "disk_full"), ("/proc/none/a.wav", "volume_missing")]
)
async def test_a_full_disk_ends_the_recording_and_nothing_else(path: str, code: str) -> None:
    leg = FakeLeg()
    with capture_logs() as logs, ThreadPoolExecutor(1) as pool:
        recorder = Recorder(leg, Path(path), pool)
        for _ in range(200):
            leg.frame(bytes(FRAME_BYTES), bytes(FRAME_BYTES))
        await recorder.close()
    assert [line["code"] for line in logs] == [code]
    assert recorder.duration_ms == 0
