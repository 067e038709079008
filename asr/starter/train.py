"""The acoustic network, and its training with CTC on one CPU core (PyTorch).

A TDNN: convolutions over time with ReLU and batch normalisation, so that every layer can be
written as Kaldi nnet3 components (`asr.starter.export`). One output frame per three input frames.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
import torch
import torch.nn.functional as F  # noqa: N812 - the name PyTorch users know
from numpy.typing import NDArray
from torch import Tensor, nn

from asr.starter.distance import edit_distance
from asr.starter.features import DIMENSION
from asr.starter.phones import PHONES

log = structlog.get_logger(__name__)

BLANK = 0
"""CTC's blank; phone k of `PHONES` is output k + 1."""
OUTPUTS = len(PHONES) + 1
SUBSAMPLING = 3


@dataclass(frozen=True)
class Layer:
    """One convolution: `kernel` taps, `dilation` frames apart, every `stride`-th kept."""

    kernel: int
    dilation: int = 1
    stride: int = 1


LAYERS = (Layer(5), Layer(3, stride=SUBSAMPLING), Layer(3), Layer(3), Layer(3), Layer(3))
CONTEXT = 2 + 1 + 4 * SUBSAMPLING
"""Input frames seen on each side of an output frame."""


@dataclass(frozen=True)
class Example:
    """One utterance: frames × `DIMENSION` features and the outputs it should give."""

    features: NDArray[np.float16]
    outputs: NDArray[np.int16]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what training makes of the examples."""

    width: int = 320
    epochs: int = 10
    learning_rate: float = 3e-3
    warm_up_steps: int = 150
    batch_frames: int = 9000
    dropout: float = 0.1
    seed: int = 20240612


class Network(nn.Module):  # type: ignore[misc] # torch is absent where types are checked
    """Features (batch × frames × DIMENSION) to unnormalised log-probabilities of outputs."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        sizes = [DIMENSION] + [width] * len(LAYERS)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(size, width, layer.kernel, dilation=layer.dilation, stride=layer.stride)
            for size, layer in zip(sizes[:-1], LAYERS, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in LAYERS)
        self.output = nn.Conv1d(width, OUTPUTS, 1)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("mean", torch.zeros(DIMENSION))
        self.register_buffer("deviation", torch.ones(DIMENSION))

    def forward(self, features: Tensor) -> Tensor:
        """Batch × ceil(frames / 3) × OUTPUTS."""
        hidden = ((features - self.mean) / self.deviation).transpose(1, 2)
        hidden = F.pad(hidden, (CONTEXT, CONTEXT + SUBSAMPLING - 1), mode="replicate")
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = self.dropout(norm(F.relu(convolution(hidden))))
        return self.output(hidden).transpose(1, 2)


@dataclass(frozen=True)
class Batch:
    """Utterances of like length, padded with their last frame."""

    features: Tensor
    frames_out: Tensor
    targets: Tensor
    target_lengths: Tensor


def _collate(examples: Sequence[Example]) -> Batch:
    longest = max(len(example.features) for example in examples)
    features = np.zeros((len(examples), longest, DIMENSION), np.float32)
    for row, example in zip(features, examples, strict=True):
        row[: len(example.features)] = example.features
        row[len(example.features) :] = example.features[-1]
    return Batch(
        torch.from_numpy(features),
        torch.tensor([math.ceil(len(e.features) / SUBSAMPLING) for e in examples]),
        torch.from_numpy(np.concatenate([e.outputs for e in examples]).astype(np.int64)),
        torch.tensor([len(e.outputs) for e in examples]),
    )


def _batches(examples: Sequence[Example], frames: int) -> list[list[Example]]:
    batches: list[list[Example]] = [[]]
    for example in sorted(examples, key=lambda e: len(e.features)):
        if batches[-1] and len(example.features) * (len(batches[-1]) + 1) > frames:
            batches.append([])
        batches[-1].append(example)
    return batches


def _blurred(features: Tensor) -> Tensor:
    """Other levels and a little noise on the coefficients, and a band of time hidden."""
    features[:, :, 0] += torch.randn(len(features), 1) * 6
    features = features + torch.randn_like(features)
    width = int(torch.randint(12, ()))
    start = int(torch.randint(max(1, features.shape[1] - width), ()))
    features[:, start : start + width] = features.mean(dim=(0, 1))
    return features


def _loss(network: nn.Module, batch: Batch) -> Tensor:
    log_probabilities = network(_blurred(batch.features)).log_softmax(-1)
    return F.ctc_loss(
        log_probabilities.transpose(0, 1),
        batch.targets,
        batch.frames_out.clamp(max=log_probabilities.shape[1]),
        batch.target_lengths,
        blank=BLANK,
        zero_infinity=True,
    )


def _rate(step: int, steps: int, recipe: Recipe) -> float:
    warm_up = min(1.0, (step + 1) / recipe.warm_up_steps)
    return recipe.learning_rate * warm_up * (0.5 * (1 + math.cos(math.pi * step / steps)) + 0.005)


def _shuffled(batches: list[list[Example]], epochs: int) -> Iterator[tuple[int, Batch]]:
    order = list(range(len(batches)))
    for epoch in range(epochs):
        random.shuffle(order)
        for index in order:
            yield epoch, _collate(batches[index])


def phone_error_rate(network: nn.Module, examples: Sequence[Example]) -> float:
    """Share of phones wrong under greedy decoding, 0 to 1."""
    network.eval()
    errors = total = 0
    with torch.no_grad():
        for example in examples:
            best = network(torch.from_numpy(example.features.astype(np.float32))[None])[0]
            path = best.argmax(-1).tolist()
            heard = [p for p, before in zip(path, [BLANK, *path], strict=False) if p != before]
            errors += edit_distance(example.outputs.tolist(), [p for p in heard if p != BLANK])
            total += len(example.outputs)
    network.train()
    return errors / max(1, total)


def train(
    examples: Sequence[Example], held_out: Sequence[Example], recipe: Recipe, checkpoint: Path
) -> float:
    """Train on one thread, write the weights to `checkpoint`, return the held-out phone error
    rate."""
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    random.seed(recipe.seed)
    network = Network(recipe.width, recipe.dropout)
    sample = np.concatenate([e.features.astype(np.float32) for e in examples[:500]])
    network.mean += torch.from_numpy(sample.mean(0))
    network.deviation *= torch.from_numpy(sample.std(0))
    batches = _batches(examples, recipe.batch_frames)
    steps = len(batches) * recipe.epochs
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-3)
    average = 0.0
    for step, (epoch, batch) in enumerate(_shuffled(batches, recipe.epochs)):
        for group in optimizer.param_groups:
            group["lr"] = _rate(step, steps, recipe)
        loss = _loss(network, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average = loss.item() if step == 0 else 0.98 * average + 0.02 * loss.item()
        if step % 100 == 0:
            log.info("starter_training", epoch=epoch, step=step, of=steps, loss=round(average, 3))
    rate = phone_error_rate(network, held_out)
    log.info("starter_trained", phone_error_rate=round(rate, 4))
    torch.save(network.state_dict(), checkpoint)
    return rate
