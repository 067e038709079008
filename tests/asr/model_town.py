"""What the tests of models share: a small real Vosk model zipped, and an installation."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from asr.starter.archive import ensure_model
from config.settings import Settings

NAME = "some-model"


class Told:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.counts: list[tuple[int, int | None]] = []

    def step(self, text: str) -> None:
        self.steps.append(text)

    def progress(self, done: int, total: int | None) -> None:
        self.counts.append((done, total))


def zipped(folder: Path, around: str = "a-folder/") -> bytes:
    """``folder`` as a zip archive, as models are published."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(f"{around}{path.relative_to(folder)}", path.read_bytes())
    return packed.getvalue()


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model, unpacked."""
    return ensure_model(tmp_path_factory.mktemp("models") / "starter")


@pytest.fixture(scope="session")
def archive(starter: Path) -> bytes:
    """A real model's archive: the starter in the guise of a downloaded one."""
    return zipped(starter)


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def town(folder: Path, entry: str = "", **settings: object) -> Settings:
    """An installation in ``folder`` whose own catalogue has the model ``NAME``; ``entry`` holds
    further lines of it."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    lines = [f"  - name: {NAME}", "    title: 试验模型"]
    lines += [f"    {line}" for line in entry.splitlines()]
    (data / "models.yaml").write_text("models:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return Settings(data_dir=data, city=folder, **settings)  # type: ignore[arg-type]  # any setting


def known(archive: bytes) -> str:
    """Catalogue lines that tell the archive's size and checksum."""
    return f"bytes: {len(archive)}\nsha256: {sha256(archive)}"
