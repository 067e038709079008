"""Trained classifiers kept on disk by the content they were trained on: a start need not wait."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from config.wholefile import write_whole
from knowledge.asking import Phrasings
from knowledge.features import Row, Vocabulary
from knowledge.learned import Learned, learn, read_outside
from knowledge.linear import Linear
from knowledge.matters import MatterEntry

_log = structlog.get_logger(__name__)

_EDITION = 3
"""To be raised when the training changes: what an older one left behind is not used then."""

_KEPT = 3
"""So many contents stay: the front door's, and what `ask` and an older release learned from."""

_BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
_Arrays = Mapping[str, NDArray[np.generic]]


def learn_once(
    matters: Sequence[MatterEntry], phrasings: Phrasings, folder: Path | None
) -> Learned:
    """The classifiers for this content: from ``folder`` where it has them whole, else trained and
    left there for the next start. The oldest are removed. A folder that cannot be written costs
    only the time of another training.
    """
    if folder is None:
        return learn(matters, phrasings)
    path = folder / f"classifiers-{_name(matters, phrasings)}.npz"
    try:
        return _loaded(path.read_bytes())
    except FileNotFoundError:
        pass
    except _BROKEN as error:
        _log.warning("classifiers_unreadable", code="cache_broken", fault=type(error).__name__)
    learned = learn(matters, phrasings)
    try:
        write_whole(path, _saved(learned))
        for old in sorted(folder.glob("classifiers-*.npz"), key=_changed)[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("classifiers_not_kept", code="cache_unwritable", fault=type(error).__name__)
    return learned


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0


def _name(matters: Sequence[MatterEntry], phrasings: Phrasings) -> str:
    content = [
        _EDITION,
        [(one.code, one.names, sorted(one.questions.items())) for one in matters],
        asdict(phrasings),
        read_outside(),
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:24]


def _saved(learned: Learned) -> bytes:
    rows = learned.rows
    target = io.BytesIO()
    np.savez(
        target,
        features=_packed(learned.vocabulary.features), idf=learned.vocabulary.idf,
        matters=_packed(learned.matters.labels), matter_weights=learned.matters.weights,
        matter_bias=learned.matters.bias,
        aspects=_packed(learned.aspects.labels), aspect_weights=learned.aspects.weights,
        aspect_bias=learned.aspects.bias,
        texts=_packed(rows), sizes=np.array([len(row.at) for row in rows.values()], np.int64),
        at=np.concatenate([np.zeros(0, np.int32), *(row.at for row in rows.values())]),
        weight=np.concatenate([np.zeros(0, np.float32), *(row.weight for row in rows.values())]),
    )  # fmt: skip
    return target.getvalue()


def _loaded(content: bytes) -> Learned:
    """Raises one of ``_BROKEN``."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        features = _unpacked(kept["features"])
        idf = kept["idf"].astype(np.float32)
        ends = np.cumsum(kept["sizes"])[:-1]
        at, weight = np.split(kept["at"], ends), np.split(kept["weight"], ends)
        rows = {
            text: Row(*pair)
            for text, *pair in zip(_unpacked(kept["texts"]), at, weight, strict=True)
        }
        vocabulary = Vocabulary({one: at for at, one in enumerate(features)}, idf)
        learned = Learned(vocabulary, _linear(kept, "matter"), _linear(kept, "aspect"), rows)
    widths = {len(idf), len(learned.matters.weights), len(learned.aspects.weights)}
    if widths != {len(features)}:
        raise ValueError("the parts do not fit together")
    return learned


def _linear(kept: _Arrays, name: str) -> Linear:
    labels = tuple(_unpacked(kept[f"{name}s"]))
    weights, bias = kept[f"{name}_weights"], kept[f"{name}_bias"]
    if weights.shape[1:] != (len(labels),) or bias.shape != (len(labels),):
        raise ValueError("labels and weights do not fit together")
    return Linear(labels, weights.astype(np.float32), bias.astype(np.float32))


def _packed(texts: Sequence[str] | Mapping[str, Row]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(list(texts), ensure_ascii=False).encode(), dtype=np.uint8)


def _unpacked(packed: NDArray[np.generic]) -> list[str]:
    return [str(text) for text in json.loads(packed.tobytes().decode())]
