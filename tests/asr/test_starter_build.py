"""The parts that write the starter model: language model, network, topology, telephone line."""

from __future__ import annotations

import re
import struct

import numpy as np
import pytest

from asr.starter.distance import edit_distance
from asr.starter.kaldi_io import compressed_matrix
from asr.starter.ngram import START, STOP, NGramModel
from asr.starter.nnet3 import AffineLayer, tdnn
from asr.starter.phones import PHONES
from asr.starter.telephone import a_law, add_noise, mu_law
from asr.starter.topology import (
    PHONE_COUNT,
    SILENCE,
    kaldi_phone,
    transitions,
    word_boundary_text,
    word_phones,
)

SENTENCES = [(["我", "要", "转人工"], 1), (["我", "要", "投诉"], 2), (["转人工"], 4)]
GENERAL = {"我": 9.0, "要": 8.0, "转人工": 1.0, "投诉": 1.0, "稀": 1.0}


@pytest.fixture
def model() -> NGramModel:
    return NGramModel(SENTENCES, GENERAL, 3)


@pytest.mark.parametrize("history", [(), ("我",), (START,), (START, "我"), ("稀", "我"), ("投诉",)])
def test_probabilities_after_any_history_sum_to_one(
    model: NGramModel, history: tuple[str, ...]
) -> None:
    total = sum(model.probability((*history, word)) for word in (*GENERAL, STOP))
    assert total == pytest.approx(1.0, abs=1e-6)


def test_what_was_said_often_is_likelier(model: NGramModel) -> None:
    assert model.probability(("要", "投诉")) > model.probability(("要", "转人工"))
    assert model.probability(("稀",)) > 0


def test_arpa_lists_as_many_grams_as_it_says(model: NGramModel) -> None:
    text = model.arpa()
    for order in (1, 2, 3):
        said = int(re.findall(rf"ngram {order}=(\d+)", text)[0])
        listed = text.split(f"\\{order}-grams:\n")[1].split("\n\n")[0].strip().splitlines()
        assert len(listed) == said == model.size(order)
        assert all(float(line.split("\t")[0]) <= 0 for line in listed)


def test_compressed_matrices_keep_values_to_a_65535th_of_their_range() -> None:
    values = np.array([[-3.0, 0.5], [40.0, 0.25]], np.float32)
    data = compressed_matrix(values)
    assert data[:4] == b"CM2 "
    low, span, rows, columns = struct.unpack_from("<ffii", data, 4)
    codes = np.frombuffer(data, "<u2", offset=20).reshape(rows, columns)
    assert np.abs(low + codes / 65535 * span - values).max() <= span / 65535


def test_a_network_names_its_context() -> None:
    layer = AffineLayer(np.ones((4, 6)), np.zeros(4), (-1, 0, 1))
    output = AffineLayer(np.ones((3, 4)), np.zeros(3), (0,))
    data = tdnn([layer, layer], output, 2)
    assert b"Append(Offset(input, -1), input, Offset(input, 1))" in data
    assert data.endswith(b"<Priors> FV \x04\x00\x00\x00\x00")
    left = data.index(b"<LeftContext> ") + len(b"<LeftContext> ")
    assert struct.unpack_from("<i", data, left + 1) == (2,)


def test_transitions_are_numbered_without_gaps_and_leave_every_state() -> None:
    table = transitions()
    assert [transition.id for transition in table.values()] == list(range(1, len(table) + 1))
    leaving: dict[tuple[int, int], float] = {}
    for (phone, state, _), transition in table.items():
        share = float(np.exp(transition.log_probability))
        leaving[phone, state] = leaving.get((phone, state), 0.0) + share
    assert all(total == pytest.approx(1.0) for total in leaving.values())
    assert {phone for phone, _ in leaving} == set(range(1, PHONE_COUNT + 1))


def test_word_positions_match_the_boundary_file() -> None:
    kinds = dict(line.split() for line in word_boundary_text().splitlines())
    assert kinds[str(SILENCE)] == "nonword"
    assert len(kinds) == PHONE_COUNT
    assert [kinds[str(p)] for p in word_phones(("h", "uan", "e"))] == ["begin", "internal", "end"]
    assert [kinds[str(p)] for p in word_phones(("a",))] == ["singleton"]
    assert kaldi_phone(PHONES[-1], 3) == PHONE_COUNT


@pytest.mark.parametrize("codec", [mu_law, a_law])
def test_g711_keeps_speech_and_silence(codec: object) -> None:
    assert callable(codec)
    samples = np.array([0.0, 0.001, -0.01, 0.1, -0.5, 1.0])
    carried = codec(samples)
    assert carried[0] == 0.0
    assert np.abs(carried - samples).max() <= 0.03


def test_noise_is_mixed_at_the_ratio_asked_for() -> None:
    speech, noise = np.ones(100), np.resize([3.0, -3.0], 100)
    rest = add_noise(speech, noise, 20.0) - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(rest**2)) == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("reference", "heard", "errors"),
    [("公积金", "公积金", 0), ("公积金", "公鸡金", 1), ("幺三八", "三八", 1), ("", "嗯", 1)],
)
def test_edit_distance(reference: str, heard: str, errors: int) -> None:
    assert edit_distance(reference, heard) == errors
