"""The phone process: the line, its calls, and a health page on the loopback."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
import uvloop
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.join import join, read_city
from config.city import City
from config.errors import ConfigError
from config.listening import SideServer, listen, metrics_route
from config.logs import configure
from config.secret import secret_key
from config.settings import Settings, load_settings
from qianmen.callaudit import call_audit
from qianmen.recorded import city_recordings
from qianmen.rendering import Rendering, begin
from sealing.keys import keyring
from store.engine import StoreError, open_store
from store.seal import SealError
from telephony.call import Call
from telephony.commands import CallControl
from telephony.line import Leg, Line, LineError, LineSettings
from telephony.lost_calls import LostCalls
from telephony.metrics import LineCollector
from telephony.node import Node
from telephony.parts import CallParts
from telephony.priority import take_priority
from telephony.sip.line import SipLine
from tts.sentences import sentences
from tts.speaker import Speaker

if TYPE_CHECKING:
    from telephony.pyvoip.line import PyvoipLine

_log = structlog.get_logger(__name__)
_DRAIN_S = 1.0


def line_settings(settings: Settings) -> LineSettings:
    """The line as the installation's settings want it."""
    return LineSettings(
        host=settings.sip_host,
        port=settings.sip_port,
        public_host=settings.sip_public_host,
        rtp_ports=(settings.rtp_first_port, settings.rtp_last_port),
        allowed_peers=settings.sip_peers,
        max_calls=settings.max_calls,
        max_setups_per_s=settings.max_setups_per_s,
        dead_after_s=settings.dead_after_s,
        session_expires_s=settings.session_expires_s,
        proxy=settings.sip_proxy,
        registrar=settings.sip_registrar,
        user=settings.sip_user,
        password=settings.sip_password,
        realm=settings.sip_realm,
    )


def open_line(settings: Settings) -> SipLine | PyvoipLine:
    """The line by the engine that the settings choose."""
    if settings.line_engine == "pyvoip":
        from telephony.pyvoip.line import PyvoipLine  # pyVoIP is loaded only where it is wanted

        return PyvoipLine(line_settings(settings))
    return SipLine(line_settings(settings))


def standing_prompts(city: City) -> list[str]:
    """Every sentence that can be rendered before anybody calls, the most needed first."""
    prompts = city.prompts
    greeting = prompts.fill("greeting_call", city=city.name)
    fixed = [
        text
        for name, text in prompts.model_dump().items()
        if "{" not in text and not name.endswith("_chat")
    ]
    return [part for text in (greeting, prompts.apology_call, *fixed) for part in sentences(text)]


def node_name(settings: Settings) -> str:
    """What this process is called among those that hold calls: nobody else has its SIP port."""
    return f"{socket.gethostname()}:{settings.sip_port}"


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def serve(settings: Settings) -> None:
    """Take calls until SIGTERM or SIGINT.

    Raises ``LineError`` and ``ConfigError`` ``port_in_use`` where a port cannot be had.
    """
    health = listen(settings.metrics_host, settings.phone_health_port, "QIANMEN_PHONE_HEALTH_PORT")
    city = read_city(settings.city)
    engine = open_store(settings)
    core, bus = join(settings, city, engine)
    bus.start()
    _log.info("phone_priority", realtime=take_priority())
    line = open_line(settings)
    node = Node(
        settings.redis, node_name(settings), _utc_now,
        call_audit(engine, secret_key(settings)),
    )  # fmt: skip
    keys = keyring(settings.data_key)
    async with Speaker(
        settings.speech_dir, settings.speech_voice, settings.speech_speed, keys=keys,
        recordings=await asyncio.to_thread(city_recordings, city),
        command=settings.speech_command, readings=city.readings,
    ) as speaker:  # fmt: skip
        parts = CallParts(
            line=line,
            core=core,
            speaker=speaker,
            city=city,
            asr_url=settings.asr_address,
            recordings=settings.recordings_dir if settings.recording else None,
            pool=ThreadPoolExecutor(1, "recording"),
            now=_utc_now,
            keys=keys,
            office=node,
            node=node.name,
        )

        async def on_call(leg: Leg) -> None:
            await Call(leg, parts).run()

        await speaker.warm(standing_prompts(city))
        await line.start(on_call)
        node.start()
        stop_rendering = begin(Rendering(engine, speaker, standing_prompts(city)))
        measured = LineCollector(line)
        REGISTRY.register(measured)
        try:
            async with CallControl(settings.redis) as registry:
                looking = asyncio.create_task(LostCalls(core, registry, _utc_now).watch())
                try:
                    await _health(health, line)
                finally:
                    looking.cancel()
                    await asyncio.gather(looking, return_exceptions=True)
        finally:
            REGISTRY.unregister(measured)
            stop_rendering()
            await line.stop(_DRAIN_S)
            await node.stop()
            await core.stop()
            await bus.stop()
            parts.pool.shutdown()
            engine.dispose()


async def _health(taken: socket.socket, line: Line) -> None:
    """Answer the health and the metrics page until a signal ends it."""

    async def ready(_request: Request) -> JSONResponse:
        state = {"calls": len(line.legs()), "registration": line.registration}
        return JSONResponse({"ready": True, **state, **line.counters()})

    server = SideServer([Route("/livez", ready), Route("/readyz", ready), metrics_route()])
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    await server.serve(sockets=[taken])


def main() -> int:
    """Run the process; 1 with one clear line where it cannot."""
    try:
        settings = load_settings()
        configure("phone", settings.log_level)
        uvloop.run(serve(settings))
    except (ConfigError, LineError, StoreError, SealError) as error:
        _log.error("phone_cannot_start", code=error.code, reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
