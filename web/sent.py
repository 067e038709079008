"""What a citizen sent beside words, as staff see it at the turn that it came with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from chat.attachments import Kept, all_of
from chat.history import sent
from store.tables import Turn, WechatMedia

PLACE = "place"
_NAMES = {"photo": ("照片", "张"), "voice": ("语音", "段"), "video": ("视频", "段"),
          "file": ("文件", "个"), PLACE: ("位置", "处")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentView:
    """One of them. ``kind``: photo, voice, video, file or place.

    ``id`` is the file's, '' where it is not ``here``: still ``coming`` from the platform that the
    citizen sent it to, or ``gone``: deleted, or never got. ``text`` is a place's label, or what a
    voice note was recognised as; ``lat`` and ``lon`` a place's, in degrees.
    """

    id: str
    kind: str
    media_type: str = ""
    text: str = ""
    lat: float | None = None
    lon: float | None = None
    state: Literal["here", "coming", "gone"] = "here"

    @property
    def name(self) -> str:
        """What it is, in a word."""
        return _NAMES.get(self.kind, _NAMES["file"])[0]

    @property
    def where(self) -> str:
        """A place's coordinates; '' where they are unknown."""
        return "" if self.lat is None or self.lon is None else f"{self.lat:.6f}，{self.lon:.6f}"

    def dumped(self) -> dict[str, Any]:
        """As a frame carries it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside a conversation's turns, by ``Heard.id``; ``coming``: not fetched yet."""

    kept: Mapping[str, Kept]
    coming: frozenset[str] = frozenset()

    def of(self, turn: Turn) -> tuple[SentView, ...]:
        """What came with ``turn``."""
        items = [sent(item) for item in turn.attachments or () if isinstance(item, dict)]
        return tuple(self._view(item, turn.heard or "") for item in items)

    def _view(self, item: Mapping[str, Any], heard: str) -> SentView:
        kind, text = str(item["kind"]), str(item["text"])
        if kind == PLACE:
            return SentView("", kind, "", text, item.get("lat"), item.get("lon"))
        kept = self.kept.get(heard)
        if kept is not None:
            return SentView(kept.id, kept.kind, kept.media_type, kept.text or text)
        return SentView("", kind, text=text, state="coming" if heard in self.coming else "gone")


def beside(session: Session, conversation: str) -> Beside:
    """Of that conversation."""
    coming = session.scalars(
        select(WechatMedia.id).where(
            WechatMedia.conversation_id == conversation, WechatMedia.state == "waiting"
        )
    )
    # In this order: what was kept meanwhile is no longer coming, and would else be gone.
    waiting = frozenset(coming)
    return Beside(all_of(session, conversation), waiting)


def counted(sent_along: Iterable[SentView]) -> str:
    """How many of each, in words: 照片2张、语音1段; '' for none."""
    counts = Counter(one.kind if one.kind in _NAMES else "file" for one in sent_along)
    return "、".join(
        f"{name}{counts[kind]}{measure}" for kind, (name, measure) in _NAMES.items() if counts[kind]
    )
