"""Writing large things: space asked for before, and every refusal of the disk named."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from asr.models.errors import ModelError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def need_space(folder: Path, count: int) -> None:
    """See that ``count`` bytes fit where ``folder`` is; raises `ModelError` ``model_space``."""
    free = shutil.disk_usage(folder).free
    if free < count:
        raise ModelError(
            "model_space", f"{folder} 只剩 {megabytes(free)}，需要 {megabytes(count)}：先腾出空间"
        )


def megabytes(count: int) -> str:
    """A size as people read it."""
    return f"{count / 1e9:.2f} GB" if count >= 10**9 else f"{count / 1e6:.1f} MB"


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what the disk refuses inside into `ModelError`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ModelError("model_space", f"{folder} 所在的磁盘满了：先腾出空间") from None
        reason = error.strerror or type(error).__name__
        raise ModelError("model_unwritable", f"{folder} 写不进去（{reason}）") from None


@contextlib.contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Alone with ``path``, among all processes; ``on_wait`` is called when that takes waiting."""
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("ab")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def place(work: Path, final: Path, attic: Path) -> None:
    """Put the finished folder ``work`` at ``final`` at once; what stood there goes by ``attic``.

    All three are on one file system. Raises OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        final.replace(attic)
    work.replace(final)
    sync_folder(final.parent)
    shutil.rmtree(attic, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` outlive a loss of power; raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
