"""Files that citizens sent are fetched, kept with their turn, and, voice notes, recognised.

A row of ``wechat_media`` says what is still to be fetched; whoever claims it moves its next try
behind a lease, so that another process goes on where one died. Every step may be done twice: what
is kept is kept once a turn, and a turn is heard once by its id. The platform keeps files for three
days, so there is time for a long outage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConversationError
from chat import attachments, pictures
from chat.attachments import Kept, Kind, Note
from chat.core import Conversations
from chat.files import Files
from chat.pictures import PictureError
from chat.voice import VoiceError, duration_ms, recognise
from chat.wechat import metrics, voice
from chat.wechat.api import Api, Media
from chat.wechat.errors import WeChatError
from store.engine import reading, writing
from store.faults import fault_of
from store.locks import FOR_CHANGE
from store.tables import Conversation, Turn, WechatMedia
from tts.wav import wav_of
from turns.heard import Attachment, Heard

LOOK_S = 5.0
LEASE = timedelta(seconds=60)
"""Longer than one file takes, its recognition included."""
AGAIN_S = (5.0, 30.0, 120.0, 600.0, 1800.0)
KEPT_THERE = timedelta(days=3)
"""So long the platform keeps files (媒体文件在微信后台保存时间为3天)."""
AT_ONCE = 4
VOICE = "voice"
UNRECOGNISED = "asr_unreachable"
_KINDS: dict[str, Kind] = {"photo": "photo", "voice": "voice", "video": "video"}
_CHANNEL = "wechat"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file that this process fetches; ``id`` is its turn's, ``heard`` whether that stands."""

    id: str
    conversation: str
    line: str
    kind: str
    media_id: str
    at: datetime
    tries: int
    heard: bool

    def __repr__(self) -> str:
        """Nothing that a log could leak."""
        return f"Wanted(kind={self.kind!r})"


class Fetcher:
    """Of one process; ``asr`` is where voice notes are recognised (vosk-server's protocol).

    ``tell`` is called with a conversation whose file has come, or will not come any more.
    """

    def __init__(
        self, engine: Engine, files: Files, api: Api, core: Conversations, asr: str,
        now: Callable[[], datetime], tell: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._files = files
        self._api = api
        self._core = core
        self._asr = asr
        self._now = now
        self._tell = tell
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._down = False

    def start(self) -> None:
        """Begin; what another process left undone is done too."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """End; what is on its way is fetched again by another process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """Something is to be fetched."""
        self._news.set()

    async def _live(self) -> None:
        while True:
            self._news.clear()
            try:
                while await self.look():
                    pass
                self._down = False
            except Exception as error:  # noqa: BLE001  # it must go on, whatever a driver raises
                if not self._down:
                    _log.error("wechat_fetch_failed", code=fault_of(error))
                self._down = True
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def look(self) -> int:
        """Fetch what is due; how many files that were. Raises SQLAlchemyError."""
        wanted = await asyncio.to_thread(claim, self._engine, self._now(), AT_ONCE)
        await asyncio.gather(*(self._one(each) for each in wanted))
        return len(wanted)

    async def _one(self, wanted: Wanted) -> None:
        try:
            code = await self._fetched(wanted)
        except WeChatError as error:
            code = await self._not_fetched(wanted, error)
        except (SQLAlchemyError, ConversationError, OSError) as error:
            code = fault_of(error) if isinstance(error, SQLAlchemyError) else "not_kept"
            _log.error("wechat_file_not_kept", code=code, kind=wanted.kind)
        metrics.media.labels(wanted.kind, code).inc()

    async def _fetched(self, wanted: Wanted) -> str:
        media = await self._api.media(wanted.media_id)
        if wanted.kind == VOICE:
            return await self._note(wanted, media)
        code, type_, clean = await asyncio.to_thread(_looked_at, wanted.kind, media.content)
        if type_:
            await self._keep(wanted, type_, clean, media, Note())
        await self._done(wanted, "kept" if type_ else "failed")
        return code

    async def _note(self, wanted: Wanted, media: Media) -> str:
        """A voice note: heard as what was said in it, and kept as sound that browsers play."""
        code, type_, clean, note = "ok", voice.media_type_of(media.content), media.content, Note()
        try:
            pcm = await asyncio.to_thread(voice.decode, media.content)
            type_, clean, note = "audio/wav", wav_of(pcm), Note(duration_ms=duration_ms(pcm))
            if not wanted.heard:
                said = await recognise(self._asr, pcm)
                note = Note(said.text, said.confidence, duration_ms(pcm))
        except VoiceError as error:
            code = error.code
            if code == UNRECOGNISED and self._later(wanted) is not None:
                raise WeChatError(code) from None
        kept = await self._keep(wanted, type_, clean, media, note) if type_ else None
        if not wanted.heard:
            await self._core.hear(_heard(wanted, kept, note))
        await self._done(wanted, "kept" if kept else "failed")
        return code

    async def _keep(
        self, wanted: Wanted, type_: str, clean: bytes, media: Media, note: Note
    ) -> Kept:
        """Keep ``clean``, made from what came."""
        digest, kind = attachments.digest_of(media.content), _KINDS.get(wanted.kind, "file")
        return await asyncio.to_thread(
            attachments.keep, self._engine, self._files, wanted.conversation, wanted.id, kind,
            type_, clean, wanted.at, note=note, digest=digest,
        )  # fmt: skip

    async def _not_fetched(self, wanted: Wanted, error: WeChatError) -> str:
        """Later, if it may come yet; else who spoke is told that nobody understood."""
        next_at = self._later(wanted)
        passing = error.passing or error.code == UNRECOGNISED
        if passing and next_at is not None:
            await asyncio.to_thread(put_off, self._engine, wanted.id, next_at)
            return error.code
        _log.error("wechat_file_lost", code=error.code, errcode=error.errcode, kind=wanted.kind)
        if wanted.kind == VOICE and not wanted.heard:
            await self._core.hear(_heard(wanted, None, Note()))
        await self._done(wanted, "failed")
        return error.code

    def _later(self, wanted: Wanted) -> datetime | None:
        """When to try again. Who spoke waits for an answer: of a note only twice, and soon."""
        if wanted.kind == VOICE and not wanted.heard and wanted.tries >= 3:
            return None
        at = self._now() + timedelta(seconds=AGAIN_S[min(wanted.tries, len(AGAIN_S)) - 1])
        return at if at < wanted.at + KEPT_THERE else None

    async def _done(self, wanted: Wanted, state: str) -> None:
        await asyncio.to_thread(finish, self._engine, wanted.id, state)
        self._tell(wanted.conversation)


def _looked_at(kind: str, data: bytes) -> tuple[str, str, bytes]:
    """What became of a picture or video: a code, its type ('' nothing to keep), what is kept."""
    if kind == "video":
        return ("ok", "video/mp4", data) if data[4:8] == b"ftyp" else ("kind_unknown", "", b"")
    try:
        return "ok", "image/jpeg", pictures.redrawn(data)
    except PictureError as error:
        return error.code, "", b""


def _heard(wanted: Wanted, kept: Kept | None, note: Note) -> Heard:
    """The turn of a voice note; without words it is one that nobody understood."""
    sent = kept.sent() if kept else Attachment("voice")
    return Heard(
        id=wanted.id, conversation=wanted.conversation, channel=_CHANNEL, line=wanted.line,
        kind="speech" if note.text else "event", text=note.text, at=wanted.at,
        confidence=note.confidence, attachments=(sent,),
    )  # fmt: skip


def claim(engine: Engine, now: datetime, limit: int) -> tuple[Wanted, ...]:
    """Lease what is due, the oldest first. Synchronous."""
    due = (WechatMedia.state == "waiting") & (WechatMedia.next_at <= now)
    with reading(engine) as session:
        if session.scalar(select(WechatMedia.id).where(due).limit(1)) is None:
            return ()
    query = select(WechatMedia).where(due).order_by(WechatMedia.next_at).limit(limit)
    with writing(engine) as session:
        rows = session.scalars(query.with_for_update(skip_locked=True)).all()
        found = []
        for row in rows:
            row.tries += 1
            row.next_at = now + LEASE
            talk = session.get_one(Conversation, row.conversation_id)
            heard = session.scalar(
                select(Turn.seq).where(Turn.conversation_id == talk.id, Turn.heard == row.id)
            )
            found.append(
                Wanted(row.id, talk.id, talk.line, row.kind, row.media_id, row.at, row.tries,
                       heard is not None)
            )  # fmt: skip
        return tuple(found)


def put_off(engine: Engine, wanted: str, next_at: datetime) -> None:
    """Try again then. Synchronous."""
    with writing(engine) as session:
        row = session.get(WechatMedia, wanted, with_for_update=FOR_CHANGE)
        if row is not None:
            row.next_at = next_at


def finish(engine: Engine, wanted: str, state: str) -> None:
    """Nothing more is to be fetched; nor could it be found again. Synchronous."""
    with writing(engine) as session:
        row = session.get(WechatMedia, wanted, with_for_update=FOR_CHANGE)
        if row is not None:
            row.state, row.media_id = state, ""
