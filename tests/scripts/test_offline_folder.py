from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import offline_folder
from scripts.offline_folder import (
    MANIFEST,
    SUMS,
    Machine,
    check,
    for_any_patch,
    needed_glibc,
    seal,
    sha256,
    unpack_uv,
    with_own_hashes,
)

HERE = Machine("x86_64", (3, 11), (2, 36))
LIST = """\
# made by a tool
audioop-lts==0.2.2 ; python_full_version >= '3.13' \\
    --hash=sha256:{other}
    # via main
doc_opt==0.6.2 \\
    --hash=sha256:{other}
    # via main
requests[socks]==2.0 \\
    --hash=sha256:{requests}
"""


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    folder = tmp_path / "requirements"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path, requirements: Path) -> Path:
    """A folder as ``make offline`` leaves it, with wheels of a few bytes."""
    folder = tmp_path / "offline"
    for name in ("wheels", "lists", "assets", "models"):
        (folder / name).mkdir(parents=True)
    wheels = folder / "wheels"
    (wheels / "requests-2.0-py3-none-any.whl").write_bytes(b"a wheel")
    (wheels / "doc_opt-0.6.2-cp311-cp311-linux_x86_64.whl").write_bytes(b"built here")
    (folder / "assets" / "htmx.min.js").write_bytes(b"js")
    text = LIST.format(
        other="0" * 64, requests=sha256(wheels / "requests-2.0-py3-none-any.whl")
    )  # fmt: skip
    (requirements / "main.txt").write_text(text, encoding="utf-8")
    (folder / "lists" / "main.txt").write_text(with_own_hashes(text, wheels), encoding="utf-8")
    seal(folder, requirements, HERE, "0.1.0", "0123456789abcdef")
    return folder


def codes(folder: Path, requirements: Path, machine: Machine = HERE, *lists: str) -> list[str]:
    return [problem.code for problem in check(folder, requirements, machine, lists or ("main",))]


def test_a_whole_folder_is_usable(folder: Path, requirements: Path) -> None:
    assert codes(folder, requirements) == []


def test_a_missing_wheel_is_named(folder: Path, requirements: Path) -> None:
    (folder / "wheels" / "requests-2.0-py3-none-any.whl").unlink()
    [problem] = check(folder, requirements, HERE, ["main"])
    assert problem.code == "offline_missing"
    assert "requests-2.0-py3-none-any.whl" in problem.sentence


def test_a_wrong_sum_is_named(folder: Path, requirements: Path) -> None:
    (folder / "assets" / "htmx.min.js").write_bytes(b"j")  # half copied
    [problem] = check(folder, requirements, HERE, ["main"])
    assert problem.code == "offline_sum"
    assert "htmx.min.js" in problem.sentence


def test_many_missing_files_are_counted(folder: Path, requirements: Path) -> None:
    for path in [*folder.glob("wheels/*"), *folder.glob("lists/*"), *folder.glob("assets/*")]:
        path.unlink()
    [problem] = check(folder, requirements, HERE, ["main"])
    assert "等 4 个文件" in problem.sentence


@pytest.mark.parametrize("name", [MANIFEST, SUMS])
def test_a_copy_that_stopped_early_is_incomplete(
    folder: Path, requirements: Path, name: str
) -> None:
    (folder / name).unlink()
    assert codes(folder, requirements) == ["offline_incomplete"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "arch": "x86_64"}', "null"])
def test_a_damaged_manifest_is_incomplete(folder: Path, requirements: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    assert codes(folder, requirements) == ["offline_incomplete"]


def test_another_format_is_told(folder: Path, requirements: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps(manifest | {"format": 2}), encoding="utf-8")
    assert codes(folder, requirements) == ["offline_format"]


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        (replace(HERE, arch="aarch64"), "offline_platform"),
        (replace(HERE, python=(3, 12)), "offline_python"),
        (replace(HERE, glibc=(2, 31)), "offline_glibc"),
        (replace(HERE, glibc=(0, 0)), "offline_glibc"),
    ],
)
def test_another_machine_is_told(
    folder: Path, requirements: Path, machine: Machine, code: str
) -> None:
    assert codes(folder, requirements, machine) == [code]


def test_a_list_that_is_not_there_is_told(folder: Path, requirements: Path) -> None:
    (requirements / "dev.txt").write_text("", encoding="utf-8")
    [problem] = check(folder, requirements, HERE, ["main", "dev"])
    assert problem.code == "offline_list"
    assert "--with-tests" in problem.sentence


def test_another_versions_list_is_told(folder: Path, requirements: Path) -> None:
    (requirements / "main.txt").write_text("requests==2.1\n", encoding="utf-8")
    assert codes(folder, requirements) == ["offline_list"]


def test_own_wheels_are_accepted_beside_the_pinned_hashes(folder: Path) -> None:
    text = (folder / "lists" / "main.txt").read_text(encoding="utf-8")
    own = sha256(folder / "wheels" / "doc_opt-0.6.2-cp311-cp311-linux_x86_64.whl")
    assert f"doc_opt==0.6.2 \\\n    --hash=sha256:{own} \\\n    --hash=sha256:{'0' * 64}" in text
    assert text.replace(f"    --hash=sha256:{own} \\\n", "") == LIST.format(
        other="0" * 64, requests=sha256(folder / "wheels" / "requests-2.0-py3-none-any.whl")
    )


def test_every_patch_release_of_this_python_finds_its_packages() -> None:
    kept = "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:0\n"
    text = f"async-timeout==5.0.1 ; python_full_version < '3.11.3' \\\n    --hash=sha256:1\n{kept}"
    assert for_any_patch(text) == f"async-timeout==5.0.1 \\\n    --hash=sha256:1\n{kept}"


def test_no_marker_on_a_patch_release_is_left_in_the_lists_that_are_fetched() -> None:
    for path in (Path(__file__).parents[2] / "requirements").glob("*.txt"):
        pins = re.findall(r"(?m)^[^#\s].*", for_any_patch(path.read_text(encoding="utf-8")))
        assert pins
        assert not [pin for pin in pins if re.search(r"'3\.11\.\d+'", pin)]


@pytest.mark.parametrize(
    ("wheel", "glibc"),
    [
        ("a-1-py3-none-any.whl", (0, 0)),
        ("a-1-cp311-cp311-manylinux_2_34_x86_64.whl", (2, 34)),
        ("a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_28_x86_64.whl", (2, 17)),
        ("a-1-cp311-cp311-manylinux1_x86_64.whl", (2, 5)),
        ("a-1-cp311-cp311-linux_x86_64.whl", (2, 36)),
    ],
)
def test_the_c_library_a_wheel_needs(wheel: str, glibc: tuple[int, int]) -> None:
    assert needed_glibc(["b-1-py3-none-any.whl", wheel], (2, 36)) == glibc


def test_uv_comes_out_of_its_wheel(folder: Path, tmp_path: Path) -> None:
    wheel = folder / "wheels" / "uv-1.0-py3-none-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("uv/__init__.py", "")
        archive.writestr("uv-1.0.data/scripts/uv", "#!/bin/sh\nexit 0\n")
    program = unpack_uv(folder, tmp_path / "tools")
    assert program.read_text(encoding="utf-8").startswith("#!")
    assert program.stat().st_mode & 0o111 == 0o111


def test_the_command_says_what_is_wrong_and_ends_with_1(
    folder: Path, requirements: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(offline_folder, "this_machine", lambda: HERE)
    arguments = ["check", str(folder), "main", "--requirements", str(requirements)]
    assert offline_folder.main(arguments) == 0
    (folder / SUMS).unlink()
    assert offline_folder.main(arguments) == 1
    assert "offline_incomplete" in capsys.readouterr().err
