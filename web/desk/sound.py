"""An answer as it sounds on the telephone, for whoever writes it."""

from __future__ import annotations

import time

from chat.limits import Limiter, Rate
from config.settings import Settings
from sealing.keys import keyring
from tts.errors import TtsError
from tts.sentences import sentences
from tts.speaker import Speaker
from tts.wav import RATE_HZ, wav_of

_PAUSE = b"\0\0" * (RATE_HZ * 3 // 10)
"""Between sentences: 300 ms."""
LISTENING = Rate(burst=12, per_s=0.5)
"""For one member of the staff: synthesis shares the processor with calls."""


class Sound:
    """Speaks texts in the voice of the telephone; its synthesiser starts with the first one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._speaker: Speaker | None = None
        self._limiter = Limiter(LISTENING)

    def allows(self, login: str) -> bool:
        """Whether ``login`` may listen again by now."""
        return self._limiter.allow(login, time.monotonic())

    async def wav(self, text: str) -> bytes:
        """``text`` as a WAV file: 8 kHz, 16 bit, mono. Raises :class:`TtsError`."""
        speaker = self._ready()
        spoken = [await speaker.render(sentence) for sentence in sentences(text)]
        if not spoken:
            raise TtsError("tts_failed", "nothing to say")
        return wav_of(_PAUSE.join(spoken))

    async def close(self) -> None:
        """End the synthesiser, if it was ever started."""
        if self._speaker is not None:
            await self._speaker.close()

    def _ready(self) -> Speaker:
        if self._speaker is None:
            settings = self._settings
            keys = keyring(settings.data_key)
            self._speaker = Speaker(
                settings.speech_dir, settings.speech_voice, settings.speech_speed, keys=keys,
                command=settings.speech_command,
            )  # fmt: skip
        return self._speaker
