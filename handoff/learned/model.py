"""The class of an order by what past orders taught: a linear model over runs of characters.

Plain arrays in one ``.npz`` file, read without pickle; numpy is loaded with the first model.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from language.normal import for_matching

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOTHING = ""
"""The class of words that tell of nothing: 嗯嗯好的."""
SHIPPED = Path(__file__).parent / "synthetic.npz"
"""Trained on the synthetic orders that ship."""
FILE = "orders.npz"
"""The city's own model, in the installation's folder of what was learned."""
FORMAT = 1
_LONGEST_RUN = 3
_LEAST_MARGIN = -0.75  # below it nothing learned is like the text
_LEAST_TEXT = 3  # characters beside numbers
_TEXT = 300  # characters; a longer story says little more
_DIGITS = re.compile(r"[0-9零一二三四五六七八九十百千万幺两]+")


class ModelError(Exception):
    """No model can be read; ``code`` is ``model_unreadable`` or ``model_invalid``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def grams(text: str) -> list[str]:
    """Runs of 1 to 3 characters, numbers struck out, edges marked."""
    bare = f"^{_DIGITS.sub('#', for_matching(text[:_TEXT]))}$"
    return [
        bare[at : at + size]
        for size in range(1, _LONGEST_RUN + 1)
        for at in range(len(bare) - size + 1)
    ]


@dataclass(frozen=True, slots=True)
class Model:
    """``weights``: features × classes (int8, times ``scale``), ``bias``: classes."""

    codes: tuple[str, ...]
    places: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    sharpness: float

    def chances(self, text: str) -> list[tuple[str, float]]:
        """Every class with its chance, the likeliest first; [] where nothing is known."""
        import numpy as np  # processes that classify nothing do without it

        row = features(text, self.places, self.idf)
        if not row or len(_DIGITS.sub("", for_matching(text))) < _LEAST_TEXT:
            return []
        at = np.fromiter(row, dtype=np.int64, count=len(row))
        weight = np.fromiter(row.values(), dtype=np.float32, count=len(row))
        margins = (weight @ self.weights[at].astype(np.float32)) * self.scale + self.bias
        if margins.max() < _LEAST_MARGIN:
            return []
        raised = np.exp(self.sharpness * (margins - margins.max()))
        chance = raised / raised.sum()
        order = np.argsort(-chance)
        return [(self.codes[i], float(chance[i])) for i in order]


def features(text: str, places: dict[str, int], idf: Any) -> dict[int, float]:
    """Places of the known runs of ``text`` with their TF-IDF, unit length."""
    counted = Counter(at for at in map(places.get, grams(text)) if at is not None)
    row = {at: (1.0 + math.log(times)) * float(idf[at]) for at, times in counted.items()}
    length = math.sqrt(sum(weight * weight for weight in row.values())) or 1.0
    return {at: weight / length for at, weight in row.items()}


def load(path: Path = SHIPPED) -> Model:
    """The model in a file; raises :class:`ModelError`."""
    import numpy as np  # as above

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            parts = {name: data[name] for name in data.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError("model_unreadable", f"{path.name}: {type(error).__name__}") from None
    try:
        model = _model(parts)
    except (KeyError, ValueError, IndexError, TypeError):
        raise ModelError("model_invalid", f"{path.name}: 不是分类模型") from None
    return model


def _model(parts: dict[str, Any]) -> Model:
    if int(parts["format"]) != FORMAT:
        raise ValueError("another format")
    runs, codes = str(parts["runs"]).split("\n"), str(parts["codes"]).split("\n")
    model = Model(
        codes=tuple(codes),
        places={run: at for at, run in enumerate(runs)},
        idf=parts["idf"],
        weights=parts["weights"],
        scale=parts["scale"],
        bias=parts["bias"],
        sharpness=float(parts["sharpness"]),
    )
    shape = (len(runs), len(codes))
    if model.weights.shape != shape or len(model.idf) != shape[0] or len(model.bias) != shape[1]:
        raise ValueError("sizes do not fit")
    return model


def vocabulary(texts: Iterable[str], least: int = 2) -> tuple[dict[str, int], list[float]]:
    """The runs that at least ``least`` of ``texts`` use, and how telling each is."""
    seen: Counter[str] = Counter()
    count = 0
    for text in texts:
        seen.update(set(grams(text)))
        count += 1
    used = sorted(run for run, times in seen.items() if times >= least)
    idf = [math.log((1 + count) / (1 + seen[run])) + 1.0 for run in used]
    return {run: at for at, run in enumerate(used)}, idf
