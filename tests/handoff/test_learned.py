"""What is learned from past orders: measured on synthetic ones told in other words (合成数据)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from config.city import City
from handoff.classify import classify, rules_of
from handoff.learned import train
from handoff.learned.model import FILE, NOTHING, SHIPPED, Model, ModelError, load
from handoff.learned.synthetic import Example, orders, read_phrases
from handoff.orders import write
from store.engine import writing
from store.tables import Conversation, WorkOrder
from turns.orders import OrderDraft, OrderField, Provenance

HERE = Path(__file__).parent
FRAMES = (
    "{}", "您好请问{}，这事归谁管啊", "我住老城区，{}，给解决一下吧", "{}，我都打了三回电话了",
    "家里有上了年纪的人，{}，真是没法过",
)  # fmt: skip


def unseen() -> Iterator[Example]:
    """Told in words and frames of their own: written apart from what is learned."""
    chance = random.Random(7)  # the same sentences at every run
    for code, phrases in read_phrases(HERE / "orders_test.tsv").items():
        for said in phrases:
            yield Example(chance.choice(FRAMES).format(said), code)


@pytest.fixture(scope="module")
def model() -> Model:
    return load()


def test_nothing_learned_is_asked() -> None:
    learned = {said for told in read_phrases().values() for said in told}
    asked = {said for told in read_phrases(HERE / "orders_test.tsv").values() for said in told}
    assert not learned & asked
    assert len(asked) == 243


def test_rates_on_unseen_wordings(city: City) -> None:
    """Measured on these 243: see LEAST; every one is worded so that the classes' words miss it."""
    rules = rules_of(city)
    leaf = {one.code: one for one in city.classes.leaves()}
    examples = list(unseen())
    told = [classify(one.text, {}, rules) for one in examples]
    first = sum(one.code == each.code for one, each in zip(examples, told, strict=True))
    three = sum(one.code in each.candidates for one, each in zip(examples, told, strict=True))
    right = sum(
        leaf[one.code].department == each.department
        for one, each in zip(examples, told, strict=True)
    )
    rates = [round(count / len(examples), 3) for count in (first, three, right)]
    assert all(rate >= least for rate, least in zip(rates, LEAST, strict=True)), rates


LEAST = (0.36, 0.58, 0.44)


def test_the_seed_makes_the_same_orders() -> None:
    phrases = read_phrases()
    assert list(orders(phrases, 50)) == list(orders(phrases, 50))
    assert list(orders(phrases, 50)) != list(orders(phrases, 50, seed=1))


def test_every_class_of_the_sample_city_is_learned(city: City, model: Model) -> None:
    assert set(model.codes) == {NOTHING, *(leaf.code for leaf in city.classes.leaves())}


def test_training_writes_the_same_file_twice(tmp_path: Path) -> None:
    examples = list(orders(read_phrases(), 300))
    for name in ("a.npz", "b.npz"):
        train.train(examples, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no model", None])
def test_a_broken_file_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / FILE
    if content is None:
        np.savez_compressed(path, format=np.int64(9), runs=np.array("a"))
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        load(path)
    assert refused.value.code in ("model_unreadable", "model_invalid")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / FILE
    np.savez(path, format=np.array([{}], dtype=object))
    with pytest.raises(ModelError):
        load(path)


def test_a_broken_own_model_is_done_without(city: City, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no model")
    assert rules_of(city, tmp_path).model is not None
    shipped = rules_of(city, tmp_path).model
    assert shipped is not None
    assert shipped.codes == load(SHIPPED).codes


def test_own_orders_are_learned_from(
    engine: Engine, city: City, now: datetime, tmp_path: Path
) -> None:
    """A wording that only this city has, of settled orders alone."""
    for number in range(6):
        settle(engine, now, f"k{number}", "海子边的苇塘又让人点了荒", "0602", "办结")
    settle(engine, now, "open", "海子边的苇塘又让人点了荒", "0105", "受理")
    own = list(train.from_database(engine))
    assert own == [Example("海子边的苇塘又让人点了荒", "0602")] * 6
    train.train(train.mixed(own, list(orders(read_phrases(), 500))), tmp_path / FILE)
    told = classify("苇塘让人点了荒", {}, rules_of(city, tmp_path))
    assert (told.code, told.rule) == ("0602", "learned")
    assert told.confidence < 1


def settle(engine: Engine, now: datetime, key: str, what: str, code: str, state: str) -> None:
    with writing(engine) as session:
        session.add(Conversation(id=key, channel="web", started_at=now, ended_at=None))
    field = OrderField("what", what, Provenance("h", what, now, 1.0, "story"))
    draft = OrderDraft(key, key, "web", "12345", "投诉", "normal", what, fields=(field,), code=code)
    written = write(engine, draft, now=now)
    with writing(engine) as session:
        session.get_one(WorkOrder, written.id).state = state


def test_few_orders_are_too_few(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "open_store", lambda _: engine)
    assert train.main(["--from-database"]) == 1
    assert "没有训练" in capsys.readouterr().err
