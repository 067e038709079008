"""Labelled files: read whole, or refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from qianmen.evaluation.labels import read_labels, read_list
from qianmen.evaluation.sets import held_out, misheard, sampled

MATTERS = {"gjj.rent", "gjj.loan"}


def table(folder: Path, *rows: str) -> Path:
    path = folder / "asked.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_row_with_everything_and_one_with_next_to_nothing(tmp_path: Path) -> None:
    path = table(
        tmp_path, "text\tconversation\tturn\tchannel\tmatter\taspect\tact",
        "多久到账\tc1\t2\tphone\tgjj.rent\t时限|流程\tpolicy", "今天几号",
    )  # fmt: skip
    full, bare = read_labels(path, MATTERS)
    assert (full.matter, full.aspects, full.act) == ("gjj.rent", ("时限", "流程"), "policy")
    assert (full.conversation, full.turn, full.channel) == ("c1", 2, "phone")
    assert full.in_scope
    assert full.follow_up
    assert not full.out_of_scope
    assert (bare.line, bare.channel, bare.out_of_scope, bare.in_scope) == (3, "web", True, False)


def test_a_family_is_known_and_a_labelled_decision_too(tmp_path: Path) -> None:
    path = table(tmp_path, "text\tmatter\tdecision", "公积金\tgjj\task", "你好\t\tmiss")
    family, other = read_labels(path, MATTERS)
    assert family.in_scope
    assert other.out_of_scope


def test_turns_of_a_complaint_are_not_out_of_scope(tmp_path: Path) -> None:
    path = table(
        tmp_path, "text\tconversation\tturn\tphone", "太吵\tc\t1\t", "号码\tc\t2\t13800001111",
        "你好\td\t1\t",
    )  # fmt: skip
    first, last, other = read_labels(path, MATTERS)
    assert (first.complaint, last.complaint, other.complaint) == (True, True, False)
    assert last.fields == {"phone": "13800001111"}
    assert [one.out_of_scope for one in (first, last, other)] == [False, False, True]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        (["question", "你好"], ":1:"),
        (["text\tmatter", "你好\tgjj.none"], ":2: matter"),
        (["text\taspect", "你好\t条件", "你好\t颜色"], ":3: aspect"),
        (["text\tact", "你好\tsing"], ":2: act"),
        (["text\tdecision", "你好\tmaybe"], ":2: decision"),
        (["text\tturn", "你好\t²"], ":2: turn"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, rows: list[str], place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_labels(table(tmp_path, *rows), MATTERS)
    assert f"asked.tsv{place}" in str(caught.value)
    assert caught.value.code == "labels_invalid"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    wrong = tmp_path / "gbk.tsv"
    wrong.write_bytes("text\n你好\n".encode("gbk"))
    for path in (wrong, tmp_path / "none.tsv", tmp_path):
        with pytest.raises(ConfigError) as caught:
            read_labels(path, MATTERS)
        assert (caught.value.code, str(path) in str(caught.value)) == ("labels_unreadable", True)
        assert "\n" not in str(caught.value)


def test_a_list_has_a_role_and_skips_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "danger.txt"
    path.write_text("着火了\n\n救命\n", encoding="utf-8")
    lines = read_list(path, "danger")
    assert [(one.line, one.role, one.out_of_scope) for one in lines] == [
        (1, "danger", False),
        (3, "danger", False),
    ]


def test_without_the_exam_a_file_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        held_out(MATTERS, tmp_path / "heldout")
    assert caught.value.code == "heldout_missing"


def test_a_sample_keeps_conversations_whole(tmp_path: Path) -> None:
    rows = [f"话{number}\tc{number // 2}\t{number % 2 + 1}" for number in range(20)]
    labels = read_labels(table(tmp_path, "text\tconversation\tturn", *rows), MATTERS)
    kept = sampled(labels, 10)
    assert len(kept) == 10
    assert [one.turn for one in kept] == [1, 2] * 5
    assert sampled(labels, 0) == labels


def test_misheard_words_keep_their_labels(tmp_path: Path) -> None:
    labels = read_labels(table(tmp_path, "text\tmatter", "租房提取公积金\tgjj.rent"), MATTERS)
    (noisy,) = misheard(labels, 1.0)
    assert noisy.matter == "gjj.rent"
    assert len(noisy.text) == 7
    assert noisy.text != "租房提取公积金"
    assert misheard(labels, 1.0) == (noisy,)
