"""Kaldi nnet3 networks (kaldi/src/nnet3), written as libvosk reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.starter.kaldi_io import compressed_matrix, float32, int32, matrix, token, vector

FloatMatrix = NDArray[np.float64]


@dataclass(frozen=True)
class AffineLayer:
    """outputs × (inputs · offsets) weights, a bias, and the frame offsets the inputs come from."""

    weights: FloatMatrix
    bias: FloatMatrix
    offsets: tuple[int, ...]


def _fixed_affine(layer: AffineLayer, *, compress: bool) -> bytes:
    weights = compressed_matrix(layer.weights) if compress else matrix(layer.weights)
    return (
        token("<FixedAffineComponent>")
        + token("<LinearParams>")
        + weights
        + token("<BiasParams>")
        + vector(layer.bias)
        + token("</FixedAffineComponent>")
    )


def _relu(size: int) -> bytes:
    return (
        token("<RectifiedLinearComponent>")
        + token("<Dim>")
        + int32(size)
        + token("<ValueAvg>")
        + vector([])
        + token("<DerivAvg>")
        + vector([])
        + token("<Count>")
        + float32(0)
        + token("</RectifiedLinearComponent>")
    )


def _spliced(node: str, offsets: tuple[int, ...]) -> str:
    if offsets == (0,):
        return node
    parts = [node if offset == 0 else f"Offset({node}, {offset})" for offset in offsets]
    return f"Append({', '.join(parts)})"


def tdnn(hidden: Sequence[AffineLayer], output: AffineLayer, inputs: int) -> bytes:
    """An acoustic model body: hidden layers with ReLU in two bytes a weight, a linear output."""
    config = [f"input-node name=input dim={inputs}"]
    components: list[tuple[str, bytes]] = []
    node = "input"
    for number, layer in enumerate(hidden):
        affine, relu = f"l{number}.affine", f"l{number}.relu"
        config.append(
            f"component-node name={affine} component={affine} input={_spliced(node, layer.offsets)}"
        )
        config.append(f"component-node name={relu} component={relu} input={affine}")
        components.append((affine, _fixed_affine(layer, compress=True)))
        components.append((relu, _relu(len(layer.bias))))
        node = relu
    config.append(f"component-node name=out.affine component=out.affine input={node}")
    config.append("output-node name=output input=out.affine objective=linear")
    components.append(("out.affine", _fixed_affine(output, compress=False)))
    left = -sum(min(layer.offsets) for layer in hidden)
    right = sum(max(layer.offsets) for layer in hidden)
    return (
        token("<Nnet3>")
        + b"\n"
        + ("\n".join(config) + "\n\n").encode()
        + token("<NumComponents>")
        + int32(len(components))
        + b"".join(token("<ComponentName>") + token(name) + body for name, body in components)
        + token("</Nnet3>")
        + token("<LeftContext>")
        + int32(left)
        + token("<RightContext>")
        + int32(right)
        + token("<Priors>")
        + vector([])
    )
