"""The learned second opinion: what it is worth on sentences that nobody learned from, and that
the weights are what the sentences give.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.urgent import UrgentWords, urgent
from bot.urgent_grams import BUCKETS, buckets, signs
from bot.urgent_opinion import Opinion, load, save, standard
from bot.urgent_sentences import Sentence, digest, read_sentences, ways
from bot.urgent_train import groups, learn

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "urgent"
DATA: dict[str, Any] = yaml.safe_load(
    (ROOT / "config/cities/sample/urgent.yaml").read_text(encoding="utf-8")
)
WORDS = UrgentWords.from_dict(DATA)
RULES = UrgentWords(WORDS.rules)
_SOME = 40
FRESH = ("fresh_danger", "fresh_not_danger", "fresh_person", "fresh_not_person")
DEV = ("dev_danger", "dev_not_danger", "dev_person", "dev_not_person")
SMOKE = ("smoke_danger", "smoke_not_danger")


def _cases(name: str) -> list[str]:
    return (CASES / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _share(name: str, kind: str, words: UrgentWords = WORDS) -> float:
    cases = _cases(name)
    kinds = [found.kind if (found := urgent(text, words)) else "" for text in cases]
    return kinds.count(kind) / len(cases)


def test_fresh_dangers_are_noticed() -> None:
    assert _share("fresh_danger", "danger") >= 0.975
    assert _share("fresh_danger", "danger", RULES) < 0.9  # the rules alone do not know them


def test_fresh_sentences_that_only_sound_dangerous_raise_few_alarms() -> None:
    assert _share("fresh_not_danger", "danger") <= 0.03


def test_fresh_wishes_for_a_person_are_noticed() -> None:
    assert _share("fresh_person", "person") == 1.0


def test_fresh_sentences_that_only_sound_like_a_wish_are_none() -> None:
    assert _share("fresh_not_person", "") >= 0.96


@pytest.mark.parametrize(
    ("name", "kind", "share"),
    [
        ("dev_danger", "danger", 0.94),
        ("dev_not_danger", "", 0.935),
        ("dev_person", "person", 0.97),
        ("dev_not_person", "", 0.98),
    ],
)
def test_what_people_say_roughly_is_told_apart(name: str, kind: str, share: float) -> None:
    assert _share(name, kind) >= share


def test_smoke_that_is_a_nuisance_is_told_from_a_fire() -> None:
    assert _share("smoke_danger", "danger") == 1.0
    assert _share("smoke_not_danger", "danger") <= 0.2  # before such were learned of: 0.33


@pytest.mark.parametrize(
    "text", ["那条街上就是油烟太大了", "别的都好，就是那条街油烟太大了", "那条街上就是抽烟的太多了"]
)
def test_what_a_street_is_blamed_for_is_no_danger(text: str) -> None:
    assert urgent(text, WORDS) is None


def test_the_exams_stand_in_no_training_file() -> None:
    learned = {sentence.text for sentence in read_sentences()}
    for name in (*FRESH, *DEV, *SMOKE):
        assert not learned.intersection(_cases(name)), name


def test_a_line_with_choices_is_told_in_several_ways() -> None:
    told = ways("[门|窗]开[了|着|]")
    assert set(told) <= {"门开了", "门开着", "门开", "窗开了", "窗开着", "窗开"}
    assert len(told) >= 4
    assert told == ways("[门|窗]开[了|着|]")
    assert ways("着火了") == ("着火了",)


@pytest.mark.parametrize("line", ["[门|窗开了", "门|窗]开了", "[门[大|小]|窗]开了"])
def test_an_open_bracket_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        ways(line)


def test_the_weights_are_those_of_these_sentences() -> None:
    assert standard().digest == digest(read_sentences()), "run python -m bot.urgent_train"


def test_learning_again_gives_the_same_weights() -> None:
    some = read_sentences()[::_SOME]
    first, second = learn(some), learn(some)
    assert first.digest == second.digest == digest(some)
    assert first.names == second.names
    assert np.array_equal(first.kinds, second.kinds)
    assert np.array_equal(first.topics, second.topics)
    assert _known(some, first) >= 0.97


def test_the_weights_know_what_they_were_learned_from() -> None:
    assert _known(read_sentences()[3::_SOME], standard()) >= 0.95


def _known(sentences: Sequence[Sentence], opinion: Opinion) -> float:
    """The share whose danger is told from the rest."""
    told = [(opinion.score(s.text).danger > 0) == (s.kind == "danger") for s in sentences]
    return sum(told) / len(told)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("厨房那个煤气阀门我怎么拧都拧不住，味道越来越重", "gas"),
        ("着货了，隔壁着货了", "fire"),
        ("活着真的没什么意思了", "suicide"),
        ("一个男的一直跟在我后面，我害怕", "violence"),
        ("电梯里有个小孩在哭，门打不开", "lift"),
    ],
)
def test_what_is_learned_names_its_topic_and_quotes_what_was_said(text: str, topic: str) -> None:
    found = urgent(text, UrgentWords((), standard()))
    assert found is not None
    assert (found.kind, found.rule, found.topic) == ("danger", "learned", topic)
    assert found.quote in text


@pytest.mark.parametrize(
    "text",
    ["幸福路煤气站对面", "火车站", "消防队旁边", "张大火", "13812345678", "昨天下午三点", "三千块"],
)
def test_an_answer_in_a_form_is_no_alarm(text: str) -> None:
    assert urgent(text, WORDS) is None


def test_a_danger_in_the_middle_of_a_long_story_is_noticed() -> None:
    story = "我想问一下公积金的事，我前年从外地过来上班，单位一直给我交着，" * 3
    text = f"{story}哎呀不好了我家厨房着火了，火都烧到窗帘了，{story}"
    found = urgent(text, WORDS)
    assert found is not None
    assert found.kind == "danger"


@given(st.text(max_size=200))
def test_buckets_are_in_range_and_rising(text: str) -> None:
    found = buckets(signs(text))
    assert found == sorted(set(found))
    assert all(0 <= bucket < BUCKETS for bucket in found)


def test_saved_weights_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    save(standard(), path)
    assert load(path).score("着火了") == standard().score("着火了")


def test_a_broken_file_of_weights_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"rubbish")
    with pytest.raises((ValueError, OSError, KeyError)):
        load(path)


def test_a_sentence_under_two_kinds_is_refused(tmp_path: Path) -> None:
    for kind in ("danger", "none"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "some.txt").write_text("# why\n着火了\n", encoding="utf-8")
    with pytest.raises(ValueError, match="着火了"):
        read_sentences(tmp_path)


def test_sentences_that_sound_alike_are_grouped() -> None:
    texts = ["电梯里困了三个人", "电梯里捆了三个人", "燃气费在哪里交"]
    found = groups([Sentence(text, "none", "x") for text in texts])
    assert found[0] == found[1] != found[2]
