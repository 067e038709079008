"""The trained network as Kaldi's `am/final.mdl`, normalisations folded into the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from asr.starter.features import DIMENSION
from asr.starter.kaldi_io import BINARY_HEADER
from asr.starter.nnet3 import AffineLayer, tdnn
from asr.starter.topology import transition_model
from asr.starter.train import BLANK, LAYERS

BLANK_BIAS = -4.5
"""Added to the blank's score: CTC leaves too little room for phones under a language model."""
_BATCH_NORM_EPSILON = 1e-5

Weights = Mapping[str, NDArray[np.float64]]


def _taps(kernel: int, spacing: int) -> tuple[int, ...]:
    return tuple((tap - kernel // 2) * spacing for tap in range(kernel))


def _layers(weights: Weights) -> tuple[list[AffineLayer], AffineLayer]:
    """Hidden layers and output; `scale` and `shift` are what precedes each layer's weights."""
    scale, shift = 1 / weights["deviation"], -weights["mean"] / weights["deviation"]
    hidden: list[AffineLayer] = []
    frames = 1  # input frames between neighbouring frames of this depth
    for number, layer in enumerate(LAYERS):
        kernel = weights[f"convolutions.{number}.weight"]  # outputs × inputs × taps
        bias = weights[f"convolutions.{number}.bias"] + np.einsum("oit,i->o", kernel, shift)
        scaled = kernel * scale[None, :, None]
        flat = np.concatenate([scaled[:, :, tap] for tap in range(layer.kernel)], axis=1)
        hidden.append(AffineLayer(flat, bias, _taps(layer.kernel, layer.dilation * frames)))
        norm = f"norms.{number}"
        variance = weights[f"{norm}.running_var"] + _BATCH_NORM_EPSILON
        scale = weights[f"{norm}.weight"] / np.sqrt(variance)
        shift = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
        frames *= layer.stride
    last = weights["output.weight"][:, :, 0]
    bias = weights["output.bias"] + last @ shift
    bias[BLANK] += BLANK_BIAS
    return hidden, AffineLayer(last * scale[None, :], bias, (0,))


def acoustic_model(checkpoint: Path) -> bytes:
    """`am/final.mdl` of the weights that `train.train` wrote."""
    state = torch.load(checkpoint, weights_only=True)
    weights = {name: value.double().numpy() for name, value in state.items()}
    hidden, output = _layers(weights)
    return BINARY_HEADER + transition_model() + tdnn(hidden, output, DIMENSION)
