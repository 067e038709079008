from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from config.errors import ConfigError
from knowledge.asking import Phrasings
from knowledge.calibrate import Calibrated, Point, calibrated, chosen
from knowledge.calibration import FILE, read_calibration, write_calibration
from knowledge.coverage import draw
from knowledge.decision import Calibration
from knowledge.matters import MatterEntry
from knowledge.trials import folds, without

MATTERS = (
    MatterEntry("ss.card", "社会保障卡申领", "人社局", questions={
        "材料": ("办社保卡要带什么材料", "办社保卡得拿啥", "社保卡申请需要什么证件",
               "领社保卡用不用户口本",
               "社保卡照片要几张"),
        "费用": ("办社保卡多少钱", "社保卡工本费收多少", "办张社保卡掏多少",
               "社保卡免费不", "领社保卡要不要钱"),
    }),
    MatterEntry("police.passport", "护照办理", "公安局", questions={
        "材料": ("办护照要带什么材料", "办护照得拿啥", "护照申请需要什么证件",
               "换护照用不用户口本",
               "护照照片要几张"),
        "费用": ("办护照多少钱", "护照工本费收多少", "办本护照掏多少",
               "护照免费不", "换护照要不要钱"),
    }),
    MatterEntry("heat.fee", "供热缴费与报停", "住建局", questions={
        "材料": ("暖气报停要带什么材料", "停暖得拿啥", "供热过户需要什么证件",
               "停暖用不用房产证",
               "报停暖气的申请表要几张"),
        "费用": ("暖气费多少钱", "取暖费一平收多少", "停暖掏多少",
               "报停暖气免费不", "停供热要不要钱"),
    }),
)  # fmt: skip
ANSWERED = {matter.code: frozenset(matter.questions) for matter in MATTERS}
PHRASINGS = Phrasings(
    {"材料": ("要带什么材料", "得拿啥", "需要什么证件"), "费用": ("多少钱", "掏多少", "收不收费")},
    ("我想问一下", "的事", "呢"),
    ("户口本",),
)
OUTSIDE = ("今天天气怎么样", "给我讲个笑话", "路灯坏了没人修", "彩票怎么买", "吃啥好", "漏水不管")


@pytest.fixture(scope="module")
def result() -> Calibrated:
    return calibrated(MATTERS, ANSWERED, Calibration(), PHRASINGS, OUTSIDE)


def test_it_learns_what_speaks_for_a_matter(result: Calibrated) -> None:
    assert result.trials > 60
    assert result.kinds["typed"] > 0.7
    answered = [point.answered for point in result.points]
    assert answered == sorted(answered, reverse=True)
    for point in result.points:
        assert point.right + point.wrong == pytest.approx(point.answered)
    assert result.calibration.thresholds.answer == pytest.approx(result.point.threshold)
    assert result.calibration != Calibration()


def test_the_lowest_threshold_that_keeps_the_limits_is_chosen() -> None:
    points = [
        Point(0.4, 0.9, 0.85, 0.05, 0.0), Point(0.5, 0.8, 0.79, 0.01, 0.03),
        Point(0.6, 0.7, 0.69, 0.01, 0.01), Point(0.7, 0.6, 0.6, 0.0, 0.0),
    ]  # fmt: skip
    assert chosen(points, 0.012, 0.015) is points[2]
    assert chosen(points, 0.1, 0.1) is points[0]
    assert chosen(points[:1], 0.0, 0.0) is points[0]


def test_too_few_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        calibrated(MATTERS[:1], ANSWERED, Calibration(), PHRASINGS, OUTSIDE)


def test_near_duplicates_are_held_out_together() -> None:
    texts = ["办护照要带什么材料", "给我讲个笑话", "办护照要带什么材料呢", "护照补办去哪个窗口"]
    found = folds(texts, 5)
    assert found[0] == found[2]
    assert len(set(found)) > 1
    kept = without(MATTERS[0], frozenset({"办社保卡多少钱"}))
    assert kept.questions["费用"] == MATTERS[0].questions["费用"][1:]


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) == Calibration()
    given = replace(Calibration(), nothing=(0.5, -1.25))
    path = write_calibration(tmp_path, given)
    assert path == tmp_path / FILE
    assert read_calibration(tmp_path) == given


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace("thresholds:", "limits:"), "config_invalid"),
        (lambda text: text.replace("answer: 0.75", "answer: 2"), "config_invalid"),
        (lambda text: text.replace("bias: ", "bias: [", 1), "config_broken"),
        (lambda text: "matter: {}\n", "config_invalid"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, change: object, code: str) -> None:
    limits = replace(Calibration().thresholds, answer=0.75)
    path = write_calibration(tmp_path, replace(Calibration(), thresholds=limits))
    assert callable(change)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_calibration(tmp_path)
    assert caught.value.code == code
    assert FILE in str(caught.value)


@pytest.mark.parametrize("change", [("cover:", "covers:"), ("  unanchored:", "  #"),
                                    ("nothing:\n", "nothing:\n  fresh: 1.0\n")])  # fmt: skip
def test_a_file_of_another_version_is_passed_over_with_a_warning(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    path = write_calibration(tmp_path, replace(Calibration(), nothing=(0.5, -1.25)))
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with capture_logs() as logs:
        assert read_calibration(tmp_path) == Calibration()
    assert [(line["code"], line["log_level"]) for line in logs] == [
        ("calibration_outdated", "warning")
    ]


def test_the_curve_is_drawn(result: Calibrated, tmp_path: Path) -> None:
    path = tmp_path / "curve.svg"
    draw(result.points, result.point, path)
    assert "wrong answers" in path.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="curve"):
        draw(result.points, result.point, tmp_path / "curve.curve")
