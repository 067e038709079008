"""What a machine without the internet is given: made, checked and read. Standard library only.

The folder ``offline/`` beside the repository's files holds ``wheels/``, ``lists/`` (the pinned
lists plus the hashes of wheels that were built here because their authors publish sources only),
``assets/`` (what the pages load), ``models/``, ``MANIFEST.json`` and ``SHA256SUMS``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import stat
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
MANIFEST = "MANIFEST.json"
SUMS = "SHA256SUMS"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_PATCH = re.compile(r"(?m) ; python_full_version (?:<|<=|>|>=) '3\.11\.\d+'(?= \\$)")
_GLIBC = re.compile(r"manylinux_(\d+)_(\d+)_")
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides which wheels run: processor, Python's and the C library's version."""

    arch: str
    python: tuple[int, int]
    glibc: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the folder cannot be used here; ``code`` is stable, ``sentence`` says what to do."""

    code: str
    sentence: str


def this_machine() -> Machine:
    """The machine this runs on; its C library is 0.0 where it is not glibc."""
    name, version = platform.libc_ver()
    numbers = [int(part) for part in version.split(".")[:2]] if name == "glibc" else [0, 0]
    return Machine(platform.machine(), sys.version_info[:2], (numbers[0], numbers[1]))


def needed_glibc(wheels: Iterable[str], built_on: tuple[int, int]) -> tuple[int, int]:
    """The oldest C library all ``wheels`` (file names) run on; own builds need the builder's."""
    return max((_wheel_glibc(name, built_on) for name in wheels), default=(0, 0))


def _wheel_glibc(name: str, built_on: tuple[int, int]) -> tuple[int, int]:
    tags = name.removesuffix(".whl").split("-")[-1]
    known = [(int(major), int(minor)) for major, minor in _GLIBC.findall(tags + "_")]
    known += [glibc for legacy, glibc in _LEGACY.items() if legacy + "_" in tags]
    if known:
        return min(known)
    return built_on if tags.startswith("linux_") else (0, 0)


def for_any_patch(text: str) -> str:
    """A pinned list to fetch for every 3.11: the closed machine may have another patch release."""
    return _PATCH.sub("", text)


def with_own_hashes(text: str, wheels: Path) -> str:
    """A pinned list that also accepts the wheels built here (their pins name the sources only).

    Pins without a wheel in the folder stay as they are: their markers leave this platform out.
    """
    here = {_key(*wheel.name.split("-")[:2]): wheel for wheel in sorted(wheels.glob("*.whl"))}
    lines: list[str] = []
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        pin = _PIN.match(block)
        wheel = here.get(_key(*pin.groups())) if pin else None
        own = sha256(wheel) if wheel else None
        if own and own not in _HASH.findall(block):
            head, _, rest = block.partition("\n")
            block = f"{head}\n    --hash=sha256:{own} \\\n{rest}"
        lines.append(block)
    return "".join(lines)


def _key(name: str, version: str) -> tuple[str, str]:
    return re.sub(r"[-_.]+", "-", name).lower(), version


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path, requirements: Path, machine: Machine, version: str, commit: str) -> None:
    """Write the manifest and, last, the sums: a folder without sums was not finished."""
    wheels = sorted(path.name for path in (folder / "wheels").glob("*.whl"))
    lists = sorted(path.stem for path in (folder / "lists").glob("*.txt"))
    manifest = {
        "format": FORMAT, "version": version, "commit": commit,
        "arch": machine.arch, "python": list(machine.python),
        "glibc": list(needed_glibc(wheels, machine.glibc)),
        "lists": {name: sha256(requirements / f"{name}.txt") for name in lists},
        "models": sorted(path.name for path in (folder / "models").glob("*")),
    }  # fmt: skip
    (folder / MANIFEST).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    rows = [f"{sha256(path)}  {path.relative_to(folder)}\n" for path in _files(folder)]
    (folder / SUMS).write_text("".join(rows), encoding="utf-8")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)


def check(
    folder: Path, requirements: Path, machine: Machine, lists: Sequence[str]
) -> list[Problem]:
    """What keeps ``lists`` from being installed here; empty when nothing does."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sums = (folder / SUMS).read_text(encoding="utf-8")
        fit = _fits(manifest, machine)
        return fit or _lists_match(manifest, requirements, lists) or _whole(folder, sums)
    except FileNotFoundError as error:
        name = Path(str(error.filename)).name
        return [Problem("offline_incomplete", f"{folder} 里没有 {name}：没有拷完，请重新拷贝")]
    except (ValueError, KeyError, TypeError):
        return [Problem("offline_incomplete", f"{folder}/{MANIFEST} 读不懂：请重新拷贝")]


def _fits(manifest: dict[str, object], machine: Machine) -> list[Problem]:
    if manifest["format"] != FORMAT:
        return [Problem("offline_format", "离线文件夹的格式和这个版本的前门不一致，请重新制作")]
    if manifest["arch"] != machine.arch:
        return [Problem("offline_platform",
                        f"离线文件夹是给 {manifest['arch']} 做的，这台机器是 {machine.arch}："
                        "请在同样处理器的联网机器上重新制作")]  # fmt: skip
    if manifest["python"] != list(machine.python):
        return [Problem("offline_python",
                        f"离线文件夹要 Python {_dotted(manifest['python'])}，"
                        f"这里是 {_dotted(machine.python)}：请用 QIANMEN_PYTHON 指明")]  # fmt: skip
    if tuple(_numbers(manifest["glibc"])) > machine.glibc:
        return [Problem("offline_glibc",
                        f"离线文件夹要 glibc {_dotted(manifest['glibc'])} 以上，"
                        f"这里是 {_dotted(machine.glibc)}：请换 Debian 12 或更新的系统，"
                        "或者在更旧的系统上重新制作")]  # fmt: skip
    return []


def _numbers(value: object) -> list[int]:
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return [int(part) for part in value]


def _dotted(value: object) -> str:
    return ".".join(str(part) for part in _numbers(value))


def _lists_match(
    manifest: dict[str, object], requirements: Path, lists: Sequence[str]
) -> list[Problem]:
    made_from = manifest["lists"]
    if not isinstance(made_from, dict):
        raise TypeError
    for name in lists:
        if name not in made_from:
            hint = "（制作时加 --with-tests）" if name == "dev" else ""
            return [Problem("offline_list", f"离线文件夹里没有 {name} 的软件包{hint}")]
        if made_from[name] != sha256(requirements / f"{name}.txt"):
            return [Problem("offline_list",
                            f"离线文件夹是给另一个版本（{manifest['version']}，"
                            f"{str(manifest['commit'])[:8]}）做的：requirements/{name}.txt 不一样，"
                            "请用同一个版本重新制作")]  # fmt: skip
    return []


def _whole(folder: Path, sums: str) -> list[Problem]:
    rows = [line.split("  ", 1) for line in sums.splitlines()]
    missing = [name for _, name in rows if not (folder / name).is_file()]
    if missing:
        return [Problem("offline_missing", f"缺少 {_some(missing)}：没有拷完，请重新拷贝")]
    wrong = [name for digest, name in rows if sha256(folder / name) != digest]
    if wrong:
        return [Problem("offline_sum", f"校验和不对：{_some(wrong)}：请重新拷贝这些文件")]
    return []


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:3]) + (f" 等 {len(names)} 个文件" if len(names) > 3 else "")


def unpack_uv(folder: Path, target: Path) -> Path:
    """Take the program ``uv`` out of its wheel (a zip file): neither pip nor venv is needed.

    Raises :class:`StopIteration` when the folder has no such wheel, which ``check`` tells first.
    """
    wheel = next((folder / "wheels").glob("uv-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        member = next(name for name in archive.namelist() if name.endswith(".data/scripts/uv"))
        content = archive.read(member)
    target.mkdir(parents=True, exist_ok=True)
    program, half = target / "uv", target / f"uv.{os.getpid()}"
    half.write_bytes(content)
    half.chmod(half.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    half.replace(program)
    return program


def main(arguments: Sequence[str] | None = None) -> int:
    """For the scripts; 1 when the folder is not usable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("fetch", "lists", "seal", "check", "uv"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="lists to make or to check; for uv: the target")
    parser.add_argument("--requirements", type=Path, default=Path("requirements"))
    parser.add_argument("--version", default="")
    parser.add_argument("--commit", default="")
    given = parser.parse_args(arguments)
    if given.work == "fetch":
        for name in given.names:
            text = (given.requirements / f"{name}.txt").read_text(encoding="utf-8")
            (given.folder / f"{name}.txt").write_text(for_any_patch(text), encoding="utf-8")
    elif given.work == "lists":
        (given.folder / "lists").mkdir(exist_ok=True)
        for name in given.names:
            text = (given.requirements / f"{name}.txt").read_text(encoding="utf-8")
            text = with_own_hashes(text, given.folder / "wheels")
            (given.folder / "lists" / f"{name}.txt").write_text(text, encoding="utf-8")
    elif given.work == "seal":
        seal(given.folder, given.requirements, this_machine(), given.version, given.commit)
    elif given.work == "uv":
        unpack_uv(given.folder, Path(given.names[0]))
    else:
        problems = check(given.folder, given.requirements, this_machine(), given.names)
        for problem in problems:
            sys.stderr.write(f"✘ {problem.code}：{problem.sentence}\n")
        return 1 if problems else 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
