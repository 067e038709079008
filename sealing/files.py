"""Sealed files: written once from a plain one, read from any place, never whole in memory.

The header is ``QMSEAL1\\n``, the key's id (4 bytes), the chunk's size (4 bytes, big-endian) and a
random salt (32 bytes), from which the file's own key is derived. Then come the chunks, each with
its tag. A chunk's nonce is its number and whether it is the last (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, 2015), so that cutting and reordering are noticed; the header is
associated data of every chunk.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

from sealing.errors import SealError
from sealing.keys import TAG_BYTES, Gcm, Key, Keyring

SUFFIX = ".sealed"
CHUNK_BYTES = 64 * 1024
_MAGIC = b"QMSEAL1\n"
_HEADER = struct.Struct(">8s4sI32s")
_NONCE = struct.Struct(">7xIB")
_PURPOSE = "file"
_LARGEST_CHUNK = 1024 * 1024


class Readable(Protocol):
    """What can be sealed: a file, for example."""

    def read(self, size: int, /) -> bytes:
        """``size`` bytes, fewer at the end only."""
        ...


def sealed_path(plain: Path) -> Path:
    """Where the sealed form of ``plain`` stands."""
    return plain.with_name(plain.name + SUFFIX)


def delete_files(folder: Path, path: str) -> None:
    """Delete a file, plain and sealed, and what a broken-off sealing left.

    Not being there is fine; a path that leads out of ``folder`` is no file of ours. Raises OSError.
    """
    root = folder.resolve()
    plain = root / path
    for file in (plain, sealed_path(plain), sealed_path(plain).with_suffix(".sealed.part")):
        if file.parent.resolve().is_relative_to(root):
            file.unlink(missing_ok=True)


def seal_file(plain: Path, ring: Keyring) -> Path:
    """Seal ``plain`` into the file beside it and delete it; the sealed file's path.

    A crash leaves the plain file, or both of them whole; doing it again ends it. Raises OSError.
    """
    target = sealed_path(plain)
    with plain.open("rb") as source:
        write_sealed(target, source, ring)
    plain.unlink()
    return target


def write_sealed(target: Path, source: Readable, ring: Keyring) -> None:
    """Seal what ``source`` gives with the newest key; ``target`` appears whole or not at all."""
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            for piece in sealed_pieces(source, ring.newest):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def sealed_pieces(source: Readable, key: Key, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The header and the sealed chunks of what ``source`` gives."""
    salt = os.urandom(32)
    header = _HEADER.pack(_MAGIC, bytes.fromhex(key.id), chunk_bytes, salt)
    cipher = key.cipher(_PURPOSE, salt)
    yield header
    number, chunk = 0, source.read(chunk_bytes)
    while True:
        following = source.read(chunk_bytes) if len(chunk) == chunk_bytes else b""
        yield cipher.seal(_NONCE.pack(number, not following), chunk, header)
        if not following:
            return
        number, chunk = number + 1, following


class SealedFile:
    """An open sealed file. ``size`` is the plain size in bytes, vouched for by the last chunk.

    Raises :class:`SealError` ``data_key_wrong`` or ``sealed_broken``, and OSError.
    """

    def __init__(self, path: Path, ring: Keyring) -> None:
        self._file = path.open("rb")
        try:
            self._start(ring)
        except BaseException:
            self._file.close()
            raise

    def _start(self, ring: Keyring) -> None:
        self._header = self._file.read(_HEADER.size)
        name, self._chunk, salt = _read_header(self._header)
        self.key = ring.named(name)
        self._cipher: Gcm = self.key.cipher(_PURPOSE, salt)
        body = self._file.seek(0, os.SEEK_END) - _HEADER.size
        self._chunks = max(1, -(-body // (self._chunk + TAG_BYTES)))
        self.size = body - self._chunks * TAG_BYTES
        if self.size < 0:
            raise SealError("sealed_broken", "a sealed file is cut off")
        self._chunk_at(self._chunks - 1)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The plain bytes from ``start`` up to, not including, ``end``; chunk by chunk."""
        start, end = max(0, start), min(end, self.size)
        for number in range(start // self._chunk, -(-end // self._chunk)):
            first = number * self._chunk
            yield self._chunk_at(number)[max(0, start - first) : end - first]

    def _chunk_at(self, number: int) -> bytes:
        sealed_size = self._chunk + TAG_BYTES
        self._file.seek(_HEADER.size + number * sealed_size)
        nonce = _NONCE.pack(number, number == self._chunks - 1)
        return self._cipher.open(nonce, self._file.read(sealed_size), self._header)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def __enter__(self) -> SealedFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def reseal_file(path: Path, ring: Keyring) -> bool:
    """Seal ``path`` anew with the newest key; False where it is already.

    Raises :class:`SealError`, OSError; the file is whole at every moment.
    """
    with SealedFile(path, ring) as file:
        if file.key == ring.newest:
            return False
        write_sealed(path, _Stream(file.read(0, file.size)), ring)
    return True


class _Stream:
    """Pieces of any size, read in sizes of the reader's."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Exactly ``size`` bytes, fewer at the end only."""
        while len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def key_of(path: Path) -> str:
    """The id of the key that sealed the file; raises :class:`SealError` ``sealed_broken``."""
    with path.open("rb") as file:
        return _read_header(file.read(_HEADER.size))[0]


def _read_header(header: bytes) -> tuple[str, int, bytes]:
    if len(header) != _HEADER.size:
        raise SealError("sealed_broken", "a sealed file is cut off")
    magic, name, chunk, salt = _HEADER.unpack(header)
    if magic != _MAGIC or not 0 < chunk <= _LARGEST_CHUNK:
        raise SealError("sealed_broken", "this is no sealed file")
    return name.hex(), chunk, salt
