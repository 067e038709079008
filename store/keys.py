"""Which keys the database's personal data is sealed with, and whether they are at hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, select, type_coerce
from sqlalchemy.types import Text

from sealing.errors import SealError
from sealing.words import WordSeal, is_sealed
from store.engine import reading, writing
from store.tables import Conversation, DataKey, Turn

_NEWEST = 20


def check_keys(engine: Engine, seal: WordSeal | None) -> None:
    """Whether everything sealed in the database can be opened.

    Raises :class:`SealError` ``data_key_missing`` (no key is set) or ``data_key_wrong`` (another
    one is; the message names the ids of the keys that are needed).
    """
    known = {key.id for key in seal.ring.keys} if seal else set()
    strange = sorted(set(keys_in_use(engine)) - known)
    if not strange:
        return
    code = "data_key_wrong" if seal else "data_key_missing"
    needed = "、".join(strange)
    raise SealError(code, f"数据库里的个人信息是用密钥 {needed} 加密的，QIANMEN_DATA_KEY 里没有它")


def keys_in_use(engine: Engine) -> tuple[str, ...]:
    """The ids of all keys that something in the database is sealed with."""
    with reading(engine) as session:
        claimed = list(session.scalars(select(DataKey.id)))
        citizens = select(type_coerce(Conversation.citizen, Text))
        texts = select(type_coerce(Turn.text, Text))
        newest = [
            *session.scalars(citizens.order_by(Conversation.started_at.desc()).limit(_NEWEST)),
            *session.scalars(texts.order_by(Turn.seq.desc()).limit(_NEWEST)),
        ]
    return tuple(dict.fromkeys([*claimed, *_names(newest)]))


def claim_key(engine: Engine, seal: WordSeal | None, now: datetime) -> None:
    """Note that the newest key is used from now on; doing it again changes nothing."""
    if seal is None:
        return
    key = seal.ring.newest
    with writing(engine) as session:
        if session.get(DataKey, key.id) is None:
            session.add(DataKey(id=key.id, algorithm=key.algorithm, first_used_at=now))


def _names(stored: Iterable[str | None]) -> list[str]:
    return [text.split(".")[1] for text in stored if text and is_sealed(text)]
