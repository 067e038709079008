"""A model brought from its source to the shelf: tried, and there all at once or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from asr.models.catalogue import STARTER, Entry, entry_of, load_catalogue
from asr.models.check import check
from asr.models.disk import locked, need_space, place, sync_folder, writing
from asr.models.download import Patience, Wanted, download
from asr.models.errors import ModelError
from asr.models.part import Part
from asr.models.seal import Seal, read_seal, write_seal
from asr.models.shelf import folder_name, shelf, starter_folder
from asr.models.unpack import unpack
from asr.recogniser import RecogniserError
from asr.starter.archive import manifest
from asr.vosk_local import model_rate, try_model
from config.settings import Settings

_USUAL_GROWTH = 2
"""A model's files need about twice its archive; exactly only the archive's directory tells."""


class Reporter(Protocol):
    """Hears how it goes."""

    def step(self, text: str) -> None:
        """What is done now, in Chinese."""

    def progress(self, done: int, total: int | None) -> None:
        """Bytes downloaded, and in all where that is known."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An installed model. ``verified``: its archive matched a checksum known beforehand;
    ``new``: installed by this fetch."""

    name: str
    folder: Path
    archive_bytes: int
    archive_sha256: str
    verified: bool
    new: bool


def fetch(
    settings: Settings,
    name: str,
    source: str,
    reporter: Reporter,
    patience: Patience = Patience(),  # noqa: B008  # frozen
) -> Fetched:
    """Install the model ``name`` from ``source``: '' (the catalogue's URL), a URL (of the file or
    of a folder of the city's mirror), a file, or a folder that holds ``NAME.zip``.

    Not to be called inside an event loop. Raises `ModelError` and, for a broken ``models.yaml``,
    :class:`config.errors.ConfigError`.
    """
    if name == STARTER:
        folder, about = starter_folder(settings), manifest()["archive"]
        return Fetched(name, folder, int(about["bytes"]), str(about["sha256"]), True, False)
    entry = entry_of(load_catalogue(settings), name)
    here = shelf(settings) / ".fetching" / name
    with locked(
        here.parent / f"{name}.lock", lambda: reporter.step("等另一个安装同一模型的命令结束")
    ):
        return _already(settings, entry) or _install(settings, entry, source, reporter, patience)


def _already(settings: Settings, entry: Entry) -> Fetched | None:
    """The very archive that the catalogue names, installed and undamaged."""
    if entry.sha256 is None:
        return None
    folder = shelf(settings) / folder_name(entry.name, entry.sha256)
    seal = read_seal(folder)
    if seal is None or check(folder, thorough=True):
        return None
    return _fetched(folder, seal, new=False)


def _fetched(folder: Path, seal: Seal, *, new: bool) -> Fetched:
    return Fetched(
        seal.name, folder, seal.archive_bytes, seal.archive_sha256, seal.verified, new=new
    )


def _install(
    settings: Settings, entry: Entry, source: str, reporter: Reporter, patience: Patience
) -> Fetched:
    here = shelf(settings) / ".fetching" / entry.name
    work = here / "unpacked"
    shutil.rmtree(work, ignore_errors=True)  # of a fetch that was killed
    with _archive(entry, source, here, reporter, patience) as (archive, count, sha256):
        _see_that_it_is(entry, count, sha256)
        reporter.step("解压")
        try:
            files = unpack(archive, work, entry.unpacked_at_most)
            _try(work, reporter)
            seal = Seal(entry.name, count, sha256, entry.sha256 == sha256, files)
            final = shelf(settings) / folder_name(entry.name, sha256)
            with writing(shelf(settings)):
                write_seal(work, seal)
                sync_folder(work)
                place(work, final, here / "replaced")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(here, ignore_errors=True)
    return _fetched(final, seal, new=True)


@contextmanager
def _archive(
    entry: Entry, source: str, here: Path, reporter: Reporter, patience: Patience
) -> Iterator[tuple[BufferedReader, int, str]]:
    """The archive, open, with its size in bytes and its SHA-256."""
    if source and not source.startswith(("http://", "https://")):
        with _local(entry, Path(source).expanduser()) as file:
            reporter.step(f"检查 {file.name}")
            with writing(here):
                here.mkdir(parents=True, exist_ok=True)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield file, file.tell(), digest
        return
    path = here / "archive.zip"
    reporter.step(f"下载 {_url(entry, source)}")
    sha256 = _downloaded(entry, _url(entry, source), path, reporter, patience)
    with path.open("rb") as file:
        yield file, path.stat().st_size, sha256


def _downloaded(entry: Entry, url: str, path: Path, reporter: Reporter, patience: Patience) -> str:
    """Download to ``path``; its SHA-256. A wrong one is thrown away."""
    wanted = Wanted(url, entry.bytes, entry.sha256, entry.unpacked_at_most)
    with Part(path) as part:
        if entry.bytes is not None:
            need_space(path.parent, entry.bytes * (1 + _USUAL_GROWTH) - part.size)
        download(wanted, part, reporter.progress, patience)
        if entry.sha256 not in (None, part.sha256) and part.kept:
            reporter.step("接着下载的文件对不上校验和，从头再下载一次")
            part.begin()
            download(wanted, part, reporter.progress, patience)
        if entry.sha256 not in (None, part.sha256):
            found, size = part.sha256, part.size
            part.begin()
            _see_that_it_is(entry, size, found)
        return part.sha256


def _local(entry: Entry, path: Path) -> BufferedReader:
    if path.is_dir():
        if not check(path):
            raise ModelError(
                "model_missing", f"{path} 已经是解开的模型，不用安装：直接设 MODEL={path.resolve()}"
            )
        path /= entry.file_name
    try:
        return path.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ModelError("model_missing", f"读不了 {path}（{reason}）") from None


def _url(entry: Entry, source: str) -> str:
    if not source:
        if not entry.url:
            raise ModelError(
                "model_missing", f"目录里没有 {entry.name} 的下载地址：加上 --from 地址或文件"
            )
        return entry.url
    path = source.partition("?")[0]
    return source if path.endswith(".zip") else f"{source.rstrip('/')}/{entry.file_name}"


def _see_that_it_is(entry: Entry, count: int, sha256: str) -> None:
    """Raise `ModelError` unless the archive is the one that the catalogue names."""
    if entry.bytes is not None and count < entry.bytes:
        raise ModelError(
            "model_truncated",
            f"文件只有 {count} 字节，完整的 {entry.name} 是 {entry.bytes} 字节：重新下载或复制",
        )
    expected = (entry.bytes or count, entry.sha256 or sha256)
    if expected != (count, sha256):
        raise ModelError(
            "model_checksum",
            f"这不是目录里的 {entry.name}：应为 {expected[0]} 字节、SHA-256 {expected[1]}，"
            f"实际 {count} 字节、{sha256}；请重新下载，或换一个来源",
        )


def _try(folder: Path, reporter: Reporter) -> None:
    problems = check(folder)
    if problems:
        raise ModelError("model_corrupt", f"压缩包里不是能用的 Vosk 模型：{problems[0].message}")
    reporter.step("试装载")
    try:
        asyncio.run(try_model(folder, model_rate(folder)))
    except RecogniserError:
        raise ModelError(
            "model_corrupt", "压缩包里的模型装载不了：换一个版本，或换一个来源重新下载"
        ) from None
