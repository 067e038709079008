"""MFCC as Vosk computes them from `conf/mfcc.conf`: 40 a frame, 100 frames a second."""

from __future__ import annotations

import kaldi_native_fbank as knf
import numpy as np
from numpy.typing import NDArray

from asr.starter.telephone import SAMPLE_RATE, Samples

DIMENSION = 40
"""Coefficients a frame."""

_LOW_HZ, _HIGH_HZ = 40, -200  # negative: below half the sample rate

MFCC_CONF = f"""\
--use-energy=false
--sample-frequency={SAMPLE_RATE}
--num-mel-bins={DIMENSION}
--num-ceps={DIMENSION}
--low-freq={_LOW_HZ}
--high-freq={_HIGH_HZ}
--allow-upsample=true
--allow-downsample=true
--dither=0
"""


def _options() -> knf.MfccOptions:
    options = knf.MfccOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = True
    options.num_ceps = DIMENSION
    options.use_energy = False
    options.mel_opts.num_bins = DIMENSION
    options.mel_opts.low_freq = _LOW_HZ
    options.mel_opts.high_freq = _HIGH_HZ
    return options


def mfcc(samples: Samples) -> NDArray[np.float32]:
    """Frames × 40 coefficients of samples in -1..1 at 8000 Hz."""
    extractor = knf.OnlineMfcc(_options())
    extractor.accept_waveform(SAMPLE_RATE, (samples * 32768).astype(np.float32).tolist())
    extractor.input_finished()
    frames = [extractor.get_frame(i) for i in range(extractor.num_frames_ready)]
    return np.stack(frames) if frames else np.zeros((0, DIMENSION), np.float32)
