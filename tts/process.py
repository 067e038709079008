"""The synthesiser process seen from the phone: started when needed, restarted when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tts.errors import TtsError
from tts.frames import HEADER, FrameError, Request, dump_request, frame_length, framed, load_answer

TIMEOUT_S = 5.0
"""Far above what the longest answer takes; what is slower hangs."""
STARTING_S = 15.0
"""For the first sentence of a child: it reads its dictionary, on a busy machine for seconds."""
_ROOT = Path(__file__).resolve().parent.parent
_COMMAND = (sys.executable, "-m", "tts.worker")


def worker(command: str = "") -> tuple[str, ...]:
    """How the synthesiser process is started; ``command``: the city's own synthesiser's."""
    return (*_COMMAND, *shlex.split(command))


class _ChildDiedError(Exception):
    """The child is gone, or speaks no frames."""


class SynthesisProcess:
    """One child process; requests stand in line."""

    def __init__(self, command: Sequence[str] = _COMMAND, timeout_s: float = TIMEOUT_S) -> None:
        self._command = command
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id while one is there."""
        return self._child.pid if self._child else None

    async def speak(self, request: Request) -> bytes:
        """Sound (s16le, 8 kHz); raises `TtsError`. A child that died is replaced once."""
        async with self._lock:
            try:
                return await self._attempt(request)
            except _ChildDiedError:
                pass
            try:
                return await self._attempt(request)
            except _ChildDiedError as error:
                raise TtsError("tts_failed", f"the synthesiser died ({error})") from None

    async def close(self) -> None:
        """End the child."""
        async with self._lock:
            await self._end()

    async def _attempt(self, request: Request) -> bytes:
        try:
            patience_s = self._timeout_s if self._child else max(self._timeout_s, STARTING_S)
            async with asyncio.timeout(patience_s):
                return await self._exchange(request)
        except TtsError:
            raise
        except TimeoutError:
            await self._end()
            raise TtsError("tts_timeout", "the synthesiser does not answer") from None
        except (OSError, EOFError, FrameError) as error:
            await self._end()
            raise _ChildDiedError(type(error).__name__) from None
        except asyncio.CancelledError:
            await self._end()  # else its answer would be taken for the next request's
            raise

    async def _exchange(self, request: Request) -> bytes:
        child = self._child or await self._start()
        if child.stdin is None or child.stdout is None:
            raise OSError("no pipes")
        child.stdin.write(framed(dump_request(request)))
        await child.stdin.drain()
        header = await child.stdout.readexactly(HEADER.size)
        pcm, code = load_answer(await child.stdout.readexactly(frame_length(header)))
        if code:
            raise TtsError(code, "the synthesiser refused the text or the voice")
        return pcm

    async def _start(self) -> asyncio.subprocess.Process:
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        return self._child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()
