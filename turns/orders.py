"""A work order (工单) on its way to be written, with the provenance of every field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from turns.replies import Urgency


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a field's value comes from.

    ``turn`` is the ``Heard.id``; ``quote`` the words it was taken from; ``confidence`` the
    recogniser's; ``rule`` the stable name of what filled it; ``confirmed_by`` who confirmed it
    ('' nobody, 'citizen', or a staff login).
    """

    turn: str
    quote: str
    at: datetime
    confidence: float
    rule: str
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class OrderField:
    """One filled field; ``value`` is the normalised text, the quote keeps the citizen's words.

    ``former``: vaguer values that it took the place of, oldest first.
    """

    name: str
    value: str
    provenance: Provenance
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What is to be written; ``key`` makes writing it twice harmless.

    ``kind`` is one of 咨询 求助 投诉 举报 建议 表扬 其他 (domain: kinds of request). ``code`` is
    the city's classification ('' where none fits), ``department`` 主办 and ``departments`` 协办 as
    suggested. ``secret`` (是否保密), ``visit`` (是否回访): what the citizen wished.
    """

    key: str
    conversation: str
    channel: str
    line: str
    kind: str
    urgency: Urgency
    title: str
    matter: str = ""
    department: str = ""
    fields: tuple[OrderField, ...] = ()
    code: str = ""
    departments: tuple[str, ...] = ()
    summary: str = ""
    secret: bool = False
    visit: bool = True


@dataclass(frozen=True, slots=True)
class WrittenOrder:
    """A work order that stands in the database under a number of its day."""

    id: str
    number: str
    created_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class OrderBrief:
    """An order in so few words that it can be read to somebody on the telephone."""

    number: str
    kind: str
    urgency: Urgency = "normal"
    where: str = ""
    what: str = ""
    phone: str = ""
