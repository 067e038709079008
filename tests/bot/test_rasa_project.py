"""The Rasa project: its training sentences, its domain, and how it is started."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.actions.calls import FIELDS
from bot.rasa.corpus import nlu_yaml, sentences
from bot.rasa.train import PROJECT, fingerprint, is_current
from bot.rasa_process import folder, rasa_command, train_if_needed
from config.errors import ConfigError
from config.settings import Settings
from language.normal import bare
from turns.understood import ACTS

HERE = Path(__file__).resolve().parent
HELD_OUT = [HERE / "acts_held_out.tsv", HERE / "acts_fresh.tsv"]
DEMO = [
    "我租房子住能不能把公积金取出来", "那要带什么材料", "我要反映个事儿楼下烧烤摊油烟特别呛人",
    "在建业小区九号楼三单元门口", "从上个礼拜开始天天晚上都这样",
    "我的电话是幺三八零零幺三八零零零", "我的电话是13800138000", "给我转个真人吧我跟人说",
]  # fmt: skip


def held_out(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [(row["act"], row["text"]) for row in csv.DictReader(file, delimiter="\t")]


def test_every_act_is_taught() -> None:
    taught = sentences()
    assert set(taught) == set(ACTS)
    assert {act: len(said) for act, said in taught.items() if len(said) < 60} == {}
    assert min(len(taught["policy"]), len(taught["complaint"])) >= 500


def test_training_is_the_same_every_time() -> None:
    assert nlu_yaml() == nlu_yaml()
    assert "{" not in nlu_yaml()
    assert "(" not in nlu_yaml()


def test_no_sentence_teaches_two_acts() -> None:
    acts = Counter(text for said in sentences().values() for text in set(said))
    assert [text for text, count in acts.items() if count > 1] == []


def test_nothing_that_tests_or_demos_say_is_taught() -> None:
    taught = {bare(text) for said in sentences().values() for text in said}
    said = [text for path in HELD_OUT for _, text in held_out(path)]
    assert [text for text in (*DEMO, *said) if bare(text) in taught] == []


def test_held_out_sentences_cover_every_act() -> None:
    tested = [pair for path in HELD_OUT for pair in held_out(path)]
    assert {act for act, _ in tested} == set(ACTS)
    assert len({text for _, text in tested}) == len(tested) >= 200


def test_the_domain_knows_our_acts_and_slots() -> None:
    domain = yaml.safe_load((PROJECT / "domain.yml").read_text(encoding="utf-8"))
    assert set(domain["intents"]) == set(ACTS)
    assert set(domain["slots"]) == {*FIELDS, "form", "closing", "talk"}
    rules = yaml.safe_load((PROJECT / "rules.yml").read_text(encoding="utf-8"))["rules"]
    assert {step["intent"] for step in rules[0]["steps"][0]["or"]} == set(ACTS)


def settings(tmp_path: Path, **given: object) -> Settings:
    return Settings(data_dir=tmp_path, redis_url="", database_url="", **given)  # type: ignore[arg-type]  # fields


def test_rasa_is_started_on_the_loopback_with_its_own_files(tmp_path: Path) -> None:
    argv, environment, home = rasa_command(settings(tmp_path, rasa_port=5999, redis_port=6399))
    assert argv[argv.index("--interface") + 1] == "127.0.0.1"
    assert argv[argv.index("--port") + 1] == "5999"
    assert environment["RASA_TELEMETRY_ENABLED"] == "false"
    endpoints = yaml.safe_load((home / "endpoints.yml").read_text(encoding="utf-8"))
    assert endpoints["tracker_store"]["port"] == 6399
    assert endpoints["action_endpoint"]["url"].startswith("http://127.0.0.1:")
    assert (home / "endpoints.yml").stat().st_mode & 0o077 == 0


def test_a_redis_elsewhere(tmp_path: Path) -> None:
    given = settings(tmp_path)
    given = given.model_copy(update={"redis_url": "rediss://me:p%40ss@redis.example:7000/3"})
    _, _, home = rasa_command(given)
    store = yaml.safe_load((home / "endpoints.yml").read_text(encoding="utf-8"))["tracker_store"]
    expected = {"url": "redis.example", "port": 7000, "db": 3, "username": "me",
                "password": "p@ss", "use_ssl": True}  # fmt: skip
    assert expected.items() <= store.items()


@pytest.mark.parametrize("url", ["http://x", "redis://", "redis://h:port", "redis://h/one"])
def test_a_redis_url_that_cannot_be_used(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rasa_command(settings(tmp_path).model_copy(update={"redis_url": url}))
    assert caught.value.code == "redis_url"


def test_without_rasas_environment(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        train_if_needed(settings(tmp_path, rasa_python=tmp_path / "python"))
    assert caught.value.code == "rasa_missing"


def test_a_training_that_fails_names_its_log(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho broken\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    with pytest.raises(ConfigError) as caught:
        train_if_needed(settings(tmp_path, rasa_python=python))
    assert caught.value.code == "rasa_training"
    assert (folder(settings(tmp_path)) / "train.log").read_text(encoding="utf-8") == "broken\n"


def test_a_model_is_current_only_with_its_fingerprint(tmp_path: Path) -> None:
    home = folder(settings(tmp_path))
    (home / "models").mkdir(parents=True)
    (home / "models" / "qianmen.tar.gz").write_bytes(b"model")
    assert not is_current(home)
    (home / "fingerprint").write_text("of another time", encoding="utf-8")
    assert not is_current(home)
    (home / "fingerprint").write_text(fingerprint(), encoding="utf-8")
    assert is_current(home)
    assert train_if_needed(settings(tmp_path, rasa_python=tmp_path / "none")) is False
