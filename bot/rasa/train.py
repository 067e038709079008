"""Train the model unless it stands already: ``python -m bot.rasa.train FOLDER [CITY]``.

Runs in Rasa's environment. ``CITY`` is the city's folder of YAML (see ``asked``). ``FOLDER`` gets
``project/`` (what Rasa reads), ``models/`` and ``fingerprint``, written last: a broken-off training
is done again.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
from pathlib import Path

from bot.rasa.asked import drawn
from bot.rasa.corpus import PHRASES, nlu_yaml

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "project"
MODEL = "qianmen.tar.gz"
_CODE = ("asked.py", "classifier.py", "corpus.py", "features.py", "train.py")


def fingerprint(city: Path | None = None) -> str:
    """A hash over everything that the model is made of; of ``city``, only what is learned from."""
    language = HERE.parent.parent / "language"
    sources = [
        *sorted(PHRASES.glob("*.yaml")), *sorted(PROJECT.glob("*.yml")),
        *sorted((HERE / "components").glob("*.py")), *(HERE / name for name in _CODE),
        language / "normal.py", language / "pinyin.py",
    ]  # fmt: skip
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update("\n".join(drawn(city)).encode())
    return digest.hexdigest()


def is_current(folder: Path, city: Path | None = None) -> bool:
    """Whether the model in ``folder`` was made of what stands here and in ``city`` now."""
    stamp = folder / "fingerprint"
    return (
        (folder / "models" / MODEL).is_file()
        and stamp.is_file()
        and stamp.read_text(encoding="utf-8") == fingerprint(city)
    )


def train(folder: Path, city: Path | None = None) -> None:
    """Train into ``folder``; raises SystemExit when Rasa refuses."""
    import rasa  # type: ignore[import-not-found]  # only in Rasa's environment; slow to import

    stamp = folder / "fingerprint"
    stamp.unlink(missing_ok=True)
    project = folder / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(PROJECT, project)
    (project / "nlu.yml").write_text(nlu_yaml(city=city), encoding="utf-8")
    _quiet()
    result = rasa.train(
        domain=str(project / "domain.yml"),
        config=str(project / "config.yml"),
        training_files=[str(project / "nlu.yml"), str(project / "rules.yml")],
        output=str(folder / "models"),
        fixed_model_name=MODEL.removesuffix(".tar.gz"),
        force_training=True,
    )
    if result.code or not result.model:
        raise SystemExit("Rasa could not train the model")
    stamp.write_text(fingerprint(city), encoding="utf-8")


def _quiet() -> None:
    from rasa.utils.log_utils import (  # type: ignore[import-not-found]  # as above
        configure_structlog,
    )

    configure_structlog(logging.WARNING)


def main() -> None:
    """Train when something changed."""
    if len(sys.argv) not in (2, 3):  # the program, the folder and perhaps the city's
        raise SystemExit("usage: python -m bot.rasa.train FOLDER [CITY]")
    folder, *city = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    if not is_current(folder, *city):
        train(folder, *city)


if __name__ == "__main__":
    main()
