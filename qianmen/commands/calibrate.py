"""``qianmen knowledge calibrate``: learn from the labelled questions when to answer."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, say, show

if TYPE_CHECKING:
    from config.settings import Settings
    from knowledge.calibrate import Calibrated
    from knowledge.published import Snapshot

Picture = Annotated[
    Path | None,
    typer.Option("--picture", help="把曲线（回答得多少、错多少）画成图，.svg 或 .png。"),
]


def calibrate(picture: Picture = None, json: Json = False) -> None:
    """用已标注的问法做交叉验证，定出什么时候直接回答、什么时候反问（要几分钟）。

    结果写进城市文件夹的 calibration.yaml，重新启动以后生效。
    """
    from knowledge.calibrate import calibrated
    from knowledge.calibration import read_calibration, write_calibration

    settings = installation()
    start = read_calibration(settings.city)
    found = _published(settings)
    answered: dict[str, set[str]] = {}
    for answer in found.answers:
        answered.setdefault(answer.matter, set()).add(answer.aspect)
    try:
        result = calibrated(
            found.matters, {code: frozenset(given) for code, given in answered.items()}, start
        )
    except ValueError:
        say("已发布的事项里带标注的问法太少，定不出门槛；原来的设置没有动")
        raise typer.Exit(1) from None
    if picture is not None:
        _draw(result, picture)
    path = write_calibration(settings.city, result.calibration)
    _report(result, path, json)


def _published(settings: Settings) -> Snapshot:
    from knowledge.published import snapshot
    from store.engine import open_store, reading

    engine = open_store(settings)
    try:
        with reading(engine) as session:
            return snapshot(session)
    finally:
        engine.dispose()


def _draw(result: Calibrated, picture: Path) -> None:
    from knowledge.coverage import draw

    try:
        draw(result.points, result.point, picture)
    except (OSError, ValueError) as error:
        say(f"图写不了：{error}")
        raise typer.Exit(1) from None


def _report(result: Calibrated, path: Path, json: bool) -> None:
    point = result.point
    if json:
        print_json({
            "trials": result.trials, "kinds": dict(result.kinds), "point": asdict(point),
            "points": [asdict(one) for one in result.points], "file": str(path),
        })  # fmt: skip
        return
    show(f"问过 {result.trials} 次（每一句都没有学过）")
    for kind, share in result.kinds.items():
        label = {"typed": "原样", "homophones": "二成同音字"}[kind]
        show(f"最像的一条就是对的：{label} {share:.1%}")
    show(
        f"门槛 {point.threshold:.2f}：直接回答 {point.answered:.1%}，其中答错 {point.wrong:.1%}，"
        f"范围之外的误答 {point.outside:.1%}"
    )
    say(f"写好了：{path}")
