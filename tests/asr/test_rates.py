"""Error rates, intervals, the comparable form, and lists of recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.assess.clips import Clip, read_clips
from asr.assess.errors import AssessError
from asr.assess.evaluate import Outcome, by_group, compare, summarise, worst
from asr.assess.normal import comparable
from asr.assess.rates import Errors, difference_interval, errors_between, interval
from asr.starter.distance import edit_distance


@pytest.mark.parametrize(
    ("reference", "heard", "counts"),
    [
        ("租房提取", "租房提取", (4, 0, 0, 0)),
        ("租房提取", "租方提取", (4, 1, 0, 0)),
        ("租房提取", "租提取", (4, 0, 1, 0)),
        ("租房提取", "我租房提取", (4, 0, 0, 1)),
        ("租房", "", (2, 0, 2, 0)),
        ("", "喂喂", (0, 0, 0, 2)),
        ("", "", (0, 0, 0, 0)),
    ],
)
def test_errors_are_counted_by_kind(
    reference: str, heard: str, counts: tuple[int, int, int, int]
) -> None:
    assert errors_between(reference, heard) == Errors(*counts)


@given(st.text("一二三", max_size=12), st.text("一二三", max_size=12))
def test_their_sum_is_the_edit_distance(reference: str, heard: str) -> None:
    assert errors_between(reference, heard).total == edit_distance(reference, heard)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("租金1500元，对吗？", "租金一千五百元对吗"),
        ("２０２５年３月５日", "二零二五年三月五日"),
        ("拨打12345", "拨打幺二三四五"),
        ("两个人", "二个人"),
        ("5%", "百分之五"),
        ("电话是13800138000。", "电话是幺三八零零幺三八零零零"),
        ("办 VPN 账号", "办vpn账号"),
        ("a" * 3000, "A" * 3000),
    ],
)
def test_what_sounds_alike_is_no_error(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)


def test_what_sounds_different_stays_different() -> None:
    assert comparable("1500元") != comparable("一千六百元")
    assert comparable("。，！") == ""


def clips(rates: list[float]) -> list[Errors]:
    return [Errors(20, substitutions=round(20 * rate)) for rate in rates]


def test_an_interval_holds_the_rate_and_shrinks_with_more_clips() -> None:
    chance = np.random.default_rng(1)
    few, many = clips(chance.random(20).tolist()), clips(chance.random(500).tolist())
    narrow, wide = interval(many), interval(few)
    assert narrow is not None
    assert wide is not None
    assert narrow[0] < 0.5 < narrow[1]
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2
    # what the central limit theorem gives for 500 clips of uniform rates: 1.96 * 0.289 / sqrt(500)
    assert (narrow[1] - narrow[0]) / 2 == pytest.approx(0.0253, rel=0.15)
    assert interval(many) == narrow


def test_few_clips_pretend_nothing() -> None:
    assert interval(clips([0.5] * 4)) is None
    assert interval([Errors(0, insertions=1)] * 9) is None
    assert interval(clips([0.5] * 5)) == (0.5, 0.5)


def test_pairs_tell_what_single_intervals_cannot() -> None:
    chance = np.random.default_rng(2)
    rates = chance.random(100) * 0.8
    one, other = clips((rates + 0.05).tolist()), clips(rates.tolist())
    first, second = interval(one), interval(other)
    assert first is not None
    assert second is not None
    assert second[1] > first[0], "the two overlap"
    bounds = difference_interval(one, other)
    assert bounds is not None
    assert bounds[0] > 0.03
    assert bounds[1] < 0.07


def outcome(errors: int, *, group: str = "", code: str = "") -> Outcome:
    clip = Clip(Path("a.wav"), "", group, 1)
    if code:
        return Outcome(clip, code=code, message="why")
    return Outcome(clip, errors=Errors(10, errors), seconds=2.0, elapsed_s=0.5)


def test_summaries_leave_out_what_could_not_be_heard() -> None:
    outcomes = [outcome(0, group="甲"), outcome(4, group="乙"), outcome(0, code="audio_format")]
    told = summarise(outcomes)
    assert (told.clips, told.failed, told.exact) == (2, 1, 1)
    assert told.errors.rate == pytest.approx(0.2)
    assert told.real_time_factor == pytest.approx(0.25)
    assert list(by_group(outcomes)) == ["甲", "乙", ""]
    assert by_group([outcome(1)]) == {}
    assert worst(outcomes) == [outcomes[1]]
    nothing = summarise([outcome(0, code="audio_format")])
    assert nothing.as_json()["cer"] is None


def test_a_comparison_takes_the_clips_that_both_heard() -> None:
    one = [outcome(4) for _ in range(20)] + [outcome(0, code="asr_lost")]
    other = [outcome(1) for _ in range(21)]
    told = compare(one, other)
    assert (told["clips"], told["cer_difference"], told["better"]) == (20, 0.3, 2)
    assert compare(other, one)["better"] == 1
    assert compare(other, other)["better"] is None
    assert compare(one[:3], other[:3])["better"] is None


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a.wav\t你好\n", [("a.wav", "你好", "")]),
        ("a.wav\t你好\t女\r\n\r\nb.wav\t\n", [("a.wav", "你好", "女"), ("b.wav", "", "")]),
        ("\ufeffwav\ttext\tgroup\na.wav\t你好\t女\n", [("a.wav", "你好", "女")]),
        ("id\ttext\tfile\n1\t你好\ta.wav\n", [("a.wav", "你好", "")]),
        ('a.wav\t他说"好"\n', [("a.wav", '他说"好"', "")]),
    ],
)
def test_lists_of_recordings(
    tmp_path: Path, content: str, found: list[tuple[str, str, str]]
) -> None:
    path = tmp_path / "list.tsv"
    path.write_text(content, encoding="utf-8")
    clips = read_clips(path)
    assert [(clip.wav, clip.text, clip.group) for clip in clips] == [
        (tmp_path / name, text, group) for name, text, group in found
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n\n", b"wav\ttext\n", b"a.wav\n", b"\xc4\xe3\tx\n", b"\ttext\n", b"a\0.wav\tx\n",
        b"a.wav\t" + b"x" * 30_000, b"a.wav\t" + b"x" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_list_names_its_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.tsv"
    path.write_bytes(content)
    with pytest.raises(AssessError, match=r"list\.tsv:1") as caught:
        read_clips(path)
    assert caught.value.code == "evaluation_invalid"
    with pytest.raises(AssessError) as caught:
        read_clips(tmp_path / "none.tsv")
    assert caught.value.code == "evaluation_missing"
