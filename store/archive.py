"""The file of a backup: a gzipped tar that is written and read as a stream.

``qianmen-backup.json`` first: format, revision, tables with their columns. Then the rows as JSON
lines in pieces (``tables/turn/000001.jsonl``), the recordings as they are on disk, and last
``manifest.json`` with counts and SHA-256 sums, without which an archive was cut off. Nothing is
held in memory but one piece.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, get_args

from store.faults import StoreError, fault_of
from store.rows import Kind, RawTable

FORMAT = 1
_HEAD, _MANIFEST = "qianmen-backup.json", "manifest.json"
_TABLES, _RECORDINGS = "tables", "recordings"
_PIECE = 4 * 1024 * 1024
_LONGEST_TEXT = 64 * 1024 * 1024  # of one member that is read into memory
_READ = 256 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """What an archive holds. ``secret``: a mark by which the installation's secret is known again;
    ``keys``: ids of the keys that personal data is sealed with."""

    revision: str
    created_at: str
    program: str
    tables: tuple[RawTable, ...]
    recordings: bool
    secret: str = ""
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class Sum:
    """Counts and checksum of one table (rows), or of all recordings (files)."""

    count: int = 0
    size: int = 0
    _hash: Any = field(default_factory=hashlib.sha256, repr=False)

    def add(self, data: bytes | bytearray) -> None:
        """Go on with ``data``."""
        self.size += len(data)
        self._hash.update(data)

    def told(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {"count": self.count, "bytes": self.size, "sha256": self._hash.hexdigest()}


class Writer:
    """Writes the parts of an archive in their order; ``sums`` by table, and ``recordings``."""

    def __init__(self, file: IO[bytes], head: Head, at: float) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|gz", format=tarfile.PAX_FORMAT)  # noqa: SIM115  # closed by finish()
        self._at = at
        self.sums: dict[str, Sum] = {}
        self._add(_HEAD, _json({"format": FORMAT, **asdict(head)}))

    def table(self, name: str, rows: Iterable[list[Any]]) -> None:
        """All rows of one table."""
        total = self.sums[name] = Sum()
        piece, number = bytearray(), 1
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
            piece += line.encode("utf-8", "surrogatepass")
            total.count += 1
            if len(piece) >= _PIECE:
                self._piece(total, name, number, piece)
                piece, number = bytearray(), number + 1
        if piece:
            self._piece(total, name, number, piece)

    def recording(self, path: str, file: IO[bytes]) -> None:
        """One recording; of a call that still goes on, what there is now."""
        total = self.sums.setdefault(_RECORDINGS, Sum())
        member = self._member(f"{_RECORDINGS}/{path}", os.fstat(file.fileno()).st_size)
        total.count += 1
        total.add(f"{path}\0{member.size}\0".encode())
        self._tar.addfile(member, _Tee(file, total))

    def finish(self) -> dict[str, Any]:
        """Write the manifest and the end; the manifest."""
        manifest = {name: total.told() for name, total in self.sums.items()}
        self._add(_MANIFEST, _json(manifest))
        self._tar.close()
        return manifest

    def _piece(self, total: Sum, name: str, number: int, piece: bytearray) -> None:
        total.add(piece)
        self._add(f"{_TABLES}/{name}/{number:06}.jsonl", bytes(piece))

    def _add(self, name: str, data: bytes) -> None:
        self._tar.addfile(self._member(name, len(data)), io.BytesIO(data))

    def _member(self, name: str, size: int) -> tarfile.TarInfo:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = size, int(self._at), 0o600
        return member


class _Tee:
    """What is read from a file is summed."""

    def __init__(self, file: IO[bytes], total: Sum) -> None:
        self._file, self._total = file, total

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._total.add(data)
        return data


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one table, in order."""

    table: str
    rows: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """One recording; ``read`` gives its bytes, b'' at its end, until the next part is taken."""

    path: PurePosixPath
    read: Any


class Reader:
    """Reads an archive from its beginning to its end; ``head`` is there at once."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._sums: dict[str, Sum] = {}
        first = tar.next()
        if first is None or first.name != _HEAD:
            raise corrupt("it is no backup of this program")
        self.head = _head(self._json(first))

    def parts(self) -> Iterator[Piece | Sound]:
        """All rows and recordings. Raises ``backup_corrupt`` at the latest at the end."""
        known = {table.name: position for position, table in enumerate(self.head.tables)}
        self._sums = {name: Sum() for name in known}
        while (member := self._tar.next()) is not None:
            kind, _, rest = member.name.partition("/")
            name = rest.partition("/")[0]
            if member.name == _MANIFEST:
                self._compare(self._json(member))
                return
            if not member.isreg():
                raise corrupt(f"{member.name!r} is no file")
            if kind == _TABLES and name in known:
                yield self._piece(name, member)
            elif kind == _RECORDINGS:
                yield self._sound(rest, member)
            else:
                raise corrupt(f"{member.name!r} does not belong there")
        raise corrupt("its end is missing")

    def _piece(self, name: str, member: tarfile.TarInfo) -> Piece:
        data = self._bytes(member)
        rows = tuple(_parsed(line) for line in data.split(b"\n")[:-1])
        total = self._sums[name]
        total.add(data)
        total.count += len(rows)
        return Piece(name, rows)

    def _sound(self, path: str, member: tarfile.TarInfo) -> Sound:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in path:
            raise corrupt(f"{path!r} is no path of a recording")
        total = self._sums.setdefault(_RECORDINGS, Sum())
        total.count += 1
        total.add(f"{path}\0{member.size}\0".encode())
        file = self._tar.extractfile(member)
        assert file is not None  # noqa: S101  # a regular file, as was looked at
        return Sound(pure, _Tee(file, total).read)

    def _compare(self, manifest: Any) -> None:
        found = {name: total.told() for name, total in self._sums.items()}
        if found != manifest:
            raise corrupt("counts or checksums differ")

    def _json(self, member: tarfile.TarInfo) -> Any:
        return _parsed(self._bytes(member))

    def _bytes(self, member: tarfile.TarInfo) -> bytes:
        file = self._tar.extractfile(member)
        if file is None or member.size > _LONGEST_TEXT:
            raise corrupt(f"{member.name!r} is no file that can be read")
        return file.read()


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """An archive; raises ``backup_missing``, ``backup_corrupt``, ``backup_newer`` (its format)."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise StoreError("backup_missing", f"{path} cannot be read: {error.strerror}") from None
    try:
        with file, tarfile.open(fileobj=file, mode="r|gz") as tar:
            yield Reader(tar)
    except (tarfile.TarError, zlib.error, EOFError, UnicodeError, RecursionError) as error:
        raise corrupt("it is damaged or cut off") from error


def verified(path: Path) -> Head:
    """Read all of it and compare every sum; raises as :func:`opened`."""
    with opened(path) as reader:
        for part in reader.parts():
            if isinstance(part, Sound):
                while part.read(_READ):
                    pass
        return reader.head


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner reads and that takes the place of ``path`` when it is whole.

    Raises ``backup_unwritable`` or ``disk_full``; ``path`` then stays as it was.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        fresh.unlink(missing_ok=True)


def corrupt(why: str) -> StoreError:
    """The archive cannot be trusted."""
    return StoreError("backup_corrupt", f"the backup cannot be used: {why}")


def _unwritable(path: Path, error: OSError) -> StoreError:
    code = "disk_full" if fault_of(error) == "disk_full" else "backup_unwritable"
    return StoreError(code, f"{path} cannot be written: {error.strerror}")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except ValueError:
        raise corrupt("something in it is no JSON") from None


def _head(told: Any) -> Head:
    """Strictly: what is not as we write it was not written by us."""
    try:
        if told["format"] != FORMAT:
            raise StoreError("backup_newer", "a later version of this program made the backup")
        return Head(
            revision=_text(told["revision"]),
            created_at=_text(told["created_at"]),
            program=_text(told["program"]),
            tables=tuple(_table(one) for one in told["tables"]),
            recordings=bool(told["recordings"]),
            secret=_text(told["secret"]),
            keys=tuple(_text(key) for key in told["keys"]),
        )
    except (KeyError, TypeError, ValueError):
        raise corrupt("its head is not as this program writes it") from None


def _table(told: Any) -> RawTable:
    columns = tuple((_text(name), _text(kind)) for name, kind in told["columns"])
    if any(kind not in get_args(Kind) for _, kind in columns):
        raise ValueError
    key = tuple(_text(name) for name in told["key"])
    return RawTable(_text(told["name"]), columns, key)  # type: ignore[arg-type]  # kinds as looked at


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
