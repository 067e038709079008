"""The volumes we write to: room left, and whether they take what is written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings
from config.volumefaults import volume_fault

LOW_BYTES = 5 * 1024**3
"""A day of 40 recorded calls at a time is about 110 GiB: below this somebody must act today."""
FULL_BYTES = 256 * 1024**2
LOW_SHARE, FULL_SHARE = 0.10, 0.01
"""On small volumes these shares count instead: whichever asks for less room."""
_PROBE = b"qianmen"


@dataclass(frozen=True, slots=True)
class Volume:
    """What was seen of a folder's volume: bytes and inodes, and the ``errno`` of writing to it."""

    name: str
    folder: Path
    total: int
    free: int
    inodes: int
    free_inodes: int
    write_errno: int = 0


def folders(settings: Settings) -> Mapping[str, Path]:
    """The folders that grow, by the name that metrics and logs carry."""
    return {
        "data": settings.data_dir,
        "recordings": settings.recordings_dir,
        "speech": settings.speech_dir,
        "log": settings.log_dir,
    }


def look_at(name: str, folder: Path) -> Volume:
    """The state of ``folder``'s volume now. A folder that is missing is looked for above it."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    state = os.statvfs(there)
    return Volume(
        name=name,
        folder=folder,
        total=state.f_blocks * state.f_frsize,
        free=state.f_bavail * state.f_frsize,
        inodes=state.f_files,
        free_inodes=state.f_favail,
        write_errno=write_errno(there),
    )


def write_errno(folder: Path) -> int:
    """0 where a file can be written to ``folder`` and kept, else the error's number."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
            probe.write(_PROBE)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def judge(volume: Volume) -> str:
    """'' where all is well, else ``disk_full``, ``volume_readonly``, ``volume_missing``,
    ``volume_error`` or ``disk_low``."""
    if volume.write_errno:
        return volume_fault(volume.write_errno)
    if volume.free < min(FULL_BYTES, FULL_SHARE * volume.total):
        return "disk_full"
    low = volume.free < min(LOW_BYTES, LOW_SHARE * volume.total)
    few_inodes = bool(volume.inodes) and volume.free_inodes < FULL_SHARE * volume.inodes
    return "disk_low" if low or few_inodes else ""
