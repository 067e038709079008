from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from knowledge.files import read_folder

GOOD = """\
code: gjj.rent
name: 租房提取公积金
department: 住房公积金管理中心
merged_line: "12329"
aliases: [租房提取]
phrasings: [租房子提公积金]
aspects:
  条件:
    text: 可以。每月最高1200元（示例数据）。
    speech: 可以。
    source:
      document: 某办法
      article: 第三条
    valid_from: 2026-01-01
    sample: true
"""


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return path


def test_reads_a_matter_with_its_answers(tmp_path: Path) -> None:
    contents = read_folder(folder(tmp_path, rent=GOOD))
    (matter,), (answer,) = contents.matters, contents.answers
    assert matter.names == ("租房提取公积金", "租房提取", "租房子提公积金")
    assert (answer.matter, answer.aspect, answer.region) == ("gjj.rent", "条件", "city")
    assert answer.sample
    assert answer.valid_to is None


def test_a_region_has_texts_of_its_own(tmp_path: Path) -> None:
    text = (
        GOOD
        + "regions:\n  lin:\n"
        + "".join(f"  {line}\n" for line in GOOD.split("aspects:\n")[1].splitlines())
    )
    answers = read_folder(folder(tmp_path, rent=text)).answers
    assert [answer.region for answer in answers] == ["city", "lin"]


BROKEN = {
    "unknown aspect": (GOOD.replace("条件:", "条款:"), "rent.yaml:9: aspects.条款"),
    "aspect given twice": (GOOD + GOOD.split("aspects:\n")[1], "rent.yaml:16: 条件: given twice"),
    "no source": (
        GOOD.replace("    source:\n      document: 某办法\n      article: 第三条\n", ""),
        "rent.yaml:9: aspects.条件.source",
    ),
    "empty text": (
        GOOD.replace("可以。每月最高1200元（示例数据）。", '""'),
        "rent.yaml:9: aspects.条件.text",
    ),
    "no speech": (GOOD.replace("    speech: 可以。\n", ""), "rent.yaml:9: aspects.条件.speech"),
    "not a date": (
        GOOD.replace("2026-01-01", "soon"),
        "rent.yaml:14: aspects.条件.valid_from",
    ),
    "ends before it begins": (
        GOOD.replace("sample:", "valid_to: 2025-01-01\n    sample:"),
        "valid_to lies before valid_from",
    ),
    "sample not marked in the text": (GOOD.replace("（示例数据）", ""), "示例数据"),
    "marked in the text, not as sample": (GOOD.replace("    sample: true\n", ""), "sample"),
    "unknown key": (GOOD + "colour: red\n", "rent.yaml:16: colour"),
    "broken code": (GOOD.replace("gjj.rent", "gjj rent"), "rent.yaml:1: code"),
    "line with letters": (GOOD.replace('"12329"', "ab"), "rent.yaml:4: merged_line"),
    "no answers": (GOOD.split("aspects:")[0] + "aspects: {}\n", "rent.yaml:7: aspects"),
    "not YAML": ("code: [", "rent.yaml:1: not valid YAML"),
    "empty file": ("", "rent.yaml:1: the file is empty"),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_what_is_broken_is_named(tmp_path: Path, case: str) -> None:
    text, told = BROKEN[case]
    with pytest.raises(ConfigError) as caught:
        read_folder(folder(tmp_path, rent=text))
    assert told in str(caught.value)


def test_one_code_in_two_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"b\.yaml: code: gjj\.rent stands in a\.yaml") as caught:
        read_folder(folder(tmp_path, a=GOOD, b=GOOD))
    assert caught.value.code == "knowledge_doubled"


def test_one_name_for_two_matters_is_refused(tmp_path: Path) -> None:
    other = GOOD.replace("gjj.rent", "gjj.buy").replace("租房提取公积金", "购房提取")
    other = other.replace("租房子提公积金", "买房子提公积金")
    with pytest.raises(ConfigError, match="租房提取 stands in") as caught:
        read_folder(folder(tmp_path, a=GOOD, b=other))
    assert caught.value.code == "knowledge_doubled"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_folder(tmp_path / "none")
    assert caught.value.code == "config_missing"
