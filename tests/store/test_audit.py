"""The audit's chain: what is changed, inserted or removed shows; deletion by rule does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.orm import Session

from store import audit
from store.audit import Anchor, Broken
from store.audit_anchor import AuditError, read_anchor, renew_anchor
from store.engine import reading, writing
from store.tables import Audit

KEY = "a secret that only tests know"


def fill(engine: Engine, now: datetime, lines: int = 6) -> None:
    """Lines one a day, the last one at ``now``."""
    for number in range(lines):
        with writing(engine) as session:
            audit.write(session, KEY, at=now - timedelta(days=lines - 1 - number), actor="li",
                        action="order_viewed", target=f"20261120{number:05d}",
                        data={"n": number})  # fmt: skip


def check(engine: Engine, anchor: Anchor | None = None, key: str = KEY) -> Broken | None:
    with reading(engine) as session:
        return audit.verify(session, key, anchor)


def end_of(engine: Engine) -> Anchor:
    with reading(engine) as session:
        end = audit.head(session)
    assert end is not None
    return end


def test_an_empty_audit_holds(engine: Engine) -> None:
    assert check(engine) is None
    with reading(engine) as session:
        assert audit.head(session) is None


def test_lines_hold_with_their_own_key_only(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    assert check(engine) is None
    assert check(engine, key="another") == Broken("line_changed", 2)
    assert end_of(engine).number == 6


def test_several_lines_in_one_transaction(engine: Engine, now: datetime) -> None:
    with writing(engine) as session:
        for action in ("a", "b", "c"):
            audit.write(session, KEY, at=now, actor="li", action=action)
    assert check(engine) is None


def test_a_transaction_that_fails_leaves_no_gap(engine: Engine, now: datetime) -> None:
    fill(engine, now, 2)
    with Session(engine) as session:
        audit.write(session, KEY, at=now, actor="li", action="a")
        session.rollback()
    fill(engine, now, 1)
    assert check(engine) is None
    assert end_of(engine).number == 3


def test_what_is_stored_is_what_is_signed(engine: Engine) -> None:
    at = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with writing(engine) as session:
        audit.write(session, KEY, at=at, actor="李" * 300, action="a", target="x\x00y",
                    data={"b": (1, 2), "a": {"z": None, "ä": 0.1}, "2": 1})  # fmt: skip
    assert check(engine) is None
    with reading(engine) as session:
        line = session.scalars(select(Audit)).one()
    assert (line.at, len(line.actor), line.object) == (at.astimezone(UTC), 200, "xy")
    assert line.data == {"b": [1, 2], "a": {"z": None, "ä": 0.1}, "2": 1}


def test_what_is_no_json_is_refused(engine: Engine, now: datetime) -> None:
    for data in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises((TypeError, ValueError)), writing(engine) as session:
            audit.write(session, KEY, at=now, actor="li", action="a", data=data)


_AT = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", "wang"), ("action", "sign_in"), ("object", ""), ("data", {"n": 9}), ("at", _AT),
     ("chain", ""), ("chain", "3:" + "0" * 64), ("chain", "junk"), ("chain", "9" * 5000 + ":x"),
     ("data", ["n"])],
)  # fmt: skip
@pytest.mark.parametrize("line", [1, 3, 6])
def test_a_changed_line_shows(
    engine: Engine, now: datetime, line: int, column: str, value: object
) -> None:
    fill(engine, now)
    with writing(engine) as session:
        session.execute(update(Audit).where(Audit.id == line).values({column: value}))
    broken = check(engine)
    assert broken is not None
    assert broken.code in ("line_changed", "line_missing")
    assert broken.id in (line, line + 1)


@pytest.mark.parametrize("column", ["at", "data"])
def test_what_is_no_line_any_more_shows(engine: Engine, now: datetime, column: str) -> None:
    fill(engine, now)
    if engine.dialect.name != "sqlite":
        pytest.skip("only SQLite stores anything in any column")
    with writing(engine) as session:
        session.execute(text(f"UPDATE audit SET {column} = 'junk' WHERE id = 3"))
    assert check(engine) == Broken("line_unreadable")


@pytest.mark.parametrize("lines", [[1], [1, 2], [3], [2, 4], [4, 5]])
def test_removed_lines_show(engine: Engine, now: datetime, lines: list[int]) -> None:
    fill(engine, now)
    with writing(engine) as session:
        session.execute(delete(Audit).where(Audit.id.in_(lines)))
    broken = check(engine)
    assert broken is not None
    assert broken.code == "line_missing"


def test_an_inserted_line_shows(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with writing(engine) as session:
        copied = session.get_one(Audit, 6)
        values = {
            name: getattr(copied, name) for name in ("at", "actor", "action", "object", "data")
        }
        session.execute(insert(Audit).values(chain=copied.chain, **values))
    assert check(engine) == Broken("line_changed", 7)


def test_exchanged_lines_show(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with writing(engine) as session:
        for before, after in ((3, 90), (4, 3), (90, 4)):
            session.execute(update(Audit).where(Audit.id == before).values(id=after))
    assert check(engine) is not None


def test_an_end_cut_off_shows_by_the_anchor_only(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    anchor = end_of(engine)
    assert check(engine, anchor) is None
    with writing(engine) as session:
        session.execute(delete(Audit).where(Audit.id >= 5))
    assert check(engine) is None
    assert check(engine, anchor) == Broken("end_missing")
    fill(engine, now, 3)  # and written over
    assert check(engine) is None
    broken = check(engine, anchor)
    assert broken is not None
    assert broken.code == "line_changed"


def test_everything_gone_shows_by_the_anchor(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    anchor = end_of(engine)
    with writing(engine) as session:
        session.execute(delete(Audit))
    assert check(engine, anchor) == Broken("end_missing")


def test_deletion_by_rule_keeps_the_rest_checkable(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    anchor = end_of(engine)
    with writing(engine) as session:
        assert audit.delete_before(session, KEY, now - timedelta(days=2), at=now) == 3
    with reading(engine) as session:
        left = list(session.scalars(select(Audit).order_by(Audit.id)))
    assert [line.id for line in left] == [4, 5, 6, 7]
    assert (left[-1].action, left[-1].actor, left[-1].data["lines"]) == (
        "audit_deleted",
        "system",
        3,
    )
    assert check(engine, anchor) is None
    with writing(engine) as session:
        session.execute(delete(Audit).where(Audit.id == 4))
    broken = check(engine)
    assert broken is not None
    assert broken.code == "line_missing"


def test_deletions_follow_one_another(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    for days in (3, 2, 2, 1):
        with writing(engine) as session:
            audit.delete_before(session, KEY, now - timedelta(days=days), at=now)
        assert check(engine) is None
    with writing(engine) as session:
        later = now + timedelta(days=400)
        assert audit.delete_before(session, KEY, later, at=later) == 5
    assert check(engine) is None
    with reading(engine) as session:
        assert [line.action for line in session.scalars(select(Audit))] == ["audit_deleted"]
    fill(engine, now, 1)
    assert check(engine) is None


def test_nothing_old_leaves_no_line(engine: Engine, now: datetime) -> None:
    with writing(engine) as session:
        assert audit.delete_before(session, KEY, now, at=now) == 0
    fill(engine, now, 1)
    with writing(engine) as session:
        assert audit.delete_before(session, KEY, now, at=now) == 0
    assert end_of(engine).number == 1


def test_a_clock_that_jumped_back_deletes_nothing_new(engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with writing(engine) as session:
        audit.write(session, KEY, at=_AT, actor="li", action="a")
    with writing(engine) as session:
        assert audit.delete_before(session, KEY, now - timedelta(days=4), at=now) == 1
    assert check(engine) is None


@pytest.mark.parametrize("first", ["write", "delete"])
def test_an_older_installation_s_lines_are_chained_once(
    engine: Engine, now: datetime, first: str
) -> None:
    with writing(engine) as session:
        for number in range(3):
            session.add(Audit(at=now - timedelta(days=3 - number), actor="li", action="a"))
    if first == "write":
        fill(engine, now, 1)
    else:
        with writing(engine) as session:
            assert audit.delete_before(session, KEY, now - timedelta(days=2), at=now) == 1
    assert check(engine) is None
    assert end_of(engine).number == 4
    with writing(engine) as session:  # later a line past the chain is none of its past
        session.add(Audit(at=now, actor="li", action="a"))
    fill(engine, now, 1)
    broken = check(engine)
    assert broken is not None
    assert broken.code == "line_changed"


def test_two_writers_at_once_do_not_fork_the_chain(engine: Engine, now: datetime) -> None:
    gate = threading.Barrier(4)

    def work(name: str) -> None:
        gate.wait()
        for _ in range(10):
            with writing(engine) as session:
                audit.write(session, KEY, at=now, actor=name, action="a")

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert check(engine) is None
    assert end_of(engine).number == 40


def test_the_anchor_in_a_file(engine: Engine, now: datetime, tmp_path: Path) -> None:
    path = tmp_path / "data" / "audit.anchor"

    def renew() -> Anchor | None:
        with reading(engine) as session:
            return renew_anchor(session, path)

    assert read_anchor(path) is None
    assert renew() is None
    assert not path.exists()
    fill(engine, now)
    kept = renew()
    assert kept == read_anchor(path) == end_of(engine)
    with writing(engine) as session:
        audit.delete_before(session, KEY, now + timedelta(days=1), at=now)
    assert renew() == end_of(engine)
    with writing(engine) as session:
        session.execute(delete(Audit))
    with pytest.raises(AuditError) as caught:
        renew()
    assert caught.value.code == "audit_end_missing"
    assert read_anchor(path) is not None


def _removed(session: Session) -> None:
    session.execute(delete(Audit).where(Audit.id >= 5))


def _rewritten(session: Session) -> None:
    _removed(session)
    for _ in range(3):
        audit.write(session, KEY, at=_AT, actor="li", action="a")


@pytest.mark.parametrize("harm", [_removed, _rewritten])
def test_an_anchor_is_not_renewed_over_a_cut(
    engine: Engine, now: datetime, tmp_path: Path, harm: Callable[[Session], None]
) -> None:
    fill(engine, now)
    with reading(engine) as session:
        kept = renew_anchor(session, tmp_path / "anchor")
    with writing(engine) as session:
        harm(session)
    with pytest.raises(AuditError), reading(engine) as session:
        renew_anchor(session, tmp_path / "anchor")
    assert read_anchor(tmp_path / "anchor") == kept


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b"\xff", b'{"number": 1, "chain": "2:a"}'])
def test_a_broken_anchor_is_said(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "anchor").write_bytes(junk)
    with pytest.raises(AuditError) as caught:
        read_anchor(tmp_path / "anchor")
    assert caught.value.code == "audit_anchor_unreadable"
