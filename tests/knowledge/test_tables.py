"""The tables made with an edition say the same as asking every name and question one by one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from knowledge.asking import read_phrasings
from knowledge.files import Contents
from knowledge.memory import Memory
from knowledge.naming import NamingIndex
from knowledge.runtable import SOUND_CREDIT, NameRuns, RunTable, Said
from knowledge.search import Search
from knowledge.signs import signs
from knowledge.weights import Run
from tests.knowledge.conftest import NOW
from turns.understood import ASPECTS

TEXTS = (
    "租房提取公积金要带什么材料",
    "公鸡金怎么取",
    "外婆的护照丢了",
    "zz",
    "我想问一下社保卡的事",
)


def runs(text: str) -> list[Run]:
    """Weights that differ from run to run."""
    return [
        Run(chars, sounds if length > 1 else "", 0.1 + len(chars) + start / 7)
        for start, length, chars, sounds in signs(text).grams()
    ]


@pytest.fixture(scope="module")
def cut() -> list[list[list[tuple[Run, float]]]]:
    """Matters × names × runs with their shares."""
    matters = [
        ["租房提取公积金", "租房"],
        ["购房提取公积金"],
        ["护照", "出国护照"],
        ["社保卡"],
        ["！"],
    ]
    return [
        [[(run, 1 / (at + 2)) for at, run in enumerate(runs(name))] for name in names]
        for names in matters
    ]


def plain_has(names: list[list[tuple[Run, float]]], run: Run) -> float:
    own = [one for name in names for one, _ in name]
    if any(one.chars == run.chars for one in own):
        return 1.0
    return SOUND_CREDIT if run.heard and any(one.heard == run.heard for one in own) else 0.0


def plain_cover(names: list[list[tuple[Run, float]]], said: list[Run]) -> float:
    written = {run.chars for run in said}
    heard = {run.heard for run in said if run.heard}
    best = 0.0
    for name in names:
        by_chars = sum(share for run, share in name if run.chars in written)
        by_sound = sum(
            share for run, share in name if run.chars not in written and run.heard in heard
        )
        best = max(best, by_chars + by_sound * SOUND_CREDIT)
    return best


@pytest.mark.parametrize("text", TEXTS)
def test_runs_are_found_where_the_names_have_them(
    cut: list[list[list[tuple[Run, float]]]], text: str
) -> None:
    table = RunTable([NameRuns.of(names) for names in cut])
    own = list({run.chars: run for run in runs(text)}.values())
    said = Said.of(table, own)
    used = [run for run in own if any(plain_has(names, run) for names in cut)]
    assert said.own == len(used) == len(said.weight)
    picked = [0, 2, 3]
    assert table.has(said, picked).tolist() == [
        [plain_has(cut[at], run) for at in picked] for run in used
    ]
    covered = [plain_cover(names, own) for names in cut]
    assert table.cover(said).tolist() == pytest.approx(covered)
    evidence = [sum(run.weight * plain_has(names, run) for run in used) for names in cut]
    assert table.evidence(said).tolist() == pytest.approx(evidence, rel=1e-5)


def test_no_matters_and_no_words() -> None:
    index = NamingIndex((), read_phrasings())
    assert (index.find("租房").found, index.find("").found) == ((), ())
    assert index.telling("租房", ("gjj.rent",)) == 0.0


def test_near_is_the_cosine_of_the_nearest_question(search: Search) -> None:
    memory = search.memory
    for text in TEXTS[:2]:
        row = memory.vocabulary.row(signs(text))
        asked = dict(zip(row.at.tolist(), row.weight.tolist(), strict=True))
        best: dict[tuple[str, str], float] = {}
        for one in memory.questions:
            own = zip(one.row.at.tolist(), one.row.weight.tolist(), strict=True)
            cosine = sum(weight * asked.get(at, 0.0) for at, weight in own)
            pair = (one.matter, one.aspect)
            best[pair] = max(cosine, best.get(pair, 0.0))
        near = memory.near([row])
        assert near.pairs == pytest.approx({p: c for p, c in best.items() if c}, abs=1e-6)
        for matter, cosine in near.matters.items():
            assert cosine == max(c for (code, _), c in near.pairs.items() if code == matter)


def test_nothing_is_near_where_nothing_was_asked(search: Search) -> None:
    row = search.memory.vocabulary.row(signs("租房"))
    assert Memory(search.memory.vocabulary, ()).near([row]).matters == {}
    assert search.memory.near([]).matters == {}


def test_what_is_answered_is_what_there_is_an_answer_for(
    search: Search, contents: Contents
) -> None:
    for matter in contents.matters:
        for region in ("", "lin.qinghe", "nowhere"):
            for now in (NOW, NOW - timedelta(days=40_000)):
                there = {
                    aspect for aspect in ASPECTS
                    if search.by_code(matter.code, aspect, region=region, now=now)
                }  # fmt: skip
                assert search.answered(matter.code, region=region, now=now) == there
    assert search.answered("no.such", now=NOW) == frozenset()
