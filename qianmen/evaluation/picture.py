"""What was asked against what was answered, as a picture: PNG or SVG by the file's ending."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from config.errors import ConfigError
from qianmen.evaluation.scoring import Judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ASPECT_NAMES = {
    "条件": "may they", "材料": "papers", "流程": "how", "地点": "where", "时限": "when",
    "费用": "fee", "额度": "amount", "查询": "look up", "电话": "phone",
}  # fmt: skip
"""In the picture: a font with Chinese characters is not everywhere."""
_ENDS = ("asked back", "missed")
_KINDS = (".png", ".svg")


def confusion(wanted: Sequence[str], got: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Counts, rows wanted, columns got; ``names`` are the rows, and with ``_ENDS`` the columns."""
    rows = {name: at for at, name in enumerate(names)}
    columns = {name: at for at, name in enumerate((*names, *_ENDS))}
    counts = np.zeros((len(rows), len(columns)), np.int64)
    for asked, answered in zip(wanted, got, strict=True):
        if asked in rows and answered in columns:
            counts[rows[asked], columns[answered]] += 1
    return counts


def check(path: Path) -> None:
    """Raises :class:`ConfigError` ``picture_invalid`` for what cannot be drawn to."""
    if path.suffix.lower() not in _KINDS:
        raise ConfigError("picture_invalid", f"{path}：图要以 .png 或 .svg 结尾")
    if not path.parent.is_dir():
        raise ConfigError("picture_invalid", f"{path.parent}：没有这个文件夹")


def draw(judged: Sequence[Judged], path: Path) -> None:
    """Matters, and aspects where the matter was right. Raises :class:`ConfigError`."""
    check(path)
    from matplotlib.figure import Figure

    asked = [one for one in judged if one.label.matter and one.label.aspects]
    figure = Figure(figsize=(22, 13), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 1))
    matters = sorted({one.label.matter for one in asked})
    _panel(
        left, confusion([one.label.matter for one in asked], _got(asked, "matter"), matters),
        matters, f"matter asked for (rows) and answered (columns), {len(asked)} questions",
    )  # fmt: skip
    there = [one for one in asked if one.outcome.matter in ("", one.label.matter)]
    _panel(
        right, confusion([_aspect(one) for one in there], _got(there, "aspect"), [*ASPECT_NAMES]),
        [*ASPECT_NAMES.values()], "aspect, where the matter was right",
    )  # fmt: skip
    try:
        figure.savefig(path, dpi=100)
    except OSError as error:
        raise ConfigError("picture_invalid", f"{path}: {error.strerror}") from None


def _aspect(one: Judged) -> str:
    """The labelled aspect; where several are right, the one that was answered."""
    aspects = one.label.aspects
    return one.outcome.aspect if one.outcome.aspect in aspects else aspects[0]


def _got(judged: Sequence[Judged], name: str) -> list[str]:
    ends = {"answer": "", "ask": _ENDS[0]}
    told = [(ends.get(one.outcome.decision, _ENDS[1]), one) for one in judged]
    return [end or str(getattr(one.outcome, name)) for end, one in told]


def _panel(axes: Axes, counts: NDArray[np.int64], names: Sequence[str], title: str) -> None:
    style: dict[str, Any] = {"fontsize": 8}
    axes.imshow(np.sqrt(counts), cmap="Blues", aspect="auto")
    axes.set_xticks(range(counts.shape[1]), [*names, *_ENDS], rotation=90, **style)
    axes.set_yticks(range(counts.shape[0]), [*names], **style)
    axes.set_title(title, fontsize=11)
    for row, column in zip(*np.nonzero(counts), strict=True):
        dark = counts[row, column] > counts.max() * 0.4
        axes.text(
            int(column), int(row), str(counts[row, column]), ha="center", va="center",
            color="white" if dark else "black", **style,
        )  # fmt: skip
