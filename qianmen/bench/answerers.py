"""Who answers the load: our line, stock pyVoIP and baresip-python, each as it is meant to be used.

Each takes every call and sends sound (a hum) until it is ended; nothing is recognised, recorded
or decided. ``python -m qianmen.bench.answerers NAME LOAD-PORT`` prints the SIP port once it
answers; LOAD-PORT is where the load's SIP will come from.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import logging
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from qianmen.bench.realtime import take_option
from qianmen.citizen import sip

HOST = "127.0.0.1"
RTP_PORTS = {"qianmen": (20000, 28999), "pyvoip": (30000, 38999)}
_SECONDS = 5


def hum() -> bytes:
    """Five seconds of s16le sound that goes on without a step."""
    at = np.arange(8000 * _SECONDS) / 8000
    return bytes((3000 * np.sin(2 * np.pi * 200 * at)).astype("<i2").tobytes())


def ready(port: int) -> None:
    """Tell where the calls are taken."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


async def qianmen(recordings: Path | None = None) -> None:
    """The default line engine, on uvloop as the phone process runs it; also with recording."""
    import structlog

    from telephony.line import Ended, Frame, Leg, LineSettings
    from telephony.recording import Recorder
    from telephony.sip.line import SipLine

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sound, pool = hum(), ThreadPoolExecutor(1)

    def heard(_: Frame) -> None:
        """What the recogniser would be given."""

    async def on_call(leg: Leg) -> None:
        await leg.answer()
        leg.on_audio(heard)
        if recordings is not None:
            Recorder(leg, recordings / f"{secrets.token_hex(8)}.flac", pool)
        playing = leg.play(sound)
        again = asyncio.create_task(_keep_playing(leg, playing, sound))
        try:
            async for event in leg.events():
                if isinstance(event, Ended):
                    return
        finally:
            again.cancel()

    line = SipLine(
        LineSettings(host=HOST, port=0, rtp_ports=RTP_PORTS["qianmen"], max_calls=100_000)
    )
    await line.start(on_call)
    ready(line.address[1])
    await asyncio.Event().wait()


async def _keep_playing(leg: Any, playing: Any, sound: bytes) -> None:
    while leg.ended is None:
        following = leg.play(sound)
        await playing.done
        playing = following


async def baresip() -> None:
    """With its default source of sound, which nobody writes to: it does best so (measured beside
    its tone generator and its player of files), and no Python is in the way of its packets."""
    library = importlib.import_module("baresip")
    port = free_port()
    runtime = library.Runtime()
    config = library.Config(
        net_interface=HOST, max_concurrent_calls=None,
        native_log_level="error", extra_config_text=f"sip_listen {HOST}:{port}\n",
    )  # fmt: skip
    await runtime.start(config)
    account = library.Account("12345", f"{HOST}:{port}", "", reg_interval=0, audio_codecs=("pcma",))
    agent = await library.UserAgent.create(runtime, account)
    tasks: set[asyncio.Task[None]] = set()

    def incoming(call: Any) -> None:
        task = asyncio.ensure_future(_taken(call))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    agent.on_incoming(incoming)
    ready(port)
    await asyncio.Event().wait()


async def _taken(call: Any) -> None:
    with contextlib.suppress(Exception):  # a call that is gone already is the load's to count
        await call.answer()


def pyvoip(load_port: int) -> None:
    """pyVoIP as it is: a thread a call, its own sender and receiver.

    It talks to the exchange that it is registered at and nobody else: that is the load, and until
    it is there a stand-in at its port.
    """
    library = importlib.import_module("pyVoIP.VoIP")
    exchange = udp(load_port)
    threading.Thread(target=_register, args=(exchange,), daemon=True).start()
    sound = bytes(((np.frombuffer(hum(), "<i2") >> 8) + 128).astype(np.uint8).tobytes())

    def on_call(call: Any) -> None:
        with contextlib.suppress(Exception):  # as above
            call.answer()
            while call.state == library.CallState.ANSWERED:
                call.write_audio(sound)
                for _ in range(_SECONDS * 10):
                    if call.state != library.CallState.ANSWERED:
                        return
                    time.sleep(0.1)

    port = free_port()
    low, high = RTP_PORTS["pyvoip"]
    phone = library.VoIPPhone(
        HOST, load_port, "12345", "secret", callCallback=on_call, myIP=HOST,
        sipPort=port, rtpPortLow=low, rtpPortHigh=high,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        phone.start()
    exchange.close()
    ready(port)
    threading.Event().wait()


def _register(exchange: socket.socket) -> None:
    """200 to the first REGISTER."""
    data, source = exchange.recvfrom(8192)
    exchange.sendto(sip.render(sip.reply(sip.parse(data), 200, "OK")), source)


def udp(port: int = 0) -> socket.socket:
    """A UDP socket, on a free port unless given."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((HOST, port))
    return sock


def free_port() -> int:
    """A port that was free a moment ago."""
    with udp() as sock:
        return int(sock.getsockname()[1])


def _on_uvloop(*, records: bool) -> None:
    import uvloop

    with TemporaryDirectory(prefix="qianmen-bench-") as folder:
        uvloop.run(qianmen(Path(folder) if records else None))


ANSWERERS: dict[str, Callable[[int], None]] = {
    "qianmen": lambda _: _on_uvloop(records=False),
    "recording": lambda _: _on_uvloop(records=True),
    "baresip": lambda _: asyncio.run(baresip()),
    "pyvoip": pyvoip,
}


def main() -> int:
    """Answer until killed."""
    name, load_port = take_option(sys.argv[1:])
    # What a library prints must not come between the figures and their reader.
    with Path("/dev/null").open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        ANSWERERS[name](int(load_port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
