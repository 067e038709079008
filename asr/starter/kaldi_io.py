"""Kaldi's binary object format (kaldi/src/base/io-funcs.h), as far as a model needs it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

BINARY_HEADER = b"\0B"


def token(name: str) -> bytes:
    """A token such as <Nnet3>."""
    return name.encode() + b" "


def int32(value: int) -> bytes:
    """An integer with its size in front."""
    return b"\x04" + struct.pack("<i", value)


def float32(value: float) -> bytes:
    """A float with its size in front."""
    return b"\x04" + struct.pack("<f", value)


def int32_vector(values: Sequence[int]) -> bytes:
    """A std::vector<int32>."""
    return int32(len(values)) + np.asarray(values, "<i4").tobytes()


def vector(values: ArrayLike) -> bytes:
    """A Vector<float>."""
    array = np.asarray(values, "<f4")
    return token("FV") + int32(len(array)) + array.tobytes()


def matrix(values: ArrayLike) -> bytes:
    """A Matrix<float>, rows first."""
    array = np.asarray(values, "<f4")
    return token("FM") + int32(array.shape[0]) + int32(array.shape[1]) + array.tobytes()


def compressed_matrix(values: ArrayLike) -> bytes:
    """A CompressedMatrix of two bytes an element over the matrix's whole range (format CM2).

    One byte (CM3) is too coarse here: folded batch normalisation leaves a few weights a hundred
    times larger than the rest, and recognition breaks down.
    """
    array = np.asarray(values, "<f4")
    low = float(array.min())
    span = float(array.max()) - low or 1e-6
    codes = np.clip(np.round((array - low) / span * 65535), 0, 65535).astype("<u2")
    return token("CM2") + struct.pack("<ffii", low, span, *array.shape) + codes.tobytes()
