"""What is collected for the editor, how it is grouped, and that what is settled stays settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Engine, select

from knowledge.alike import grouped
from knowledge.editing import Act
from knowledge.learning import Item, items, settle
from store.engine import reading, writing
from store.tables import Audit, Conversation, Feedback, LearningDone, Turn
from turns import wire
from turns.understood import Candidate, Decision, Understood

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
WEEK = NOW - timedelta(days=7)
SOON = NOW + timedelta(minutes=1)
BY_LI = Act("li", NOW, "k" * 32)
_numbers = count(1)


def said(
    engine: Engine, talk: str, text: str, decision: Decision, at: datetime = NOW,
    kind: str = "text", candidates: tuple[Candidate, ...] = (),
) -> str:  # fmt: skip
    """One turn of a conversation; its id."""
    heard = f"h{next(_numbers)}"
    known = Understood("policy", decision, candidates=candidates)
    with writing(engine) as session:
        if session.get(Conversation, talk) is None:
            session.add(Conversation(id=talk, channel="web", started_at=at))
            session.flush()
        session.add(
            Turn(
                conversation_id=talk, speaker="citizen", kind=kind, heard=heard, text=text,
                understood=wire.dump(known), decision=decision, at=at,
            )
        )  # fmt: skip
    return heard


def thumb(engine: Engine, talk: str, heard: str, value: str) -> None:
    with writing(engine) as session:
        session.add(Feedback(conversation_id=talk, heard=heard, value=value, at=NOW))


def found(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        return {item.text: item.reason for item in items(session, WEEK, SOON)}


def test_what_is_learned_from(engine: Engine) -> None:
    said(engine, "c1", "狗证在哪办", "miss")
    said(engine, "c1", "公积金咋弄", "ask")
    said(engine, "c2", "社保卡怎么补", "answer")
    liked = said(engine, "c3", "租房要什么材料", "answer")
    disliked = said(engine, "c3", "租房能取多少", "answer")
    thumb(engine, "c3", liked, "up")
    thumb(engine, "c3", disliked, "down")
    said(engine, "c4", "护照多久能拿", "answer")
    said(engine, "c4", "转人工", "handoff")
    assert found(engine) == {
        "狗证在哪办": "miss",
        "公积金咋弄": "asked",
        "租房能取多少": "thumbs_down",
        "护照多久能拿": "handoff",
    }


def test_a_complaint_before_a_person_is_nothing_to_learn_from(engine: Engine) -> None:
    said(engine, "c1", "楼下烧烤太吵", "form")
    said(engine, "c1", "转人工", "handoff")
    said(engine, "c2", "转人工", "handoff")
    assert found(engine) == {}


def test_neither_old_nor_erased_turns_nor_buttons(engine: Engine) -> None:
    said(engine, "c1", "很久以前问的", "miss", WEEK - timedelta(seconds=1))
    said(engine, "c2", "gjj.rent:条件", "miss", kind="choice")
    said(engine, "c3", "被要求删掉的", "miss")
    with writing(engine) as session:
        session.get_one(Conversation, "c3").erased_at = NOW
    assert found(engine) == {}


def test_numbers_of_citizens_are_masked(engine: Engine) -> None:
    said(engine, "c1", "我的电话13800138000，身份证11010519491231002X，狗证咋办", "miss")
    (text,) = found(engine)
    assert "13800138000" not in text
    assert "11010519491231002X" not in text
    assert "狗证咋办" in text


def test_what_is_settled_stays_settled(engine: Engine) -> None:
    said(engine, "c1", "狗证在哪办", "miss")
    said(engine, "c2", "养狗要办证吗", "miss")
    with reading(engine) as session:
        seqs = [item.seq for item in items(session, WEEK, SOON)]
    with writing(engine) as session:
        assert settle(session, BY_LI, [seqs[0], 10**6], "dismissed") == 1
    with writing(engine) as session:
        assert settle(session, BY_LI, seqs, "added", matter="gjj.rent", aspect="条件") == 1
        assert settle(session, BY_LI, seqs, "added") == 0
    assert found(engine) == {}
    with reading(engine) as session:
        assert sorted(session.scalars(select(LearningDone.state))) == ["added", "dismissed"]
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
        assert actions == ["learning_settled", "learning_settled"]


def item(seq: int, text: str, *candidates: Candidate, talk: str = "") -> Item:
    return Item(seq, talk or f"c{seq}", "web", text, NOW, "miss", candidates)


def test_what_is_alike_comes_together_the_commonest_first() -> None:
    dogs = ["狗证在哪办", "办狗证去哪里", "狗证去哪办啊", "在哪办狗证", "勾证在哪办"]
    rain = ["明天下雨吗", "明天会下雨不"]
    others = ["彩票去哪兑奖", "你们几点下班", "共享单车乱停", "出租车怎么投诉", "残疾证丢了"]
    made = grouped([item(n, text) for n, text in enumerate([*rain, *dogs, *others])])
    assert [group.people for group in made[:3]] == [5, 2, 1]
    assert set(made[0].texts) == set(dogs)
    assert made[0].title in dogs
    assert made[0].reasons == (("miss", 5),)


def test_the_same_person_asking_thrice_is_one() -> None:
    (group,) = grouped([item(n, "狗证在哪办", talk="c1") for n in range(3)])
    assert (group.people, group.seqs, group.texts) == (1, (0, 1, 2), ("狗证在哪办",))


def test_a_group_names_what_search_thought_of_most() -> None:
    rent, buy = Candidate("gjj.rent", "条件", 0.4), Candidate("gjj.buy", "条件", 0.5)
    (group,) = grouped([item(1, "房子公积金", rent, buy), item(2, "房子公积金", rent)])
    assert (group.matter, group.aspect) == ("gjj.rent", "条件")


@pytest.mark.parametrize("text", ["？？", "😷😷", "<b>", "x" * 900])
def test_any_text_can_be_grouped(text: str) -> None:
    assert sum(group.people for group in grouped([item(1, text), item(2, "狗证")])) == 2
    assert grouped([]) == ()


def test_words_of_any_matter_make_nothing_alike_and_a_weak_guess_is_not_told() -> None:
    weak = Candidate("police.residence", "费用", 0.2)
    texts = ["养狗一年多少钱", "居住证多少钱", "开锁多少钱"]
    made = grouped([item(n, text, weak) for n, text in enumerate(texts)])
    assert [group.people for group in made] == [1, 1, 1]
    assert {(group.matter, group.aspect) for group in made} == {("", "")}
