"""Only what a city lists can be dialled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.city import City, load_city
from config.errors import ConfigError
from config.targets import Target, TargetsFile
from tests.conftest import SAMPLE_CITY


def target(**changed: object) -> Target:
    plain = {"name": "a", "label": "甲", "kind": "agent", "uri": "sip:a@127.0.0.1"}
    return Target.model_validate(plain | changed)


RANGE = TargetsFile(
    targets=(target(name="agent", uri="sip:{extension}@10.0.0.1:5070", extension="8XX3"),)
)


def names(city: City, text: str) -> list[str]:
    return [one.name for one in city.destinations(city.lines[0], text)]


def test_the_sample_city_lists_whom_it_may_call(city: City) -> None:
    assert names(city, "110") == ["110"]
    assert names(city, "gjj") == ["gjj", "supervisor"]
    assert names(city, "hunt_group") == ["hunt_group"]
    assert names(city, city.lines[0].hunt_group) == ["hunt_group"]
    (found,) = city.destinations(city.lines[0], "8001")
    assert (found.uri, found.desk) == ("sip:8001@127.0.0.1:5070", True)
    emergency = city.destinations(city.lines[0], "110")[0]
    assert (emergency.accept, emergency.three_way, emergency.refer) == ("answer", True, False)


@pytest.mark.parametrize(
    "text",
    ["", "9001", "80011", "800", "８００１", "0085212345678", "sip:8001@evil.example", "agent",
     "sip:13800138000@127.0.0.1:5071", "8001\r\nX: y", "x" * 10_000],
)  # fmt: skip
def test_nothing_else_is_dialled(city: City, text: str) -> None:
    assert city.destinations(city.lines[0], text) == ()


def test_an_extension_may_be_given_as_its_uri() -> None:
    found = RANGE.find("sip:8123@10.0.0.1:5070")
    assert found is not None
    assert (found.name, found.uri) == ("8123", "sip:8123@10.0.0.1:5070")
    assert RANGE.find("sip:8124@10.0.0.1:5070") is None
    assert RANGE.find("sip:8123@10.0.0.1:50700") is None
    assert RANGE.find("sip:@10.0.0.1:5070") is None


@given(st.text(max_size=60))
def test_what_is_found_is_always_within_its_template(text: str) -> None:
    found = RANGE.find(text)
    if found is not None:
        digits = found.name
        assert len(digits) == 4
        assert digits.isascii()
        assert digits.isdigit()
        assert (digits[0], digits[3]) == ("8", "3")


@pytest.mark.parametrize(
    "wrong",
    [
        {"uri": "tel:110"},
        {"uri": "sip:a@b c"},
        {"uri": "sip:{extension}@10.0.0.1"},
        {"extension": "8XXX"},
        {"uri": "sip:{extension}@10.0.0.1", "extension": "XXXX"},
        {"uri": "sip:{extension}@10.0.0.1", "extension": "0XX"},
        {"uri": "sip:{extension}@10.0.0.1", "extension": "8XXXXXXXXX"},
        {"uri": "sip:{number}@10.0.0.1", "extension": ""},
        {"uri": "sip:a@10.0.0.1?Subject=x"},
        {"name": "A b"},
        {"ring_s": 0},
        {"kind": "emergency", "refer": True},
        {"caller_id": "<sip:x>"},
    ],
)
def test_a_target_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        target(**wrong)


def test_who_comes_next_must_be_somebody(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="nobody is not defined"):
        TargetsFile(targets=(target(next=("nobody",)),))
    with pytest.raises(ValidationError, match="every name once"):
        TargetsFile(targets=(target(), target()))
    folder = tmp_path / "city"
    shutil.copytree(SAMPLE_CITY, folder)
    lines = folder / "city.yaml"
    text = lines.read_text("utf-8").replace("5070\n", "5070\n    hunt_next: [agent]\n", 1)
    lines.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="line 12345: next: agent is a range of extensions"):
        load_city(folder)
    lines.write_text(text.replace("[agent]", '["110"]'), "utf-8")
    city = load_city(folder)
    assert names(city, "hunt_group") == ["hunt_group", "110"]
    (folder / "targets.yaml").unlink()
    with pytest.raises(ConfigError, match="110 is not defined"):
        load_city(folder)


def test_two_who_name_each_other_are_tried_once() -> None:
    both = TargetsFile(
        targets=(target(next=("b",)), target(name="b", uri="sip:b@127.0.0.1", next=("a",)))
    )
    first = both.find("a")
    assert first is not None
    assert [one.name for one in both.chain(first)] == ["a", "b"]
