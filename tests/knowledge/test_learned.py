from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge import learnedcache
from knowledge.asking import Phrasings
from knowledge.features import Vocabulary
from knowledge.files import Contents
from knowledge.late import learn_late
from knowledge.learned import GENERIC, OUTSIDE, Learned, learn
from knowledge.learnedcache import learn_once
from knowledge.matters import MatterEntry
from knowledge.memory import Memory
from knowledge.search import Search
from knowledge.signs import signs
from tests.knowledge.conftest import NOW, as_published
from tests.knowledge.test_calibrate import ANSWERED, MATTERS, PHRASINGS
from tests.knowledge.test_calibrate import OUTSIDE as SENTENCES

DOG: dict[str, Any] = {
    "name": "养犬登记", "aliases": ["办狗证", "狗证", "养狗登记"],
    "questions": {
        "费用": ("办狗证要多少钱", "狗证收费吗", "给狗上户口得掏多少", "养狗登记贵不贵",
                 "狗证一年交多少钱"),
        "材料": ("办狗证要带什么", "养狗登记需要哪些证件", "给狗上证得拿啥", "狗证要不要疫苗本",
                 "办养犬证用不用身份证"),
    },
    "golden": {"费用": ("养狗登记收不收钱", "给狗办证多少钱"),
               "材料": ("给狗办证要拿什么材料", "养犬登记需要什么证件")},
    "said": {"费用": "狗证贵不贵", "材料": "养狗登记要拿啥东西"},
}  # fmt: skip


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learn(MATTERS, PHRASINGS, SENTENCES)


def best(learned: Learned, text: str) -> tuple[str, str]:
    row = learned.vocabulary.row(signs(text))
    matter = learned.matters.labels[int(learned.matters.scores(row).argmax())]
    return matter, learned.aspects.labels[int(learned.aspects.scores(row).argmax())]


def test_matters_and_aspects_are_learned_apart(learned: Learned) -> None:
    assert best(learned, "护照收多少钱") == ("police.passport", "费用")
    assert best(learned, "停暖要啥证件") == ("heat.fee", "材料")
    assert best(learned, "今天天气怎么样")[0] == OUTSIDE
    assert best(learned, "得拿啥")[0] == GENERIC
    assert best(learned, "停nuan要啥证件")[0] == "heat.fee"


def test_characters_of_the_same_sound_are_known_again(learned: Learned) -> None:
    assert best(learned, "虎照收多少前") == ("police.passport", "费用")


def test_a_cache_is_used_and_a_broken_one_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = learn_once(MATTERS, PHRASINGS, tmp_path)
    (path,) = tmp_path.glob("*.npz")
    trained: list[str] = []

    def counted(matters: tuple[MatterEntry, ...], phrasings: Phrasings) -> Learned:
        trained.append(matters[0].code)
        return learn(matters, phrasings)

    monkeypatch.setattr(learnedcache, "learn", counted)
    again = learn_once(MATTERS, PHRASINGS, tmp_path)
    assert trained == []
    assert again.matters.labels == first.matters.labels
    assert np.array_equal(again.matters.weights, first.matters.weights)
    assert again.vocabulary.features == first.vocabulary.features
    assert again.rows.keys() == first.rows.keys()
    for content in (b"", b"PK\x03\x04 rubbish", path.read_bytes()[:-5000]):
        path.write_bytes(content)
        learn_once(MATTERS, PHRASINGS, tmp_path)
        assert trained.pop()
    for number in range(4):
        changed = (replace(MATTERS[0], aliases=(f"社保卡{number}",)), *MATTERS[1:])
        learn_once(changed, PHRASINGS, tmp_path)
    assert trained == ["ss.card"] * 4
    assert len(list(tmp_path.glob("*.npz"))) == 3


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    assert learn_once(MATTERS, PHRASINGS, tmp_path / "file").rows


def test_a_new_question_counts_at_once_and_nothing_old_is_cut_again(learned: Learned) -> None:
    before = Memory.of(MATTERS, learned)
    assert Memory.of(MATTERS, learned, before) is before
    fresh = "锅炉房不烧了钱退不退给俺"
    asked = {**MATTERS[2].questions, "费用": (*MATTERS[2].questions["费用"], fresh)}
    after = Memory.of((*MATTERS[:2], replace(MATTERS[2], questions=asked)), learned, before)
    said = signs("锅炉房不烧了退钱不")
    assert before.near([before.vocabulary.row(said)]).matters.get("heat.fee", 0.0) < 0.5
    near = after.near([after.vocabulary.row(said)])
    assert near.pairs["heat.fee", "费用"] > 0.5
    (nearest, alike), *_ = after.nearest(after.vocabulary.row(said), 3)
    assert (nearest.text, nearest.matter) == (fresh, "heat.fee")
    assert alike == pytest.approx(near.pairs["heat.fee", "费用"])
    old = MATTERS[0].questions["材料"][0]
    assert after.rows[old] is before.rows[old]


def test_a_search_reuses_what_has_not_changed(learned: Learned) -> None:
    first = Search.build(MATTERS, [], asking=learned, phrasings=PHRASINGS)
    same = Search.build(tuple(replace(matter) for matter in MATTERS), [], reuse=first)
    assert same.asking is learned
    assert same.index is first.index
    assert same.memory is first.memory
    renamed = (replace(MATTERS[0], aliases=("市民卡",)), *MATTERS[1:])
    other = Search.build(renamed, [], reuse=first)
    assert other.index is not first.index
    assert other.memory is first.memory


def test_nothing_to_learn_from_is_no_fault() -> None:
    empty = learn((), Phrasings({}, (), ()), ())
    assert len(empty.vocabulary) == 0
    assert Memory.of((), empty).near([empty.vocabulary.row(signs("护照"))]).matters == {}
    assert Vocabulary.of([]).extended([signs("护照")]).row(signs("护照")).at.size
    assert ANSWERED["ss.card"] == {"材料", "费用"}


def test_a_matter_that_came_after_the_training_is_understood_at_once(
    search: Search, contents: Contents
) -> None:
    published = [as_published(contents.matters, entry) for entry in contents.answers]
    dog = MatterEntry(
        "civil.dog", DOG["name"], "公安局", "", tuple(DOG["aliases"]), (),
        DOG["questions"], DOG["golden"],
    )  # fmt: skip
    fresh = [
        replace(published[0], id=f"civil.dog:{aspect}:city", matter=dog.code, aspect=aspect)
        for aspect in dog.questions
    ]
    matters = (*contents.matters, dog)
    after = Search.build(matters, [*published, *fresh], reuse=search)
    assert after.asking is search.asking
    for aspect, texts in dog.golden.items():
        for text in (*texts, DOG["said"][aspect]):
            answer = after.find(text, now=NOW).answer
            assert answer is not None, text
            assert (answer.matter, answer.aspect) == (dog.code, aspect), text
    others = [
        text for matter in contents.matters for texts in matter.golden.values() for text in texts
    ][::20]
    for text in others:
        before, now = (one.find(text, now=NOW).answer for one in (search, after))
        assert (now and now.id) == (before and before.id), text
    again = Search.build((*contents.matters[:-1], dog), [*published, *fresh], reuse=after)
    assert again.reader.late is not after.reader.late
    assert Search.build(matters, fresh, reuse=after).reader.late is after.reader.late


def test_a_late_matter_without_others_or_questions_is_left_to_its_names() -> None:
    learned = learn((), PHRASINGS, SENTENCES)
    memory = Memory.of(MATTERS[:1], learned)
    assert learn_late(learned, memory, MATTERS[:1]) is None  # nothing to tell it from
    trained = learn(MATTERS[:2], PHRASINGS, SENTENCES)
    nameless = replace(MATTERS[2], questions={})
    matters = (*MATTERS[:2], nameless)
    assert learn_late(trained, Memory.of(matters, trained), matters) is None
    late = learn_late(trained, Memory.of(MATTERS, trained), MATTERS)
    assert late is not None
    assert late.labels == ("heat.fee",)
