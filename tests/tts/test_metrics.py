"""Where sentences come from is counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from tests.tts.test_speaker import CountingSynthesiser
from tts.errors import TtsError
from tts.speaker import Speaker


def renderings() -> dict[str, float]:
    name = "qianmen_speech_renderings_total"
    sources = ("cache", "synthesised", "joined", "failed")
    return {s: REGISTRY.get_sample_value(name, {"source": s}) or 0.0 for s in sources}


async def test_the_cache_the_synthesiser_and_its_failures(tmp_path: Path) -> None:
    before = renderings()
    async with Speaker(tmp_path, synthesiser=CountingSynthesiser()) as speaker:
        await speaker.render("您好")
        await speaker.render("您好")
    broken = CountingSynthesiser(TtsError("tts_failed", "as told"))
    async with Speaker(tmp_path, synthesiser=broken) as speaker:
        with pytest.raises(TtsError):
            await speaker.render("再见")
    after = renderings()
    assert {source: after[source] - before[source] for source in after} == {
        "cache": 1, "synthesised": 1, "joined": 0, "failed": 1,
    }  # fmt: skip
