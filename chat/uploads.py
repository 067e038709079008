"""Photos and voice notes: they come by HTTP, each one a message of the chat.

The answer 200 is the message's acknowledgement: file and turn stand. What is told to it comes over
the socket. The same id again answers the same and keeps nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import ConversationError
from chat import metrics
from chat.attachments import Kept, Note, digest_of, keep, kept_of
from chat.door import Door
from chat.frame import is_id
from chat.limits import wait_told
from chat.pictures import PictureError, redrawn
from chat.saying import CHANNEL
from chat.session import ChatSession
from chat.voice import LONGEST_S, VoiceError, decode, duration_ms, media_type_of, recognise
from store.faults import fault_of
from turns.heard import Heard

UploadKind = Literal["photo", "voice"]
MOST_BYTES: dict[UploadKind, int] = {"photo": 10 * 1024 * 1024, "voice": 2 * 1024 * 1024}
AT_ONCE = 2
"""So many are decoded at a time: each takes a core and, for a photo, up to 150 MB."""
_TEXTS = {
    "session_missing": "页面放得太久了，请刷新以后再发。",
    "origin_refused": "请从热线的网页发送。",
    "frame_malformed": "没有发成功，请刷新页面再试。",
    "too_big": "文件太大了。照片最大10兆，语音最长一分钟。",
    "kind_unknown": "这种文件看不了。照片请用 JPG、PNG 格式，语音请重新录一次。",
    "picture_heic": "这是苹果手机的HEIC格式，这里打不开。请把照片截个图再发。",
    "picture_broken": "这张照片打不开，请换一张。",
    "picture_too_large": "这张照片太大了，请换一张小一点的。",
    "sound_broken": "这段语音听不了，请重新录一次。",
    "sound_too_long": f"语音太长了，最长{LONGEST_S:.0f}秒，请分成几段。",
    "sound_empty": "没有听到说话，请靠近话筒再说一次，或者打字。",
    "asr_unreachable": "现在听不了语音，请打字告诉我。",
    "ended": "这次对话已经结束了，请开始新的对话。",
    "store_down": "系统正在恢复，还没有送到，请稍后再发一次。",
    "disk_full": "系统正在恢复，还没有送到，请稍后再发一次。",
}
_STATUS = {
    "session_missing": 401, "origin_refused": 403, "too_big": 413, "kind_unknown": 415,
    "picture_heic": 415,
    "too_fast": 429, "ended": 409, "store_down": 503, "asr_unreachable": 503, "disk_full": 503,
}  # fmt: skip
_log = structlog.get_logger(__name__)


class UploadError(Exception):
    """A file that was not taken; ``code`` is stable, ``text`` for the citizen."""

    def __init__(self, code: str, text: str = "", wait_s: float = 0) -> None:
        super().__init__(code)
        self.code = code
        self.text = text or _TEXTS.get(code, _TEXTS["frame_malformed"])
        self.wait_s = wait_s

    @property
    def status(self) -> int:
        """As HTTP says it."""
        return _STATUS.get(self.code, 422)

    @property
    def retry(self) -> bool:
        """Whether the same may come again."""
        return self.status in (429, 503)


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes the files of one web process's citizens."""

    door: Door
    busy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def session(self, token: str) -> ChatSession:
        """Whose file it is; raises :class:`UploadError` ``session_missing``."""
        session = self.door.sessions.read(token, self.door.now())
        if session is None:
            raise UploadError("session_missing")
        return session

    async def take(
        self, session: ChatSession, address: str, kind: UploadKind, known: str, line: str,
        body: AsyncIterator[bytes],
    ) -> dict[str, Any]:  # fmt: skip
        """One file, read, kept and heard; raises :class:`UploadError`."""
        door = self.door
        if not is_id(known):
            raise UploadError("frame_malformed")
        wait_s = door.limits.upload(session.citizen, address, door.clock())
        if wait_s:
            raise door_slow(door, wait_s)
        data = await bounded(body, MOST_BYTES[kind])
        try:
            kept = await asyncio.to_thread(
                kept_of, door.engine, session.conversation, known
            ) or await self._keep(session, kind, known, data)
            await self._hear(session, kept, line)
        except (SQLAlchemyError, ConversationError) as error:
            code = getattr(error, "code", "store_down")
            _log.error("upload_failed", code=code, fault=fault_of(error))
            raise UploadError("ended" if code == "conversation_unknown" else "store_down") from None
        except OSError as error:
            _log.error("upload_failed", code="disk_full", errno=error.errno)
            raise UploadError("disk_full") from None
        metrics.messages.labels(kind).inc()
        return answer(kept)

    async def _keep(self, session: ChatSession, kind: UploadKind, known: str, data: bytes) -> Kept:
        made = await (self._photo(data) if kind == "photo" else self._voice(data))
        media_type, clean, note = made
        door = self.door
        return await asyncio.to_thread(
            keep, door.engine, door.files, session.conversation, known, kind, media_type, clean,
            door.now(), note=note, digest=digest_of(data),
        )  # fmt: skip

    async def _photo(self, data: bytes) -> tuple[str, bytes, Note]:
        async with self.busy:
            try:
                return "image/jpeg", await asyncio.to_thread(redrawn, data), Note()
            except PictureError as error:
                raise UploadError(error.code) from None

    async def _voice(self, data: bytes) -> tuple[str, bytes, Note]:
        try:
            async with self.busy:
                pcm = await asyncio.to_thread(decode, data)
            words = await recognise(self.door.asr, pcm)
        except VoiceError as error:
            if error.code == "asr_unreachable":
                _log.error("voice_not_recognised", code=error.code)
            raise UploadError(error.code) from None
        note = Note(words.text, words.confidence, duration_ms(pcm))
        return media_type_of(data), data, note

    async def _hear(self, session: ChatSession, kept: Kept, line: str) -> None:
        """The turn that the file is; one that is written down already is dropped."""
        voice = kept.kind == "voice"
        heard = Heard(
            id=kept.heard, conversation=session.conversation, channel=CHANNEL, line=line,
            kind="speech" if voice else "event", text=kept.text, at=self.door.now(),
            confidence=kept.confidence, attachments=(kept.sent(),),
        )  # fmt: skip
        await self.door.conversations.hear(heard)


def door_slow(door: Door, wait_s: float) -> UploadError:
    """It was too fast; when it will do."""
    text = door.city.prompts.fill("too_fast", wait=wait_told(wait_s))
    return UploadError("too_fast", text, wait_s)


async def bounded(body: AsyncIterator[bytes], most: int) -> bytes:
    """What comes; raises :class:`UploadError` ``too_big`` beyond ``most`` bytes."""
    data = bytearray()
    async for piece in body:
        data += piece
        if len(data) > most:
            raise UploadError("too_big")
    return bytes(data)


def answer(kept: Kept) -> dict[str, Any]:
    """What the page is told of its file."""
    return {
        "id": kept.heard, "kind": kept.kind, "attachment": kept.id, "media_type": kept.media_type,
        "text": kept.text, "confidence": round(kept.confidence, 2),
        "duration_ms": kept.duration_ms,
    }  # fmt: skip
