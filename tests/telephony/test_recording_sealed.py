"""Where the city set a key, a call's recording is sealed when the call is over."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile
from structlog.testing import capture_logs

from sealing.files import SealedFile
from sealing.keys import Keyring, keyring, new_key
from telephony.line import FRAME_BYTES
from telephony.recording import Recorder
from tests.fakes.leg import FakeLeg

FRAMES = 120


def a_ring() -> Keyring:
    ring = keyring(new_key("sm4"))
    assert ring is not None
    return ring


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def recorded(path: Path, keys: Keyring) -> int:
    leg = FakeLeg()
    with ThreadPoolExecutor(1) as pool:
        recorder = Recorder(leg, path, pool, keys)
        for _ in range(FRAMES):
            leg.frame(b"\1\0" * (FRAME_BYTES // 2), b"\2\0" * (FRAME_BYTES // 2))
        await recorder.close()
        await recorder.close()  # twice is harmless
    return recorder.duration_ms


async def test_sealed_at_its_end(tmp_path: Path) -> None:
    ring = a_ring()
    assert await recorded(tmp_path / "call.flac", ring) == FRAMES * 20
    assert names(tmp_path) == ["call.flac.sealed"]
    with SealedFile(tmp_path / "call.flac.sealed", ring) as file:
        sound = b"".join(file.read(0, file.size))
    samples, _ = soundfile.read(io.BytesIO(sound), dtype="int16")
    assert samples.tobytes() == b"\1\0\2\0" * (FRAMES * FRAME_BYTES // 2)


async def test_what_cannot_be_sealed_stays_plain_for_the_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sealing.files.os.fsync", full)
    with capture_logs() as logs:
        await recorded(tmp_path / "call.flac", a_ring())
    assert [line["code"] for line in logs] == ["recording_not_sealed"]
    assert names(tmp_path) == ["call.flac"]


async def test_a_call_without_a_frame_has_nothing_to_seal(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        await Recorder(FakeLeg(), tmp_path / "call.flac", pool, a_ring()).close()
    assert names(tmp_path) == []
