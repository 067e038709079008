"""What a city may write in links.yaml."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.city import SHIPPED, City, load_city
from config.errors import ConfigError
from config.links import Links, Party, Target

GOOD = """
parties:
  - {name: 110, label: 公安110, url: "https://110.test/x", pushes: true}
  - {name: gas, label: 燃气公司, url: "http://10.0.0.7:81/g", topics: [gas], allow_private: true}
targets:
  - {name: erp, url: "https://erp.test/hook", topics: ["order.*", handoff.requested]}
again_s: [1, 60]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "city"))


def test_the_sample_city_is_linked_with_nobody(city: City) -> None:
    assert city.links == Links()


def test_a_city_without_the_file_is_as_well(folder: Path) -> None:
    (folder / "links.yaml").unlink()
    assert load_city(folder).links == Links()


def test_what_the_sample_proposes_is_right(folder: Path) -> None:
    """The lines that one is told to uncomment."""
    path = folder / "links.yaml"
    text = path.read_text("utf-8").replace("\n#  - ", "\n  - ").replace(": []\n", ":\n")
    path.write_text(text, "utf-8")
    links = load_city(folder).links
    assert [party.name for party in links.parties] == ["110", "gas", "fire"]
    assert [target.name for target in links.targets] == ["erp"]
    assert all(party.allow_private for party in links.parties)


def test_who_is_told_what(folder: Path) -> None:
    (folder / "links.yaml").write_text(GOOD, "utf-8")
    links = load_city(folder).links
    police, gas = links.parties
    assert (police.name, links.party("110"), links.party("119")) == ("110", police, None)
    assert police.is_told("flood")
    assert (gas.is_told("gas"), gas.is_told("flood"), gas.is_told("")) == (True, False, True)
    office = gas.model_copy(update={"departments": ("住房和城乡建设局",)})
    assert office.is_told("flood", ["住房和城乡建设局"])
    erp = links.target("erp")
    assert erp is not None
    assert erp.is_told("order.danger")
    assert erp.is_told("handoff.requested")
    assert not erp.is_told("handoff.accepted")
    assert links.target("110") is None
    assert Target(name="all", url="https://x.test/").is_told("anything")


@pytest.mark.parametrize(("line", "said"), [
    ("parties: [{name: '110', label: x, url: 'ftp://x.test/'}]", "http"),
    ("parties: [{name: '110', label: x, url: 'https://user:word@x.test/'}]", "password"),
    ("parties: [{name: '110', label: x, url: 'https://x.test:x/'}]", "url"),
    ("parties: [{name: 'A B', label: x, url: 'https://x.test/'}]", "name"),
    ("parties: [{name: '110', label: x, url: 'https://x.test/', key: secret}]", "key"),
    ("parties: [{name: '110', label: x, url: 'https://x.test/', topics: [gass]}]", "gass"),
    ("parties: [{name: '110', label: x, url: 'https://x.test/', departments: [无此局]}]", "无此局"),
    ("targets: [{name: a, url: 'https://x.test/'}, {name: a, url: 'https://y.test/'}]", "twice"),
    ("again_s: []", "again_s"), ("again_s: [0]", "again_s"), ("window_s: 1", "window_s"),
    ("nonsense: 1", "nonsense"),
])  # fmt: skip
def test_what_is_wrong_is_named_with_its_file(folder: Path, line: str, said: str) -> None:
    (folder / "links.yaml").write_text(line, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_city(folder)
    assert caught.value.code == "config_invalid"
    assert "links.yaml" in str(caught.value)
    assert said in str(caught.value)


def test_who_reported_is_told_of_no_secret_order_unless_the_city_says_so() -> None:
    party = Party(name="gas", label="燃气公司", url="https://x.test/")
    target = Target(name="erp", url="https://x.test/")
    assert (party.caller, target.caller) == ("unless_secret", "never")
