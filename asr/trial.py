"""A Vosk model tried in a process of its own: `python trial.py FOLDER RATE`.

Kaldi asserts, and crashes, on some damaged files; better here than in the recogniser, and there
every caller would be lost with it. Exit code 0 means that the model loads and recognises. Run as a
file: it imports nothing of the project.
"""

from __future__ import annotations

import random
import sys

import vosk


def try_model(folder: str, rate: float) -> None:
    """Load and recognise half a second of noise; raises Exception, or ends the process."""
    vosk.SetLogLevel(-2)  # errors only
    recogniser = vosk.KaldiRecognizer(vosk.Model(folder), rate)
    recogniser.SetWords(True)
    recogniser.AcceptWaveform(random.Random(1).randbytes(int(rate)))  # noqa: S311  # noise
    recogniser.FinalResult()


def main() -> None:
    """Entry of the process."""
    try:
        try_model(sys.argv[1], float(sys.argv[2]))
    except Exception:  # noqa: BLE001  # Vosk raises bare Exception; Kaldi printed why
        sys.exit(1)


if __name__ == "__main__":
    main()
