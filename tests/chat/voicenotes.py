"""Voice notes as browsers and WeChat send them, made on the spot."""

from __future__ import annotations

import io

import av
import numpy as np

KINDS = (
    ("webm", "libopus", 48000), ("ogg", "libopus", 48000), ("mp4", "aac", 44100),
    ("wav", "pcm_s16le", 16000), ("amr", "libopencore_amrnb", 8000),
)  # fmt: skip


def note(
    kind: str = "webm", codec: str = "libopus", rate: int = 48000, seconds: float = 2
) -> bytes:
    """A hum of ``seconds`` in the container ``kind``."""
    out = io.BytesIO()
    at = np.arange(int(rate * seconds)) / rate
    hum = (8000 * np.sin(2 * np.pi * 300 * at)).astype("<i2")
    with av.open(out, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(hum.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        wanted = stream.codec_context.format.name
        resampler = av.AudioResampler(format=wanted, layout="mono", rate=rate)
        for made in (*resampler.resample(frame), None):
            for packet in stream.encode(made):
                container.mux(packet)
    return out.getvalue()
