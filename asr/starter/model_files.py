"""A Vosk model folder from its parts: lexicon, language model, graph, acoustic model, settings."""

from __future__ import annotations

from pathlib import Path

import structlog

from asr.starter.features import MFCC_CONF
from asr.starter.graph import build_lookahead_graph
from asr.starter.lexicon import pronunciations
from asr.starter.ngram import NGramModel
from asr.starter.text import data_lines, training_sentences
from asr.starter.vocabulary import general_words, segment

log = structlog.get_logger(__name__)

ORDER = 3
SHORT_SENTENCE = 6
"""Characters. Short sentences (yes, no, a person please) are what callers say most."""
SHORT_SENTENCE_WEIGHT = 4
ANSWER_WEIGHT = 100
"""For `text/answers.txt`: 是的 is said in every call, 湿的 in hardly any."""
ACOUSTIC_SCALE = 1.6

MODEL_CONF = f"""\
--min-active=200
--max-active=4000
--beam=13.0
--lattice-beam=6.0
--acoustic-scale={ACOUSTIC_SCALE}
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""

README = """\
Qianmen's starter model: Mandarin, 8 kHz, Vosk format.
It learnt from synthetic espeak-ng voices only. It is for trying and testing the whole path on a
bare machine and is NOT fit for real callers: on recorded human speech it fails.
"""


def language_model() -> tuple[NGramModel, list[str]]:
    """The n-gram model of the training sentences, and its vocabulary."""
    answers = frozenset(data_lines("text/answers.txt"))
    sentences = [
        (segment(sentence), _weight(sentence, answers)) for sentence in training_sentences()
    ]
    general = general_words()
    vocabulary = sorted({word for words, _ in sentences for word in words} | set(general))
    return NGramModel(sentences, general, ORDER), vocabulary


def _weight(sentence: str, answers: frozenset[str]) -> int:
    """How often the language model hears ``sentence``."""
    if sentence in answers:
        return ANSWER_WEIGHT
    return SHORT_SENTENCE_WEIGHT if len(sentence) <= SHORT_SENTENCE else 1


def write_graph(model: Path, work: Path) -> int:
    """`graph/` of the model folder; how many words it knows."""
    lm, vocabulary = language_model()
    arpa = work / "lm.arpa"
    arpa.write_text(lm.arpa(), encoding="utf-8")
    lexicon = {word: pronunciations(word) for word in vocabulary}
    build_lookahead_graph(lexicon, arpa, ORDER, model, work)
    sizes = {f"grams_{n}": lm.size(n) for n in range(1, ORDER + 1)}
    log.info("starter_graph_written", words=len(vocabulary), **sizes)
    return len(vocabulary)


def write_settings(model: Path) -> None:
    """`conf/` and README of the model folder."""
    (model / "conf").mkdir(parents=True, exist_ok=True)
    (model / "conf" / "mfcc.conf").write_text(MFCC_CONF)
    (model / "conf" / "model.conf").write_text(MODEL_CONF)
    (model / "README").write_text(README)


def write_acoustic_model(model: Path, acoustic_model: bytes) -> None:
    """`am/final.mdl` of the model folder."""
    (model / "am").mkdir(parents=True, exist_ok=True)
    (model / "am" / "final.mdl").write_bytes(acoustic_model)
