"""A model's zip archive unpacked, whatever is in it: nothing outside its folder or endless."""

from __future__ import annotations

import hashlib
import lzma
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from asr.models.disk import need_space, writing
from asr.models.errors import ModelError
from asr.models.seal import SealedFile

_MOST_FILES = 1000
_PIECE = 1 << 20
_ENCRYPTED = 0x1
# What zipfile raises over damaged archives, beside its own error; what writing raises has a code.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, ValueError,
    IndexError, NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip


def unpack(archive: BinaryIO, folder: Path, limit: int) -> dict[str, SealedFile]:
    """Write the archive's files below the new ``folder``, at most ``limit`` bytes; what they are.

    One folder around everything is left out. Raises `ModelError`: ``model_corrupt`` for no zip
    archive, a damaged one, names that lead outside, links, doubled names or too much of anything;
    ``model_space``, ``model_unwritable``.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            files = _files(source)
            if sum(info.file_size for info in files.values()) > limit:
                raise _refused(f"解开后超过 {limit} 字节")
            with writing(folder):
                folder.mkdir(parents=True)
            need_space(folder, sum(info.file_size for info in files.values()))
            return _write_all(source, files, folder, limit)
    except _UNREADABLE as error:
        raise _refused(f"读不出来：{type(error).__name__}") from None


def _files(source: zipfile.ZipFile) -> dict[PurePosixPath, zipfile.ZipInfo]:
    entries = [info for info in source.infolist() if not info.is_dir()]
    if not 0 < len(entries) <= _MOST_FILES:
        raise _refused(f"里面有 {len(entries)} 个文件")
    paths = [_path(info) for info in entries]
    around = {path.parts[0] for path in paths}
    if len(around) == 1 and all(len(path.parts) > 1 for path in paths):
        paths = [PurePosixPath(*path.parts[1:]) for path in paths]
    if len(set(paths)) != len(paths):
        raise _refused("里面有重名的文件")
    return dict(zip(paths, entries, strict=True))


def _path(info: zipfile.ZipInfo) -> PurePosixPath:
    """The entry's place below the folder; raises `ModelError`."""
    name = info.orig_filename
    path = PurePosixPath(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    outside = path.is_absolute() or ".." in path.parts or not path.parts
    if outside or any(sign in name for sign in "\\:\0"):
        raise _refused("里面的文件名指向文件夹以外")
    if kind not in (0, stat.S_IFREG):
        raise _refused("里面有链接或特殊文件")
    if info.flag_bits & _ENCRYPTED:
        raise _refused("它加了密")
    return path


def _write_all(
    source: zipfile.ZipFile, files: dict[PurePosixPath, zipfile.ZipInfo], folder: Path, limit: int
) -> dict[str, SealedFile]:
    written: dict[str, SealedFile] = {}
    for path, info in files.items():
        target = folder / path
        with writing(folder):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                output = target.open("xb")
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise _refused("里面的文件和文件夹重名") from None
        with output, source.open(info) as content:
            written[str(path)] = _copy(content, output, folder, limit)
        limit -= written[str(path)].bytes
    return written


def _copy(content: IO[bytes], output: BinaryIO, folder: Path, limit: int) -> SealedFile:
    """Copy, counting what really comes: the sizes an archive tells may be lies."""
    digest, count = hashlib.sha256(), 0
    while piece := content.read(_PIECE):
        count += len(piece)
        if count > limit:
            raise _refused("解开后比目录里说的大")
        digest.update(piece)
        with writing(folder):
            output.write(piece)
    with writing(folder):
        output.flush()
        os.fsync(output.fileno())
    return SealedFile(count, digest.hexdigest())


def _refused(why: str) -> ModelError:
    return ModelError("model_corrupt", f"下载的压缩包不能用（{why}）")
