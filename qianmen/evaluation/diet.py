"""Rasa's own DIET and ResponseSelector with jieba, trained in Rasa's environment, kept by content.

The model lies in the data folder; it is trained anew when the questions or the pipeline change.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bot.rasa import launch
from config.errors import ConfigError
from config.settings import ROOT, Settings
from qianmen.evaluation.baselines import NOTHING, Classifier, Guess, Pair

SCRIPT = Path(__file__).with_name("diet_main.py")
_LIMIT_S = 3600


def diet(settings: Settings, train: Sequence[Pair]) -> Classifier:
    """The trained classifier. Raises :class:`ConfigError` ``rasa_missing``, ``baseline_failed``."""
    if not settings.rasa_python.is_file():
        raise ConfigError("rasa_missing", f"{settings.rasa_python}: not there; run `make setup`")
    given = json.dumps(train, ensure_ascii=False)
    digest = hashlib.sha256(given.encode() + SCRIPT.read_bytes()).hexdigest()[:16]
    home = settings.data_dir.resolve() / "evaluation" / f"diet-{digest}"
    home.mkdir(parents=True, exist_ok=True)
    (home / "train.json").write_text(given, encoding="utf-8")

    def classify(texts: Sequence[str]) -> list[Guess]:
        (home / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
        _run(settings, home)
        told = json.loads((home / "guesses.json").read_text(encoding="utf-8"))
        return [Guess(tuple(one["classes"]) or (NOTHING,), one["score"]) for one in told]

    return classify


def _run(settings: Settings, home: Path) -> None:
    environment = os.environ | launch.environment(home)
    argv = ["nice", "-n", "10", str(settings.rasa_python), str(SCRIPT), str(home), NOTHING]
    log = home / "log"
    with log.open("ab") as out:
        try:
            done = subprocess.run(  # noqa: S603  # our own program, no shell
                argv, env=environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, timeout=_LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ConfigError("baseline_failed", f"{_LIMIT_S} 秒没有训练完，见 {log}") from None
    if done.returncode:
        raise ConfigError("baseline_failed", f"Rasa 的对照模型没有训练成，见 {log}")
