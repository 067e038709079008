"""What all runs of the tests use, made once before them: ``python -m tests.prepare``.

Two runs that both found no dialogue model would train it in the same folder at the same time.
"""

from __future__ import annotations

from bot.rasa_process import train_if_needed
from config.settings import Settings
from knowledge.asking import read_phrasings
from knowledge.files import read_folder
from knowledge.learnedcache import learn_once
from tests.conftest import LEARNED, SAMPLE_CITY


def main() -> None:
    """Train the dialogue model and the sample city's classifiers unless they stand already."""
    settings = Settings()
    train_if_needed(settings)
    learn_once(read_folder(SAMPLE_CITY / "knowledge").matters, read_phrasings(), LEARNED)


if __name__ == "__main__":
    main()
