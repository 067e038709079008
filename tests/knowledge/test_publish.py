from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from knowledge import publish, versions, words
from knowledge.editing import AnswerKey, EditError, Version
from knowledge.history import expiring, history
from knowledge.load import load
from knowledge.publish import Publication, Selection
from knowledge.published import Published, snapshot
from knowledge.staging import search_over
from store import audit
from store.engine import reading, writing
from store.tables import Audit, Release
from tests.knowledge.conftest import NOW
from tests.knowledge.desk import (
    BUY,
    KEY,
    PAPERS,
    PLACE,
    RENT,
    TODAY,
    ZONE,
    act,
    approved,
    drafted,
    live,
    small_city,
    small_contents,
)

OLD = "租房提取公积金的材料是这样的。"
ASKED = "租房取公积金要带什么材料"


@pytest.fixture
def desk(engine: Engine) -> Engine:
    small_city(engine)
    return engine


def refused(work: Callable[[], object]) -> EditError:
    with pytest.raises(EditError) as caught:
        work()
    return caught.value


def out(engine: Engine, selection: Selection = publish.ALL_APPROVED) -> Publication:
    return publish.publish(engine, act("chief"), PLACE, selection, why="新规定", live=live())


def said(engine: Engine, days: int = 0, key: AnswerKey = PAPERS) -> str | None:
    with reading(engine) as session:
        search = search_over(snapshot(session), PLACE, live())
    answer = search.by_code(key.matter, key.aspect, now=NOW + timedelta(days=days))
    return answer.text if answer else None


def state(engine: Engine, version: Version) -> Version:
    with reading(engine) as session:
        return versions.get(session, version.id)


def test_what_was_approved_is_said_at_once_in_every_process(desk: Engine) -> None:
    elsewhere = Published(desk, zone=ZONE)
    before = elsewhere.search().find(ASKED, now=NOW)
    assert before.answer is not None
    assert before.answer.text == OLD
    ready = approved(desk, "带身份证和租房合同，最高1200元。")
    done: list[Version] = []
    made = publish.publish(desk, act("chief"), PLACE, live=live(), done=done.extend)
    after = elsewhere.search().find(ASKED, now=NOW)
    assert after.answer is not None
    assert (after.answer.text, after.answer.version) == ("带身份证和租房合同，最高1200元。", 2)
    assert "一千二百元" in after.answer.speech
    assert [one.id for one in done] == [ready.id]
    assert made.result is not None
    assert (made.result.ok, made.result.asked, made.result.right_after) == (True, 3, 3)
    with reading(desk) as session:
        past = history(session, PAPERS)
    assert [one.version.state for one in past] == ["published", "retired"]
    assert past[0].version.release == made.release


def test_publishing_is_in_the_audit_and_among_the_releases(desk: Engine) -> None:
    approved(desk, "带身份证。")
    made = out(desk)
    with reading(desk) as session:
        line = session.scalars(select(Audit).order_by(Audit.id.desc()).limit(1)).one()
        assert (line.action, line.actor) == ("knowledge_published", "chief")
        assert line.data["answers"] == ["gjj.rent:材料:city 2"]
        assert audit.verify(session, KEY) is None
        notes = publish.releases(session)
    assert [(one.id, one.by, one.why, one.answers) for one in notes] == [
        (made.release, "chief", "新规定", ("gjj.rent:材料:city",))
    ]
    assert notes[0].result["ok"] is True


def test_only_what_was_approved_is_published(desk: Engine) -> None:
    assert refused(lambda: out(desk)).code == "nothing_to_publish"
    draft = drafted(desk, "没有人看过。")
    assert refused(lambda: out(desk)).code == "nothing_to_publish"
    assert refused(lambda: out(desk, Selection((draft.id,), ()))).code == "step_refused"
    assert refused(lambda: out(desk, Selection((999,), ()))).code == "answer_unknown"
    assert said(desk) == OLD


def test_one_step_back(desk: Engine) -> None:
    ready = approved(desk, "带身份证。")
    out(desk)
    assert said(desk) == "带身份证。"
    publish.undo_last(desk, act("chief"), why="写错了")
    assert said(desk) == OLD
    back = state(desk, ready)
    assert (back.state, back.release) == ("approved", None)
    assert refused(lambda: publish.undo_last(desk, act("chief"))).code == "nothing_to_undo"
    out(desk)  # it was only taken back
    assert said(desk) == "带身份证。"
    with reading(desk) as session:
        assert [bool(row.undone_at) for row in session.scalars(select(Release))] == [True, False]
        events = [step.event for step in history(session, PAPERS)[0].steps]
    assert events[-3:] == ["published", "unpublished", "published"]


def test_a_new_draft_survives_a_step_back(desk: Engine) -> None:
    first = approved(desk, "带身份证。")
    out(desk)
    second = drafted(desk, "带户口本。")
    publish.undo_last(desk, act("chief"))
    assert state(desk, second).state == "draft"
    assert state(desk, first).state == "retired"
    assert said(desk) == OLD


def test_what_starts_later_is_said_from_its_day_on(desk: Engine) -> None:
    start = TODAY + timedelta(days=10)
    ready = approved(desk, "明年的规定。", valid_from=start)
    out(desk)
    assert said(desk) == OLD
    assert said(desk, 9) == OLD
    assert said(desk, 10) == "明年的规定。"
    with reading(desk) as session:
        assert expiring(session, TODAY) == ()  # another follows without a gap
    later = approved(desk, "改到再晚一点。", valid_from=start + timedelta(days=5))
    out(desk)
    assert [said(desk, days) for days in (0, 10, 14, 15)] == [OLD, OLD, OLD, "改到再晚一点。"]
    assert state(desk, ready).state == "retired"
    publish.retire(desk, act("chief"), PLACE, later.id, edition=state(desk, later).edition,
                   why="规定没有出台")  # fmt: skip
    assert said(desk, 400) == OLD


def test_a_correction_now_ends_before_what_starts_later(desk: Engine) -> None:
    approved(desk, "明年的规定。", valid_from=TODAY + timedelta(days=10),
             valid_to=TODAY + timedelta(days=20))  # fmt: skip
    out(desk)
    approved(desk, "今天的更正。")
    out(desk)
    told = [said(desk, days) for days in (0, 9, 10, 20, 21)]
    assert told == ["今天的更正。", "今天的更正。", "明年的规定。", "明年的规定。", None]
    with writing(desk) as session:
        draft = versions.begin(session, act("editor1"), PLACE, PAPERS)
    assert draft.wording.text == "今天的更正。"
    assert draft.wording.valid_to is None  # its own last day, not the one it was moved to


def test_undoing_what_starts_later_gives_the_present_one_its_end_back(desk: Engine) -> None:
    approved(desk, "明年的规定。", valid_from=TODAY + timedelta(days=10))
    out(desk)
    publish.undo_last(desk, act("chief"))
    assert said(desk, 400) == OLD
    out(desk)
    assert said(desk, 400) == "明年的规定。"


def test_speech_that_was_made_of_the_text_follows_the_text(desk: Engine) -> None:
    approved(desk, "每月最高1500元。")
    out(desk)
    with writing(desk) as session:
        draft = versions.begin(session, act("editor1"), PLACE, PAPERS)
    assert (draft.wording.text, draft.wording.speech) == ("每月最高1500元。", "")


def test_a_retired_answer_is_not_said_and_can_be_undone(desk: Engine) -> None:
    with reading(desk) as session:
        there = history(session, PAPERS)[0].version
    error = refused(
        lambda: publish.retire(desk, act("chief"), PLACE, there.id, edition=there.edition, why="")
    )
    assert error.code == "reason_missing"
    publish.retire(desk, act("chief"), PLACE, there.id, edition=there.edition, why="政策取消")
    assert said(desk) is None
    with writing(desk) as session:
        report = load(session, small_contents(), NOW)
    assert not report.changes  # the files do not bring it back
    publish.undo_last(desk, act("chief"))
    assert said(desk) == OLD


def test_a_release_that_was_changed_since_is_not_undone(desk: Engine) -> None:
    ready = approved(desk, "带身份证。")
    out(desk)
    edition = state(desk, ready).edition
    publish.retire(desk, act("chief"), PLACE, ready.id, edition=edition, why="错")
    with writing(desk) as session:
        session.scalars(select(Release).order_by(Release.id.desc()).limit(1)).one().undone_at = NOW
    error = refused(lambda: publish.undo_last(desk, act("chief")))
    assert (error.code, error.data["answers"]) == ("undo_conflict", ["gjj.rent:材料:city"])


def test_words_are_published_undone_and_published_again(desk: Engine) -> None:
    with writing(desk) as session:
        staged = words.add_words(session, act("editor1"), RENT, aliases=["赁屋支公积"])
        assert "赁屋支公积" not in staged.live["aliases"]
        error = refused(
            lambda: words.approve_words(session, act("editor1"), RENT, edition=staged.edition)
        )
        assert error.code == "second_person"
        words.approve_words(session, act("chief"), RENT, edition=staged.edition)
    out(desk)
    assert named(desk) == RENT
    publish.undo_last(desk, act("chief"))
    with reading(desk) as session:
        again = words.matter_words(session, RENT)
    assert "赁屋支公积" in again.pending["aliases"]
    assert again.approved_by == "chief"
    out(desk)
    assert named(desk) == RENT
    with writing(desk) as session:
        assert not load(session, small_contents(), NOW).changes  # the editor's words stay


def named(engine: Engine) -> str:
    with reading(engine) as session:
        live = words.matter_words(session, RENT).live
    return RENT if "赁屋支公积" in live["aliases"] else ""


def test_words_staged_after_a_release_survive_its_undoing(desk: Engine) -> None:
    with writing(desk) as session:
        staged = words.add_words(session, act("editor1"), RENT, aliases=["赁屋支公积"])
        words.approve_words(session, act("chief"), RENT, edition=staged.edition)
    out(desk)
    with writing(desk) as session:
        words.add_words(session, act("editor2"), RENT, phrasings=["租个屋拿公积金"])
    publish.undo_last(desk, act("chief"))
    with reading(desk) as session:
        left = words.matter_words(session, RENT)
    assert "赁屋支公积" in left.pending["aliases"]
    assert "租个屋拿公积金" in left.pending["phrasings"]
    assert left.approved_by == ""


DOG = {
    "name": "养犬登记", "department": "公安局", "aliases": ["办狗证", "狗证", "养狗登记"],
    "questions": {
        "费用": ["办狗证要多少钱", "狗证收费吗", "给狗上户口得掏多少", "养狗登记贵不贵",
                 "狗证一年交多少钱"],
        "材料": ["办狗证要带什么", "养狗登记需要哪些证件", "给狗上证得拿啥", "狗证要不要疫苗本",
                 "办养犬证用不用身份证"],
    },
    "golden": {"费用": ["养狗登记收不收钱", "办个狗证要花多少钱"],
               "材料": ["给狗办证要拿什么材料", "养犬登记需要什么证件"]},
}  # fmt: skip


def test_a_new_matter_is_understood_only_once_published(desk: Engine) -> None:
    key = AnswerKey("civil.dog", "费用")
    with writing(desk) as session:
        made = words.add_matter(session, act("editor1"), "civil.dog", dict(DOG))
    assert made.is_new
    assert "civil.dog" not in codes(desk)
    ready = approved(desk, "不收费。", key)
    error = refused(lambda: out(desk, Selection((ready.id,), ())))
    assert error.code == "step_refused"  # its matter must come along
    with writing(desk) as session:
        words.approve_words(session, act("chief"), "civil.dog", edition=made.edition)
    approved(desk, "带身份证和犬只免疫证明。", AnswerKey("civil.dog", "材料"))
    made_known = out(desk)
    assert made_known.result is not None
    assert (made_known.result.ok, made_known.result.right_after) == (True, 6 + 4)
    assert said(desk, key=key) == "不收费。"
    assert "civil.dog" in codes(desk)
    with reading(desk) as session:
        search = search_over(snapshot(session), PLACE, live())
    for text, aspect in (
        ("小狗办狗证得掏多少钱", "费用"), ("养狗登记要拿啥东西", "材料"), ("狗证贵不贵", "费用"),
    ):  # fmt: skip
        found = search.find(text, now=NOW)
        assert found.answer is not None, text
        assert (found.answer.matter, found.answer.aspect) == ("civil.dog", aspect)
    publish.undo_last(desk, act("chief"))
    assert "civil.dog" not in codes(desk)


def codes(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return {matter.code for matter in snapshot(session).matters}


def test_two_publishers_at_once(desk: Engine) -> None:
    approved(desk, "带身份证。")
    approved(desk, "买房带合同。", AnswerKey(BUY, "材料"))
    start = threading.Barrier(2)
    ended: list[str] = []

    def one(by: str) -> None:
        start.wait()
        try:
            publish.publish(desk, act(by), PLACE, live=live())
            ended.append("published")
        except EditError as error:
            ended.append(error.code)

    threads = [threading.Thread(target=one, args=(by,)) for by in ("chief", "boss")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["nothing_to_publish", "published"]
    with reading(desk) as session:
        assert len(publish.releases(session)) == 1
        assert audit.verify(session, KEY) is None


def test_ending_answers_are_listed(desk: Engine) -> None:
    approved(desk, "只到下周。", valid_to=TODAY + timedelta(days=7))
    approved(desk, "到后年。", AnswerKey(BUY, "材料"), valid_to=TODAY + timedelta(days=400))
    out(desk)
    with reading(desk) as session:
        found = expiring(session, TODAY)
        assert [(one.version.key.id, one.days, one.matter_name) for one in found] == [
            ("gjj.rent:材料:city", 7, "租房提取公积金")
        ]
        assert expiring(session, TODAY, days=6) == ()
    assert said(desk, 8) is None


def test_nobody_loses_words_to_another_editor(desk: Engine) -> None:
    with writing(desk) as session:
        first = words.matter_words(session, RENT)
        aliases = [*first.live["aliases"], "一"]
        error = refused(
            lambda: words.stage(
                session, act("a"), RENT, {"aliases": aliases}, edition=first.edition
            )
        )
        assert (error.code, error.data["faults"][0]["code"]) == ("words_invalid", "too_short")
        changes = {"name": "租房提取住房公积金"}
        words.stage(session, act("a"), RENT, changes, edition=first.edition)
        error = refused(
            lambda: words.stage(
                session, act("b"), RENT, {"name": "租房提取"}, edition=first.edition
            )
        )
    assert error.code == "edit_conflict"
    assert error.data["theirs"] == {"name": "租房提取住房公积金"}
    assert error.data["by"] == "a"


def test_dropped_words_leave_the_matter_to_the_files(desk: Engine) -> None:
    with writing(desk) as session:
        staged = words.add_words(session, act("a"), RENT, phrasings=["租个屋拿公积金"])
        left = words.drop_words(session, act("a"), RENT, edition=staged.edition)
    assert left is not None
    assert (dict(left.pending), left.changed_by) == ({}, "import")
