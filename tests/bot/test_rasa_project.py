"""The Rasa project: its training sentences, its domain, and how it is started."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.actions.calls import FIELDS
from bot.rasa.asked import QUESTIONS, drawn
from bot.rasa.corpus import nlu_yaml, sentences
from bot.rasa.train import PROJECT, fingerprint
from bot.rasa_process import folder, is_current, rasa_command, train_if_needed
from config.errors import ConfigError
from config.settings import Settings
from language.normal import bare
from turns.understood import ACTS

HERE = Path(__file__).resolve().parent
SAMPLE = Settings.model_fields["city"].default
HELD_OUT = [HERE / f"acts_{name}.tsv" for name in ("held_out", "fresh", "unseen")]
DEMO = [
    "我租房子住能不能把公积金取出来", "那要带什么材料", "我要反映个事儿楼下烧烤摊油烟特别呛人",
    "在建业小区九号楼三单元门口", "从上个礼拜开始天天晚上都这样",
    "我的电话是幺三八零零幺三八零零零", "我的电话是13800138000", "给我转个真人吧我跟人说",
]  # fmt: skip


def held_out(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [(row["act"], row["text"]) for row in csv.DictReader(file, delimiter="\t")]


TAUGHT = sentences(city=SAMPLE)


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
    acts = Counter(text for said in TAUGHT.values() for text in set(said))
    assert [text for text, count in acts.items() if count > 1] == []


def test_nothing_that_tests_or_demos_say_is_taught() -> None:
    taught = {bare(text) for said in TAUGHT.values() for text in said}
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
    given = settings(tmp_path, rasa_python=tmp_path / "none")
    home = folder(given)
    (home / "models").mkdir(parents=True)
    (home / "models" / "qianmen.tar.gz").write_bytes(b"model")
    assert not is_current(given)
    (home / "fingerprint").write_text("of another time", encoding="utf-8")
    assert not is_current(given)
    (home / "fingerprint").write_text(fingerprint(given.city), encoding="utf-8")
    assert is_current(given)
    assert train_if_needed(given) is False


def a_city(folder: Path, **matter: object) -> Path:
    (folder / "knowledge").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({"code": "a.b", "name": "领鱼竿", **matter}, allow_unicode=True)
    (folder / "knowledge" / "a.b.yaml").write_text(text, encoding="utf-8")
    return folder


def test_how_citizens_ask_is_policy_golden_questions_are_not_learned(tmp_path: Path) -> None:
    city = a_city(
        tmp_path, aliases=["申领鱼竿"], phrasings=["整根鱼竿"],
        questions={"材料": ["领鱼竿得拿啥", "我要投诉"]}, golden={"材料": ["鱼竿的材料"]},
    )  # fmt: skip
    plain, taught = sentences(), sentences(city=city)
    more = set(taught["policy"]) - set(plain["policy"])
    assert {"领鱼竿", "申领鱼竿", "整根鱼竿", "领鱼竿得拿啥"} <= more
    assert not any("鱼竿的材料" in text for text in more)
    assert "我要投诉" not in taught["policy"]  # it is a complaint already
    assert {act: said for act, said in taught.items() if act != "policy"} == {
        act: said for act, said in plain.items() if act != "policy"
    }


def test_only_what_is_learned_from_makes_a_model_old(tmp_path: Path) -> None:
    asked = {"材料": ["领鱼竿得拿啥"]}
    before = fingerprint(a_city(tmp_path, questions=asked, rank=1))
    assert fingerprint(a_city(tmp_path, questions=asked, rank=2)) == before
    assert fingerprint(a_city(tmp_path, questions={"材料": ["鱼竿搁哪领"]})) != before


@pytest.mark.parametrize("text", ["", "[", "- 1", "7", "questions: 3", "matters: 1", "\x00"])
def test_a_broken_knowledge_file_teaches_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "a.yaml").write_text(text, encoding="utf-8")
    assert drawn(tmp_path) == []


def test_a_matter_is_not_drawn_more_than_others(tmp_path: Path) -> None:
    questions = {"材料": [f"第{n}样东西带不带" for n in range(90)]}
    few = drawn(a_city(tmp_path, questions=questions))
    assert len(few) == QUESTIONS + 1  # and its name
    questions["材料"].append("还有一样带不带")
    again = drawn(a_city(tmp_path, questions=questions))
    assert len(set(few) - set(again)) <= 1
