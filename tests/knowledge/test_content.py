"""The sample city's knowledge: complete, marked, and apart from what tests and the demo say."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from knowledge.asking import read_phrasings
from knowledge.files import SAMPLE_MARK, Contents
from knowledge.measure import read_labelled
from language.normal import bare
from tests.knowledge.conftest import FOLDER, ROOT
from turns.understood import ASPECTS

HELD_OUT = ("我租房子住能不能把公积金取出来", "那要带什么材料")
HERE = Path(__file__).parent
# One price for the whole country, laid down in a numbered document: no sample data.
NATIONAL_TARIFFS = {
    ("police.idcard", "费用"),
    ("police.passport", "费用"),
    ("police.hkpass", "费用"),
}


def test_all_matters_are_known(contents: Contents) -> None:
    families = {matter.code.partition(".")[0] for matter in contents.matters}
    assert len(contents.matters) == 44
    assert len([m for m in contents.matters if m.code.startswith("gjj.")]) == 13
    assert families == {
        "gjj", "ss", "labour", "med", "police", "traffic", "edu", "civil", "housing", "heat", "biz",
    }  # fmt: skip


def test_every_housing_fund_matter_has_every_aspect_that_applies(contents: Contents) -> None:
    given = {(answer.matter, answer.aspect) for answer in contents.answers}
    missing = {
        (matter.code, aspect)
        for matter in contents.matters
        for aspect in ASPECTS
        if matter.code.startswith("gjj.") and (matter.code, aspect) not in given
    }
    assert missing == {("gjj.transfer", "额度")}  # nothing is paid out when an account moves


def test_texts_are_short_sentences_and_speech_is_shorter(contents: Contents) -> None:
    for answer in contents.answers:
        assert answer.text.endswith("。"), answer
        assert answer.speech.endswith("。"), answer
        assert len(answer.speech) <= min(len(answer.text), 90), answer
        assert not any(char.isdigit() and char.isascii() for char in answer.speech), answer


def test_sums_of_money_are_marked_as_sample_data(contents: Contents) -> None:
    for answer in contents.answers:
        if "元" in answer.text and (answer.matter, answer.aspect) not in NATIONAL_TARIFFS:
            assert answer.sample, answer
            assert SAMPLE_MARK in answer.text, answer


def test_national_tariffs_name_the_numbered_document(contents: Contents) -> None:
    given = {(answer.matter, answer.aspect): answer for answer in contents.answers}
    for key in NATIONAL_TARIFFS:
        assert re.search(r"〔\d{4}〕\d+号", given[key].document), key
        assert not given[key].sample, key


def test_at_least_forty_phrasings_for_each_aspect() -> None:
    for aspect, texts in read_phrasings().aspects.items():
        assert len({bare(text) for text in texts}) >= 40, aspect


def _said() -> set[str]:
    said = set(HELD_OUT)
    for name in ("dev.tsv", "heldout.tsv"):
        said |= {row.text for row in read_labelled(HERE / name)}
    return {bare(text) for text in said}


@pytest.mark.parametrize("sentence", HELD_OUT)
def test_held_out_sentences_stand_in_no_data_file(sentence: str) -> None:
    files = [*FOLDER.glob("*.yaml"), ROOT / "knowledge" / "aspects.yaml"]
    assert len(files) > 13
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            assert bare(line.strip(" -")) != bare(sentence), file


def test_labelled_questions_are_not_taught_as_names(contents: Contents) -> None:
    names = {bare(name) for matter in contents.matters for name in matter.names}
    assert names & _said() == set()


def test_held_out_conversations_share_no_question_with_the_tuned_ones() -> None:
    tuned = {bare(row.text) for row in read_labelled(HERE / "dev.tsv")}
    kept = {bare(row.text) for row in read_labelled(HERE / "heldout.tsv") if row.turn == 1}
    assert kept & tuned == set()


def test_labelled_files_are_well_formed(contents: Contents) -> None:
    codes = {matter.code for matter in contents.matters} | {"", "gjj"}
    for name in ("dev.tsv", "heldout.tsv"):
        with (HERE / name).open(encoding="utf-8", newline="") as file:
            assert all(len(row) == 5 for row in csv.reader(file, delimiter="\t"))
        for row in read_labelled(HERE / name):
            assert row.matter in codes
            assert row.aspect in {"", *ASPECTS}
