"""An agent's telephone for demonstrations and tests: takes every call, greets, listens.

``python -m qianmen.agent_phone --port 5070`` prints one line when it is ready and runs until
SIGTERM or SIGINT. It stands on the product's own line engine: pyVoIP as an answering telephone
answers a repeated INVITE twice and a CANCEL not at all.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from config.logs import configure
from qianmen.citizen.ear import Ear, Utterance
from telephony.line import Ended, Frame, Leg, LineError, LineSettings
from telephony.sip.line import SipLine
from tts.say import synthesise

GREETING = "您好，我是坐席，您刚才说的我都看到了。"
SETTLES_S = 1.2
"""Somebody lifts the receiver, then speaks: longer than a pause inside a sentence."""


@dataclass
class AgentCall:
    """One call that the agent took: who called, what was heard, how it ended."""

    caller: str
    ear: Ear = field(default_factory=Ear)
    greeted: bool = False
    ended: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def heard(self) -> tuple[Utterance, ...]:
        """What the other side said."""
        return self.ear.utterances


@dataclass
class AgentPhone:
    """The telephone; ``calls`` is what happened at it."""

    greeting: bytes
    calls: list[AgentCall] = field(default_factory=list)
    address: tuple[str, int] = ("", 0)

    async def take(self, leg: Leg) -> None:
        """Answer, greet, listen, until the other side hangs up."""
        call = AgentCall(leg.caller)
        self.calls.append(call)
        await leg.ring()
        await leg.answer()

        def hear(frame: Frame) -> None:
            call.ear.feed(frame.pcm)

        leg.on_audio(hear)
        speaking = asyncio.create_task(self._greet(leg, call))
        try:
            async for event in leg.events():
                if isinstance(event, Ended):
                    call.ended = event.cause
                    call.over.set()
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _greet(self, leg: Leg, call: AgentCall) -> None:
        await asyncio.sleep(SETTLES_S)
        await leg.play(self.greeting).done
        call.greeted = leg.ended is None


@asynccontextmanager
async def agent_phone(
    port: int = 5070, host: str = "127.0.0.1", greeting: str = GREETING
) -> AsyncIterator[AgentPhone]:
    """A telephone at ``sip:agents@HOST:PORT`` (port 0: any free one; ``address`` tells).

    Raises ``telephony.line.LineError`` where the port cannot be had.
    """
    phone = AgentPhone(synthesise(greeting, "cmn+f3"))
    settings = LineSettings(host=host, port=port, rtp_ports=(21_000, 21_199), max_calls=20)
    line = SipLine(settings)
    await line.start(phone.take)
    phone.address = line.address
    try:
        yield phone
    finally:
        await line.stop()


async def _serve(port: int, host: str) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with agent_phone(port, host) as phone:
            sys.stdout.write(f"ready sip:agents@{phone.address[0]}:{phone.address[1]}\n")
            sys.stdout.flush()
            await stop.wait()
    except LineError as error:
        sys.stderr.write(f"{error.code}: {error}\n")
        return 1
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop; 1 where the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m qianmen.agent_phone", description=__doc__)
    parser.add_argument("--port", type=int, default=5070)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args(arguments)
    configure("agent_phone", "warning")  # standard output carries the ready line alone
    return asyncio.run(_serve(options.port, options.host))


if __name__ == "__main__":
    sys.exit(main())
