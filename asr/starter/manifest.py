"""What a built model was made from, how, and how well it does: `manifest.json`."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asr.starter.archive import sha256_of
from asr.starter.features import DIMENSION
from asr.starter.model_files import ORDER
from asr.starter.telephone import SAMPLE_RATE
from asr.starter.text import held_out_sentences, text_digest, training_sentences
from asr.starter.voices import DISTORTED_VARIANTS, HELD_OUT_VARIANTS, TRAINING_VARIANTS

FITNESS = (
    "Knows synthetic espeak-ng voices only. For trying and testing the whole path on a bare "
    "machine; NOT fit for real callers, whom it does not understand."
)
CAVEAT = (
    "Smoothing, word list and everyday-grammar templates were chosen while looking at the errors "
    "on the held-out sentences, so those rates flatter; the fresh sentences were written "
    "afterwards. What is left is mostly homophones: the phones themselves "
    "are heard almost without error."
)
_PACKAGES = (
    "espeakng-loader", "jieba", "kaldi-native-fbank", "kaldifst", "kaldilm", "numpy", "pypinyin",
    "scipy", "torch", "vosk",
)  # fmt: skip


def _measures(measured: dict[str, Any]) -> dict[str, Any]:
    """Error rates without the transcripts, in percent."""
    return {
        name: {
            "cer_percent": round(100 * result["cer"], 2),
            "sentences": result["sentences"],
            "exact": result["exact"],
        }
        for name, result in measured.items()
    }


def describe(
    model: Path, archive: Path, training: dict[str, Any], words: int, measured: dict[str, Any]
) -> dict[str, Any]:
    """The manifest's content."""
    text = training_sentences()
    files = sorted(path for path in model.rglob("*") if path.is_file())
    return {
        "name": "qianmen-starter-cmn",
        "fitness": FITNESS,
        "made_from": "espeak-ng speech (voices cmn and cmn-latn-pinyin) and the text in "
        "asr/starter; no recorded speech",
        "rebuild": "python -m asr.starter.build",
        "archive": {
            "name": archive.name,
            "bytes": archive.stat().st_size,
            "sha256": sha256_of(archive),
        },
        "model": {
            "sample_rate_hz": SAMPLE_RATE,
            "features": f"MFCC, {DIMENSION} coefficients, 100 frames a second",
            "network": "TDNN trained with CTC on toneless initials and finals",
            "language_model": f"Witten-Bell {ORDER}-gram; graph with look-ahead, so that grammars "
            "can be set at run time",
            "words": words,
        },
        "text": {
            "training_sentences": len(text),
            "training_sha256": text_digest(text),
            "held_out_sentences": len(held_out_sentences()),
            "held_out_sha256": text_digest(held_out_sentences()),
        },
        "voices": {
            "training": sorted(set(TRAINING_VARIANTS)),
            "held_out": sorted(HELD_OUT_VARIANTS),
            "held_out_distorted": sorted(DISTORTED_VARIANTS),
        },
        "training": training,
        "measured": _measures(measured),
        "caveat": CAVEAT,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "files": {
            path.relative_to(model).as_posix(): {
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path),
            }
            for path in files
        },
    }
