"""The city's folder: what is wrong is said with file, line and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.city import City, load_city
from config.errors import ConfigError
from tests.conftest import SAMPLE_CITY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "city"
    shutil.copytree(SAMPLE_CITY, copy)
    return copy


def broken(folder: Path, file: str, old: str, new: str) -> ConfigError:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_city(folder)
    return caught.value


def test_the_sample_city_is_sound(city: City) -> None:
    assert city.name == "示例市"
    assert city.line("12329").answered_as == "住房公积金"
    assert city.line("no such number").number == "12345"


def test_what_a_citys_prompts_do_not_word_is_said_as_shipped(folder: Path, city: City) -> None:
    own = "prompts.yaml"
    (folder / own).write_text("bye: 回见\n", encoding="utf-8")
    prompts = load_city(folder).prompts
    assert (prompts.bye, prompts.greet) == ("回见", city.prompts.greet)


def test_a_form_by_matter_by_word_or_the_general_one(city: City) -> None:
    assert city.form("labour.wage", "").name == "拖欠工资"
    assert city.form("", "楼下烧烤摊油烟大").department == "城市管理局"
    assert city.form("", "别的事").name == "一般诉求"


def test_a_wrong_value_names_file_line_and_key(folder: Path) -> None:
    error = broken(folder, "city.yaml", "hunt_group: sip:agents@127.0.0.1:5070", "hunt_group: x")
    assert error.code == "config_invalid"
    assert str(error).startswith("city.yaml:7: lines.0.hunt_group:")


def test_an_unknown_key_is_refused_where_it_stands(folder: Path) -> None:
    error = broken(folder, "city.yaml", "name: 示例市", "name: 示例市\nnmae: 错")
    assert str(error).startswith("city.yaml:3: nmae:")


def test_broken_yaml_names_the_line(folder: Path) -> None:
    error = broken(folder, "regions.yaml", "regions:", "regions: [")
    assert error.code == "config_broken"
    assert str(error).startswith("regions.yaml:2: not valid YAML")


def test_a_key_given_twice_is_refused(folder: Path) -> None:
    error = broken(folder, "prompts.yaml", "bye: ", "greet: 又一句\nbye: ")
    assert error.code == "config_broken"
    assert "greet: given twice" in str(error)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"- a\n- b\n", b"42"])
def test_a_file_that_is_no_mapping(folder: Path, content: bytes) -> None:
    (folder / "forms.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_city(folder)
    assert "forms.yaml" in str(caught.value)


def test_a_missing_file_and_a_missing_folder(folder: Path) -> None:
    (folder / "forms.yaml").unlink()
    with pytest.raises(ConfigError, match=r"forms\.yaml: the file does not exist"):
        load_city(folder)
    with pytest.raises(ConfigError, match="does not exist"):
        load_city(folder / "nowhere")


def test_a_prompt_may_only_use_its_own_braces(folder: Path) -> None:
    error = broken(folder, "prompts.yaml", "bye: ", "bye: '{number}' #")
    assert "bye" in str(error)
    assert "{number}" in str(error)


def test_a_form_for_an_unknown_department(folder: Path) -> None:
    error = broken(folder, "forms.yaml", "department: 生态环境局", "department: 不存在局")
    assert "不存在局 is not defined" in str(error)


def test_how_names_are_read(folder: Path) -> None:
    assert load_city(folder).readings == {}
    (folder / "readings.yaml").write_text("words:\n  单县: shan4 xian4\n", encoding="utf-8")
    assert load_city(folder).readings == {"单县": "shan4 xian4"}


@pytest.mark.parametrize(
    "line", ["单县: shan4", "单县: shan xian", "单A: shan4 a1", "单县: [1]", "'': ''"]
)
def test_a_reading_that_is_none_is_refused(folder: Path, line: str) -> None:
    (folder / "readings.yaml").write_text(f"words:\n  {line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_city(folder)
    assert caught.value.code == "config_invalid"
    assert "readings.yaml" in str(caught.value)
