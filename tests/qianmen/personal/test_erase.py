"""After erasing, no byte of the citizen is left in any file of the installation."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from config.retention import Retention
from handoff.order import deeds
from handoff.order.journal import FOLDER
from qianmen.keeper.duty import Keeping
from qianmen.keeper.rules import TalkFacts
from qianmen.personal.deeds import By
from qianmen.personal.erase import Orders, erase, why_kept
from qianmen.personal.find import PersonalError, find
from store.engine import reading, writing
from store.tables import Audit, Conversation, HandoffEntry, Recording, Turn, WorkOrder
from tests.fakes.orders import CALL, CHAT, PHONE, RECORDING
from tests.qianmen.personal.conftest import fill, installation
from tts.cache import SoundCache, key
from turns import wire

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
SOON = NOW + timedelta(hours=2)
BY = By("王芳", "root")
# What the call's citizen said and is, in every form it is kept in.
SECRETS = (PHONE, "139 1234 5678", "幺三九幺二三四五六七八", "烧烤摊", "建业小区", "解放路和胜利街")


def close(keeping: Keeping) -> None:
    """Everybody was answered, every order is done."""
    with writing(keeping.engine) as session:
        for entry in session.scalars(select(HandoffEntry)):
            entry.state = "done"
        for order in session.scalars(select(WorkOrder)):
            order.state = "办结"
        for talk in session.scalars(select(Conversation)):
            talk.state = "ended"


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def found(keeping: Keeping) -> set[str]:
    """Which secrets stand in any file: database, write-ahead log, recordings, speech."""
    content = bytes_of(keeping.settings.data_dir)
    forms = {s: (s.encode(), json.dumps(s).strip('"').encode()) for s in SECRETS}
    return {secret for secret, spelled in forms.items() if any(form in content for form in spelled)}


def test_nothing_is_left_and_the_skeleton_stays(keeping: Keeping) -> None:
    number, _ = fill(keeping, NOW)
    close(keeping)
    assert found(keeping) == set(SECRETS)
    done = erase(keeping, "+86 139-1234-5678", BY, LATER, orders="closed")
    assert (done.conversations, done.recordings, done.orders, done.kept) == (1, 1, [number], [])
    assert done.left == ["redis_unreachable"]
    assert found(keeping) == set()
    assert not list(keeping.settings.recordings_dir.rglob("*.wav*"))
    with reading(keeping.engine) as session:
        talk = session.get_one(Conversation, CALL)
        assert (talk.citizen, talk.citizen_mark, talk.erased_at) == ("", "", LATER)
        turns = session.scalars(select(Turn).where(Turn.conversation_id == CALL)).all()
        assert len(turns) == 11
        assert all(wire.load_reply(turn.reply) for turn in turns if turn.speaker == "bot")
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()
        assert (order.kind, order.title, order.erased_at) == ("投诉", "", LATER)
        assert session.get_one(Recording, RECORDING).deleted_at == LATER
        assert session.scalar(select(func.count()).select_from(WorkOrder)) == 9
        chat = session.scalars(select(Turn.text).where(Turn.conversation_id == CHAT)).all()
        assert any("我想取公积金" in text for text in chat)


def test_who_did_it_is_written_down_without_the_number(keeping: Keeping) -> None:
    fill(keeping, NOW)
    close(keeping)
    erase(keeping, PHONE, BY, LATER)
    with reading(keeping.engine) as session:
        lines = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert [line.action for line in lines] == ["citizen_erasing", "citizen_erased"]
    assert all(line.actor == "cli:王芳" and line.data["account"] == "root" for line in lines)
    assert all(line.object.startswith("m1.") for line in lines)
    assert PHONE not in json.dumps([line.data for line in lines])


def test_an_order_on_record_is_kept_and_named(keeping: Keeping) -> None:
    number, _ = fill(keeping, NOW)
    close(keeping)
    done = erase(keeping, PHONE, BY, LATER)
    assert done.kept == [{"order": number, "reason": "order_on_record"}]
    assert done.conversations == 1
    with reading(keeping.engine) as session:
        order = session.scalars(select(WorkOrder).where(WorkOrder.number == number)).one()
        assert order.title == "建业小区9号楼下烧烤摊油烟扰民"
    again = erase(keeping, PHONE, BY, LATER)
    assert (again.conversations, again.recordings, again.kept) == (0, 0, done.kept)


def test_a_dry_run_says_the_same_and_changes_nothing(keeping: Keeping) -> None:
    fill(keeping, NOW)
    close(keeping)
    before = bytes_of(keeping.settings.recordings_dir)
    tried = erase(keeping, PHONE, BY, LATER, orders="closed", dry_run=True)
    with reading(keeping.engine) as session:
        assert session.scalars(select(Audit)).all() == []
    assert bytes_of(keeping.settings.recordings_dir) == before
    done = erase(keeping, PHONE, BY, LATER, orders="closed")
    for name in ("conversations", "recordings", "orders", "kept"):
        assert getattr(tried, name) == getattr(done, name)


def test_what_somebody_works_on_stays(keeping: Keeping) -> None:
    number, _ = fill(keeping, NOW)
    for now, reason in ((SOON, "live"), (LATER, "open_order")):
        done = erase(keeping, PHONE, BY, now, orders="closed")
        assert done.kept == [
            {"conversation": CALL, "reason": reason},
            {"order": number, "reason": reason},
        ]
    assert (done.conversations, done.recordings) == (0, 0)
    assert found(keeping) == set(SECRETS)
    assert erase(keeping, PHONE, BY, LATER, orders="all").kept == []
    assert found(keeping) == set()


def test_a_daughter_calls_for_her_mother(keeping: Keeping) -> None:
    fill(keeping, NOW)
    close(keeping)
    with writing(keeping.engine) as session:
        session.get_one(Conversation, CALL).citizen = "13500001111"
    (one,) = find(keeping.engine, PHONE)
    assert (one.conversation, one.relation, len(one.orders)) == (CALL, "told", 1)
    assert erase(keeping, PHONE, BY, LATER, orders="closed").conversations == 1
    assert found(keeping) == set()


def test_spoken_sentences_are_forgotten(keeping: Keeping) -> None:
    fill(keeping, NOW)
    close(keeping)
    settings = keeping.settings
    with reading(keeping.engine) as session:
        said = session.scalars(
            select(Turn.text).where(Turn.conversation_id == CALL, Turn.speaker == "bot")
        ).all()
    from language.speakable import speakable
    from tts.sentences import sentences
    from tts.speaker import speed_at

    cache = SoundCache(settings.speech_dir)
    (read_back,) = [text for text in said if "139 1234 5678" in text]
    slow = speed_at(settings.speech_speed, 0.8)  # for a caller who asked for it
    for sentence in (*sentences(read_back), "另一句话。"):
        cache.put(key(speakable(sentence), settings.speech_voice, settings.speech_speed), b"\1\0")
    for sentence in sentences(read_back):
        cache.put(key(speakable(sentence), settings.speech_voice, slow), b"\1\0")
    assert erase(keeping, PHONE, BY, LATER).sentences == 2 * len(sentences(read_back))
    assert len(list(settings.speech_dir.rglob("*.pcm"))) == 1


def test_a_recording_that_cannot_be_deleted_is_tried_again(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(keeping, NOW)
    close(keeping)

    def refuse(folder: Path, path: str) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("qianmen.keeper.retention.delete_files", refuse)
        done = erase(keeping, PHONE, BY, LATER)
    assert (done.failed, done.conversations) == (1, 0)
    assert {"conversation": CALL, "reason": "recording_not_deleted"} in done.kept
    assert erase(keeping, PHONE, BY, LATER).conversations == 1


def test_with_a_key_nothing_stands_there_in_the_first_place(sealed: Keeping) -> None:
    fill(sealed, NOW)
    assert found(sealed) == set()
    close(sealed)
    assert erase(sealed, PHONE, BY, LATER, orders="closed").conversations == 1
    assert find(sealed.engine, PHONE) == ()


@pytest.mark.parametrize("identity", ["", "   ", "anonymous", "+"])
def test_nobody_is_erased_by_no_number(keeping: Keeping, identity: str) -> None:
    fill(keeping, NOW)
    if identity == "+":
        assert find(keeping.engine, identity) == ()
        return
    with pytest.raises(PersonalError) as caught:
        erase(keeping, identity, BY, LATER)
    assert caught.value.code == "identity_invalid"


@pytest.mark.parametrize(
    ("talk", "orders", "why"),
    [
        (TalkFacts("c", True, NOW), "keep", ""),
        (TalkFacts("c", False, LATER), "all", "live"),
        (TalkFacts("c", False, NOW), "keep", ""),
        (TalkFacts("c", True, LATER, waiting=True), "closed", "waiting"),
        (TalkFacts("c", True, NOW, waiting=True), "closed", ""),
        (TalkFacts("c", True, NOW, orders=("受理",)), "keep", "open_order"),
        (TalkFacts("c", True, NOW, orders=("办结", "归档")), "keep", ""),
        (TalkFacts("c", True, NOW, orders=("受理",), waiting=True), "all", ""),
    ],
)
def test_why_a_conversation_is_kept(talk: TalkFacts, orders: Orders, why: str) -> None:
    assert why_kept(talk, Retention(), LATER, orders) == why


def test_two_installations_do_not_share_marks(keeping: Keeping, tmp_path: Path) -> None:
    other = installation(tmp_path / "other", keeping.city)
    fill(keeping, NOW)
    fill(other, NOW)
    assert len(find(other.engine, PHONE)) == len(find(keeping.engine, PHONE)) == 1
    other.engine.dispose()


def test_what_staff_wrote_on_an_order_goes_too(keeping: Keeping) -> None:
    number, _ = fill(keeping, NOW)
    rules = keeping.city.orders
    deeds.edit(keeping.engine, number, {"title": f"烧烤摊 {PHONE}", "what": "烧烤摊油烟",
               "contact": PHONE, "summary": f"市民 {PHONE} 反映"}, by="wang", now=NOW)  # fmt: skip
    for verb, values in (
        ("note", {"text": f"已打 {PHONE}"}), ("answer", {"text": "烧烤摊已整改"}),
        ("visit", {"reached": True, "solved": True, "text": f"{PHONE} 说满意"}),
    ):  # fmt: skip
        deeds.do(keeping.engine, number, verb, by="wang", now=NOW, rules=rules, **values)
    close(keeping)
    done = erase(keeping, PHONE, BY, LATER, orders="closed")
    assert done.orders == [number]
    assert found(keeping) == set()


def test_orders_that_wait_on_disk_are_named(keeping: Keeping) -> None:
    fill(keeping, NOW)
    close(keeping)
    folder = keeping.settings.data_dir / FOLDER
    folder.mkdir()
    (folder / "0000000001.json").write_text("{}")
    assert "journal" in erase(keeping, PHONE, BY, LATER).left
