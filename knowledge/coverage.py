"""The curve of calibration as a picture: how much is answered against how much of it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from knowledge.calibrate import Point


def draw(points: Sequence[Point], chosen: Point, path: Path) -> None:
    """Write the picture; its kind follows the ending of ``path`` (.svg, .png). Raises OSError, and
    ``ValueError`` for an ending that stands for no picture.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "qianmen"}):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.add_subplot()
        wrong = [100 * point.wrong for point in points]
        axes.plot(wrong, [100 * point.answered for point in points], label="answered")
        axes.plot(wrong, [100 * point.right for point in points], label="answered rightly")
        axes.plot(
            [100 * point.outside for point in points], [100 * point.answered for point in points],
            linestyle=":", label="answered, against out-of-scope answered",
        )  # fmt: skip
        axes.axvline(100 * chosen.wrong, color="0.6", linewidth=0.8)
        axes.annotate(
            f"threshold {chosen.threshold:.2f}", (100 * chosen.wrong, 100 * chosen.answered),
            textcoords="offset points", xytext=(8, -14),
        )  # fmt: skip
        axes.set(xlabel="wrong answers, % of questions", ylabel="% of questions in scope")
        axes.set_ylim(0, 100)
        axes.legend(loc="lower right", frameon=False)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
