"""The set-up on a closed machine: it stops with a reason before it touches anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import ROOT
from scripts.offline_folder import SUMS, seal, this_machine


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """As much of the repository as the set-up reads, beside a folder with one wheel."""
    repository = tmp_path / "repository"
    shutil.copytree(ROOT / "scripts", repository / "scripts")
    shutil.copytree(ROOT / "requirements", repository / "requirements")
    wheels = repository / "offline" / "wheels"
    wheels.mkdir(parents=True)
    (wheels / "a-1-py3-none-any.whl").write_bytes(b"a wheel")
    lists = repository / "offline" / "lists"
    lists.mkdir()
    for name in ("main", "rasa", "uv"):
        shutil.copy(ROOT / "requirements" / f"{name}.txt", lists)
    (repository / "offline" / "models").mkdir()
    seal(repository / "offline", repository / "requirements", this_machine(), "0", "0" * 40)
    return repository


def setup(
    repository: Path, what: str = "run", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "scripts/setup.sh", what], cwd=repository, check=False,
        capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(repository), "LANG": "C.UTF-8",
             "QIANMEN_PYTHON": sys.executable, **variables},
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], repository: Path) -> bool:
    return done.returncode == 1 and not (repository / ".venv").exists()


def test_a_half_copied_folder_stops_the_set_up(repository: Path) -> None:
    (repository / "offline" / "wheels" / "a-1-py3-none-any.whl").unlink()
    done = setup(repository)
    assert refused(done, repository)
    assert "offline_missing" in done.stderr
    assert "怎么办" in done.stderr


def test_a_folder_without_sums_stops_the_set_up(repository: Path) -> None:
    (repository / "offline" / SUMS).unlink()
    done = setup(repository)
    assert refused(done, repository)
    assert "offline_incomplete" in done.stderr


def test_tests_need_their_packages_in_the_folder(repository: Path) -> None:
    done = setup(repository, "test")
    assert refused(done, repository)
    assert "--with-tests" in done.stderr


def test_a_folder_that_is_not_there_is_named(repository: Path) -> None:
    done = setup(repository, QIANMEN_WHEELS="nowhere")
    assert refused(done, repository)
    assert "nowhere" in done.stderr


def test_a_whole_folder_is_used_and_nothing_else(repository: Path) -> None:
    """The wheels that the list wants are not in it, so the set-up ends there, without a network."""
    (repository / "bin").mkdir()
    uv = repository / "bin" / "uv"
    uv.write_text('#!/bin/sh\necho "$@" >>asked\n[ "$1" = venv ]\n', encoding="utf-8")
    uv.chmod(0o755)
    done = setup(repository, PATH=f"{repository / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == 1
    install = (repository / "asked").read_text(encoding="utf-8").splitlines()[1]
    folder = repository / "offline"
    assert f"--offline --no-index --find-links {folder}/wheels" in install
    assert "--require-hashes" in install
    assert f"-r {folder}/lists/main.txt" in install
