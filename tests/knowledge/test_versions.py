from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from knowledge import versions
from knowledge.editing import AnswerKey, EditError, Version
from knowledge.history import history
from knowledge.wording import faults, speech_of
from store import audit
from store.engine import reading, writing
from store.tables import Answer, Audit
from tests.knowledge.desk import (
    KEY,
    PAPERS,
    PLACE,
    RENT,
    TODAY,
    act,
    approved,
    drafted,
    small_city,
    wording,
)


@pytest.fixture
def desk(engine: Engine) -> Engine:
    small_city(engine)
    return engine


def refused(work: Callable[[], object]) -> EditError:
    with pytest.raises(EditError) as caught:
        work()
    return caught.value


def step(engine: Engine, name: str, by: str, version: Version) -> Version:
    with writing(engine) as session:
        work = getattr(versions, name)
        made: Version = work(session, act(by), PLACE, version.id, edition=version.edition)
        return made


def test_a_draft_begins_with_what_is_said_now(desk: Engine) -> None:
    with writing(desk) as session:
        draft = versions.begin(session, act("editor1"), PLACE, PAPERS)
        again = versions.begin(session, act("editor2"), PLACE, PAPERS)
    assert (draft.state, draft.version) == ("draft", 2)
    assert draft.wording.text == "租房提取公积金的材料是这样的。"
    assert again.id == draft.id


def test_an_answer_that_there_was_not_begins_empty(desk: Engine) -> None:
    key = AnswerKey(RENT, "地点", "lin")
    with writing(desk) as session:
        draft = versions.begin(session, act("editor1"), PLACE, key)
    assert (draft.version, draft.wording.text, draft.wording.valid_from) == (1, "", TODAY)
    assert "missing" in {fault.code for fault in faults(draft.wording, TODAY)}


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (AnswerKey(RENT, "天气"), "aspect_unknown"),
        (AnswerKey(RENT, "材料", "mars"), "region_unknown"),
        (AnswerKey("gjj.none", "材料"), "matter_unknown"),
    ],
)
def test_unknown_answers_are_refused(desk: Engine, key: AnswerKey, code: str) -> None:
    with writing(desk) as session:
        assert refused(lambda: versions.begin(session, act("e"), PLACE, key)).code == code


def test_the_whole_life_until_approved(desk: Engine) -> None:
    draft = drafted(desk, "带身份证和银行卡。")
    sent = step(desk, "submit", "editor1", draft)
    assert (sent.state, sent.submitted) == ("draft", True)
    seen = step(desk, "check", "editor1", sent)
    assert (seen.state, seen.checked_by, seen.submitted) == ("checked", "editor1", False)
    agreed = step(desk, "approve", "chief", seen)
    assert (agreed.state, agreed.approved_by, agreed.writers) == ("approved", "chief", ("editor1",))
    with reading(desk) as session:
        past = history(session, PAPERS)
        steps = [step.event for step in past[0].steps]
        assert audit.verify(session, KEY) is None
        lines = list(session.scalars(select(Audit.action).order_by(Audit.id)))
    assert steps == ["created", "submitted", "checked", "approved"]
    assert lines == ["answer_drafted", "answer_submitted", "answer_checked", "answer_approved"]
    assert [one.version.version for one in past] == [2, 1]


def test_a_second_person_approves(desk: Engine) -> None:
    seen = step(desk, "check", "editor2", drafted(desk, "带身份证。"))
    error = refused(lambda: step(desk, "approve", "editor1", seen))
    assert (error.code, error.data["writers"]) == ("second_person", ["editor1"])
    assert step(desk, "approve", "editor2", seen).state == "approved"


def test_nobody_who_wrote_in_it_approves(desk: Engine) -> None:
    draft = drafted(desk, "带身份证。")
    again = drafted(desk, "带身份证和银行卡。", by="editor2")
    assert again.id == draft.id
    seen = step(desk, "check", "editor3", again)
    for writer in ("editor1", "editor2"):
        with pytest.raises(EditError, match="另一个人"):
            step(desk, "approve", writer, seen)
    assert step(desk, "approve", "editor3", seen).state == "approved"


def test_steps_out_of_order_are_refused(desk: Engine) -> None:
    draft = drafted(desk, "带身份证。")
    error = refused(lambda: step(desk, "approve", "chief", draft))
    assert (error.code, error.data) == ("step_refused", {"state": "draft"})
    ready = approved(desk, "带身份证。")
    assert refused(lambda: step(desk, "check", "chief", ready)).code == "step_refused"
    with reading(desk) as session:
        said = session.scalars(select(Answer).where(Answer.state == "published")).first()
    assert said is not None
    with writing(desk) as session:
        error = refused(
            lambda: versions.save(session, act("e"), said.id, wording("别的"), edition=1)
        )
    assert (error.code, error.data["state"]) == ("step_refused", "published")


def test_editing_what_was_approved_makes_it_a_draft_again(desk: Engine) -> None:
    ready = approved(desk, "带身份证。")
    with writing(desk) as session:
        back = versions.save(
            session, act("editor1"), ready.id, wording("带户口本。"), edition=ready.edition
        )
    assert (back.state, back.approved_by, back.checked_by) == ("draft", "", "")


def test_rejecting_needs_a_reason(desk: Engine) -> None:
    ready = approved(desk, "带身份证。")
    with writing(desk) as session:
        error = refused(
            lambda: versions.reject(session, act("x"), ready.id, edition=ready.edition, why=" ")
        )
        assert error.code == "reason_missing"
        back = versions.reject(
            session, act("chief"), ready.id, edition=ready.edition, why="金额不对"
        )
    assert (back.state, back.approved_by, back.changed_by) == ("draft", "", "editor1")
    with reading(desk) as session:
        last = history(session, PAPERS)[0].steps[-1]
    assert (last.event, last.by, last.why, last.from_state) == (
        "rejected", "chief", "金额不对", "approved",
    )  # fmt: skip


def test_a_discarded_draft_stays_in_the_history_and_a_new_one_can_begin(desk: Engine) -> None:
    draft = drafted(desk, "写错了。")
    with writing(desk) as session:
        gone = versions.discard(session, act("editor1"), draft.id, edition=draft.edition)
        assert gone.state == "retired"
        assert versions.open_version(session, PAPERS) is None
    assert drafted(desk, "重写。").version == 3


def test_two_editors_do_not_overwrite_each_other(desk: Engine) -> None:
    draft = drafted(desk, "第一稿。")
    with writing(desk) as session:
        versions.save(session, act("editor2"), draft.id, wording("乙改的。"), edition=draft.edition)
    with writing(desk) as session:
        error = refused(
            lambda: versions.save(
                session, act("editor1"), draft.id, wording("甲改的。"), edition=draft.edition
            )
        )
    assert error.code == "edit_conflict"
    assert error.data["by"] == "editor2"
    assert error.data["changed"] == ["text"]
    assert error.data["theirs"] == {"text": "乙改的。"}
    assert error.data["edition"] == draft.edition + 1
    error = refused(lambda: step(desk, "check", "editor1", draft))
    assert error.code == "edit_conflict"


def test_autosave_writes_no_line_a_time(desk: Engine) -> None:
    draft = drafted(desk, "一")
    with writing(desk) as session:
        for text in ("一二", "一二三", "一二三"):
            draft = versions.save(
                session, act("editor1"), draft.id, wording(text), edition=draft.edition
            )
    with reading(desk) as session:
        assert [step.event for step in history(session, PAPERS)[0].steps] == ["created"]
        assert list(session.scalars(select(Audit.action))) == ["answer_drafted"]
    assert draft.edition == 4  # what did not differ did not count


def test_a_half_written_draft_is_kept_but_goes_nowhere(desk: Engine) -> None:
    draft = drafted(desk, "", document="", valid_to=TODAY - timedelta(days=1))
    error = refused(lambda: step(desk, "submit", "editor1", draft))
    assert error.code == "wording_invalid"
    assert {fault["code"] for fault in error.data["faults"]} == {"missing", "dates_reversed"}


def test_bounds_hold_for_a_draft_too(desk: Engine) -> None:
    error = refused(lambda: drafted(desk, "字" * 2001))
    assert (error.code, error.data["faults"][0]["code"]) == ("wording_invalid", "too_long")


@pytest.mark.parametrize(
    ("text", "sample", "code"),
    [("最高1200元（示例数据）", False, "sample_unticked"), ("1200元", True, "sample_unmarked")],
)
def test_made_up_figures_are_marked(text: str, sample: bool, code: str) -> None:
    found = faults(wording(text, sample=sample), TODAY)
    assert [fault.code for fault in found] == [code]


def test_what_ended_already_cannot_be_published() -> None:
    old = wording("过时了。", valid_from=TODAY - timedelta(9), valid_to=TODAY - timedelta(1))
    assert [fault.code for fault in faults(old, TODAY)] == ["already_over"]


def test_speech_is_derived_where_the_editor_wrote_none() -> None:
    derived = speech_of(wording("最高1200元。"))
    assert "一千二百元" in derived
    assert speech_of(replace(wording("x"), speech="自己写的。")) == "自己写的。"
