"""One client's WebSocket: its messages in order, answers as it asked for them."""

from __future__ import annotations

from time import perf_counter

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from asr import protocol
from asr.activity import SileroPool
from asr.metrics import StreamMeasure
from asr.protocol import Complete, Config, Configure, Eof, Expect, ProtocolError, Reset
from asr.recogniser import SAMPLE_RATE, Recogniser, RecogniserError, Words
from asr.resampling import Resampler
from asr.session import Session
from turns.voice import TurnEnded, VoiceEvent
from turns.wire import dump

log = structlog.get_logger()


class Connection:
    """Speaks the protocol of `asr.protocol` to one client."""

    def __init__(self, socket: ServerConnection, session: Session, measure: StreamMeasure) -> None:
        self._socket = socket
        self._session = session
        self._measure = measure
        self._turns = 0
        self._config = Config()
        self._resampler = Resampler(SAMPLE_RATE, SAMPLE_RATE)

    async def run(self) -> None:
        """Serve until the client leaves or says eof."""
        try:
            async for message in self._socket:
                if isinstance(message, bytes):
                    await self._hear(message)
                elif await self._obey(message):
                    return
        except ConnectionClosed:
            return
        except (ProtocolError, RecogniserError) as error:
            await self._fail(error.code)
        finally:
            heard_s = self._session.heard_bytes / (2 * SAMPLE_RATE)
            log.info("asr_stream_ended", seconds=round(heard_s, 1), turns=self._turns)

    async def _obey(self, text: str) -> bool:
        """Do what a text message asks; True when the stream is over."""
        match protocol.parse(text):
            case Configure(config=config):
                await self._configure(config)
            case Expect(expect=expects, grammar=grammar):
                await self._session.expect(expects, grammar)
            case Complete(complete=text):
                self._session.complete(text)
            case Reset():
                await self._session.reset()
                if not self._config.events:
                    await self._socket.send(protocol.result(Words()))
            case Eof():
                words = await self._session.finish()
                await self._socket.send(protocol.result(words, with_words=self._config.words))
                return True
        return False

    async def _configure(self, config: Config) -> None:
        self._config = config
        if config.conversation:
            structlog.contextvars.bind_contextvars(conversation=config.conversation)
        self._resampler = Resampler(config.sample_rate, SAMPLE_RATE)
        if config.phrase_list:
            await self._session.expect("open", config.phrase_list)

    async def _hear(self, pcm: bytes) -> None:
        if len(pcm) % 2:
            raise ProtocolError("odd_bytes")
        began, before = perf_counter(), self._session.heard_bytes
        events = await self._session.feed(self._resampler.push(pcm))
        self._measure.heard(self._session.heard_bytes - before, perf_counter() - began)
        self._turns += sum(isinstance(event, TurnEnded) for event in events)
        if self._config.events:
            for event in events:
                await self._socket.send(protocol.dumps({"event": dump(event)}))
            await self._socket.send(protocol.dumps({"heard": self._session.heard_bytes}))
        else:
            await self._socket.send(self._stock_answer(events))

    def _stock_answer(self, events: list[VoiceEvent]) -> str:
        ended = [event for event in events if isinstance(event, TurnEnded)]
        if not ended:
            return protocol.dumps({"partial": self._session.text})
        words = Words(tuple(word for turn in ended for word in turn.words))
        return protocol.result(words, with_words=self._config.words)

    async def _fail(self, code: str) -> None:
        log.warning("asr_stream_failed", code=code)
        try:
            await self._socket.send(protocol.dumps({"error": code}))
            await self._socket.close(1008 if code != "asr_lost" else 1011, code)
        except ConnectionClosed:
            return


async def serve_client(socket: ServerConnection, recogniser: Recogniser, pool: SileroPool) -> None:
    """Serve one client with a stream and a voice activity of its own."""
    stream = await recogniser.open()
    try:
        with pool.lend() as activity, StreamMeasure() as measure:
            await Connection(socket, Session(stream, activity), measure).run()
    finally:
        await stream.close()
