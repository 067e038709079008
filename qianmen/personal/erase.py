"""Erase a citizen's data on their wish (PIPL Art. 47): the rows stay as skeletons.

What the law orders to keep is not erased but named: orders on record, unless the command says so,
and whatever somebody is still working on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.retention import Retention
from handoff.order.journal import FOLDER
from qianmen.keeper.duty import Keeping
from qianmen.keeper.facts import talk_facts
from qianmen.keeper.retention import delete_attachments, delete_recording
from qianmen.keeper.rules import QUIET, TalkFacts, is_over
from qianmen.personal.deeds import By, note
from qianmen.personal.emptying import empty_conversation, empty_order
from qianmen.personal.find import Concerned, find
from qianmen.personal.traces import forget_speech, forget_trackers, sweep
from store.engine import reading, writing
from store.tables import Conversation, Turn, WorkOrder

Orders = Literal["keep", "closed", "all"]


@dataclass(slots=True)
class Erased:
    """What was erased, or would be.

    ``kept``: what was not, each with its reason: ``live`` (they are talking), ``waiting`` (for a
    person), ``open_order``, ``order_on_record``, ``recording_not_deleted``. ``failed`` recordings
    could not be deleted; doing it again tries them again.
    ``left``: codes of where traces remain for now.
    """

    dry_run: bool
    conversations: int = 0
    recordings: int = 0
    attachments: int = 0
    sentences: int = 0
    orders: list[str] = field(default_factory=list)
    kept: list[dict[str, str]] = field(default_factory=list)
    failed: int = 0
    left: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As one JSON object; it names orders and conversations, not the citizen."""
        return asdict(self)


def why_kept(talk: TalkFacts, rules: Retention, now: datetime, orders: Orders) -> str:
    """Why a conversation must stay as it is; '' where it may be erased. Pure."""
    if not is_over(talk, now):
        return "live"
    if orders == "all":
        return ""
    if talk.waiting and now - talk.last_at < QUIET:  # later nobody is on the line any more
        return "waiting"
    is_open = any(state not in rules.closed_states for state in talk.orders)
    return "open_order" if is_open else ""


def erase(
    keeping: Keeping,
    identity: str,
    by: By,
    now: datetime,
    *,
    orders: Orders = "keep",
    dry_run: bool = False,
) -> Erased:
    """Erase everything of ``identity``; doing it again erases what was left.

    Of somebody else's conversation in which this number was told everything goes too: nobody can
    cut the number out of a sound. Raises :class:`qianmen.personal.find.PersonalError`.
    """
    done = Erased(dry_run)
    concerned = find(keeping.engine, identity)
    if not dry_run:
        note(keeping.settings, keeping.engine, by, "citizen_erasing", identity, now,
             {"conversations": [one.conversation for one in concerned],
              "orders": orders})  # fmt: skip
    for one in concerned:
        _erase(keeping, one, now, orders, done)
    if not dry_run:
        done.left = list(dict.fromkeys([*done.left, *sweep(keeping), *_journal(keeping)]))
        told = {"kept": done.kept, "orders": done.orders, "failed": done.failed}
        note(keeping.settings, keeping.engine, by, "citizen_erased", identity, now,
             {"conversations": done.conversations,
              "recordings": done.recordings, **told})  # fmt: skip
    return done


def _erase(keeping: Keeping, one: Concerned, now: datetime, orders: Orders, done: Erased) -> None:
    with reading(keeping.engine) as session:
        talk = talk_facts(session, [session.get_one(Conversation, one.conversation)])[0]
        spoken = _told(session, one.conversation)
    why = why_kept(talk, keeping.city.retention, now, orders)
    if why:
        done.kept.append({"conversation": one.conversation, "reason": why})
    elif done.dry_run:
        done.recordings += len(talk.recordings)
        done.conversations += not talk.erased
    else:
        _erase_talk(keeping, talk, spoken, now, done)
    _erase_orders(keeping, one, now, why, orders, done)


def _journal(keeping: Keeping) -> list[str]:
    """Orders that wait for the database are nobody's yet: erased after they were written."""
    folder = keeping.settings.data_dir / FOLDER
    there = folder.is_dir() and any(one.name[:1] != "." for one in folder.iterdir())
    return ["journal"] if there else []


def _told(session: Session, conversation: str) -> tuple[str, ...]:
    """What the front door said: it may lie rendered in the cache."""
    wanted = select(Turn).where(Turn.conversation_id == conversation, Turn.speaker != "citizen")
    return tuple(turn.reply.get("speech") or turn.text for turn in session.scalars(wanted))


def _erase_talk(
    keeping: Keeping, talk: TalkFacts, spoken: tuple[str, ...], now: datetime, done: Erased
) -> None:
    done.sentences += forget_speech(keeping.settings, spoken, keeping.city)
    if not forget_trackers(keeping.settings, talk.id) and "redis_unreachable" not in done.left:
        done.left.append("redis_unreachable")
    deleted = [delete_recording(keeping, recording, now) for recording in talk.recordings]
    done.recordings += sum(deleted)
    files, left = delete_attachments(keeping, talk.id, now)
    done.attachments += files
    if left or not all(deleted):  # it stays as it is, so that doing it again finds it
        done.failed += deleted.count(False) + left
        done.kept.append({"conversation": talk.id, "reason": "recording_not_deleted"})
        return
    with writing(keeping.engine) as session:
        empty_conversation(session, talk.id, now)
    done.conversations += not talk.erased


def _erase_orders(
    keeping: Keeping, one: Concerned, now: datetime, why: str, orders: Orders, done: Erased
) -> None:
    for order in one.orders:
        with writing(keeping.engine) as session:
            row = session.get_one(WorkOrder, order)
            if row.erased_at is not None:
                continue
            if why or orders == "keep":
                reason = why or "order_on_record"
                done.kept.append({"order": row.number, "reason": reason})
                continue
            done.orders.append(row.number)
            if not done.dry_run:
                empty_order(session, order, now)
