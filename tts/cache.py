"""Rendered sentences on disk and in memory.

Some of them repeat what a citizen said: where the city set a key, the files are sealed, and their
names, which come from the words, cannot be guessed.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import structlog

from config.volumefaults import volume_fault
from config.wholefile import write_whole
from sealing.blobs import BlobSeal
from sealing.errors import SealError
from sealing.keys import Keyring

VERSION = 2
"""Part of every key: raise it when the same words shall sound otherwise."""
MEMORY_BYTES = 32 * 1024 * 1024
_MAGIC = b"QMS1"
_DIGEST_BYTES = 32
_log = structlog.get_logger(__name__)


def key(spoken: str, voice: str, speed: int, readings: Sequence[tuple[str, str]] = ()) -> str:
    """The name of a rendering: sha256 over what decides its sound."""
    parts = json.dumps([VERSION, spoken, voice, speed, *readings], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()


class SoundCache:
    """Sound (s16le, 8 kHz) by key under ``folder``; the last used also in memory. Thread-safe."""

    def __init__(
        self, folder: Path, memory_bytes: int = MEMORY_BYTES, keys: Keyring | None = None
    ) -> None:
        self._folder = folder
        self._seal = BlobSeal(keys, "speech") if keys else None
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._limit = memory_bytes

    def get(self, name: str) -> bytes | None:
        """The sound, or None where there is none or its file is broken."""
        with self._lock:
            if name in self._memory:
                self._memory.move_to_end(name)
                return self._memory[name]
        pcm = self._read(name)
        if pcm is not None:
            self._remember(name, pcm)
        return pcm

    def put(self, name: str, pcm: bytes) -> None:
        """Keep the sound; what the disk refuses is kept in memory only (and logged)."""
        self._remember(name, pcm)
        try:
            self._write(name, _MAGIC + hashlib.sha256(pcm).digest() + pcm)
        except OSError as error:
            _log.warning("speech_not_kept", code=volume_fault(error.errno), errno=error.errno)

    def keep(self, name: str) -> bool:
        """Mark the sound as still used, for who deletes what is old; False where there is none."""
        try:
            os.utime(self.path(name))
        except OSError:
            return False
        return True

    def path(self, name: str) -> Path:
        """Where the sound of that key lies."""
        if self._seal is None:
            return self._folder / name[:2] / f"{name}.pcm"
        hidden = self._seal.name(name)
        return self._folder / hidden[:2] / f"{hidden}.sealed"

    def _read(self, name: str) -> bytes | None:
        try:
            data = self.path(name).read_bytes()
            if self._seal is not None:
                data = self._seal.open(data, name)
        except (OSError, SealError):
            return None
        start = len(_MAGIC) + _DIGEST_BYTES
        pcm = data[start:]
        whole = data[:start] == _MAGIC + hashlib.sha256(pcm).digest() and pcm
        return pcm if whole else None

    def _write(self, name: str, data: bytes) -> None:
        path = self.path(name)
        data = self._seal.seal(data, name) if self._seal else data
        write_whole(path, data)

    def _remember(self, name: str, pcm: bytes) -> None:
        with self._lock:
            self._size += len(pcm) - len(self._memory.pop(name, b""))
            self._memory[name] = pcm
            while self._size > self._limit and len(self._memory) > 1:
                _, old = self._memory.popitem(last=False)
                self._size -= len(old)
