"""WeChat's replies while the bot stalls, on a web process of their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from config.settings import Settings
from qianmen.bench.figures import Figure
from qianmen.bench.idle import HOST, free_port, own_web
from qianmen.wechatsim.setup import PATH, made
from qianmen.wechatsim.stalled import stalled_replies

GOAL_S = 5
_FIELDS = ("wechat_appid", "wechat_secret", "wechat_token", "wechat_aes_key",
           "wechat_aes_key_before", "wechat_api")  # fmt: skip


async def wechat_stalled(settings: Settings, citizens: int) -> tuple[Figure, ...]:
    """Each of ``citizens`` writes once, pushed three times over, while Rasa answers nobody."""
    settings = made(settings, free_port())
    account = {f"QIANMEN_{name.upper()}": str(getattr(settings, name)) for name in _FIELDS}
    with TemporaryDirectory(prefix="qianmen-bench-") as folder:
        async with _stalling() as (rasa, release):
            more = {**account, "QIANMEN_RASA_SERVER": rasa, "QIANMEN_RASA_TIMEOUT_S": "10"}
            async with own_web(settings, Path(folder), more) as (port, _):
                done = await asyncio.to_thread(
                    stalled_replies, settings, citizens=citizens, release=release,
                    address=f"http://{HOST}:{port}{PATH}",
                )  # fmt: skip
    share = 100 * done.in_time / max(done.pushes, 1)
    return (
        Figure("WeChat pushes under 5 s, bot stalled", round(share, 1), "%", "100"),
        Figure("WeChat slowest push, bot stalled", round(done.slowest_s, 2), "s", f"< {GOAL_S}"),
        Figure("WeChat citizens with one answer each", done.one_answer, "", f"{citizens}"),
        Figure("WeChat breaches of the platform's rules", len(done.breaches), "", "0"),
    )


@contextlib.asynccontextmanager
async def _stalling() -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """A Rasa that takes every question and answers none until it is released; then it is gone."""
    loop, held = asyncio.get_running_loop(), asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while not held.is_set() and await reader.read(4096):
                await held.wait()
        writer.close()

    server = await asyncio.start_server(take, HOST, 0)
    try:
        port = server.sockets[0].getsockname()[1]

        def release() -> None:
            loop.call_soon_threadsafe(held.set)

        yield f"http://{HOST}:{port}", release
    finally:
        held.set()
        server.close()
