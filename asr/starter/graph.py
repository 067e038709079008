"""The decoding graph, in two parts that Vosk composes as it listens: HCLr.fst (sound to words) and
Gr.fst (which words follow which). A grammar given at run time takes Gr's place.

Needs kaldifst, kaldilm and OpenFst's `fstconvert` with its look-ahead plugin (Debian packages
libfst-tools and libfst22-plugins-base). Never import vosk in the same process: loading kaldifst
and vosk together hangs.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import kaldifst
import kaldilm

from asr.starter.lexicon import Phones
from asr.starter.topology import (
    PHONE_COUNT,
    SILENCE,
    transitions,
    word_boundary_text,
    word_phones,
)

SILENCE_PROBABILITY = 0.2
"""Chance of a pause after a word."""
_BACK_OFF = "#0"
_FIRST_DISAMBIGUATION = PHONE_COUNT + 1  # the phone-side label of #0; word k's is k further

Lexicon = Mapping[str, list[tuple[Phones, float]]]


class GraphError(RuntimeError):
    """The graph could not be made."""

    code = "graph_failed"


def _disambiguated(lexicon: Lexicon) -> Iterable[tuple[str, tuple[int, ...], float]]:
    """(word, phones with a disambiguation label where needed, cost): Kaldi's
    add_lex_disambig.pl."""
    entries = [
        (word, word_phones(way), cost) for word, ways in lexicon.items() for way, cost in ways
    ]
    same = Counter(phones for _, phones, _ in entries)
    prefixes = {phones[:end] for _, phones, _ in entries for end in range(1, len(phones))}
    used = Counter[tuple[int, ...]]()
    for word, phones, cost in entries:
        if same[phones] == 1 and phones not in prefixes:
            yield word, phones, cost
            continue
        used[phones] += 1
        yield word, (*phones, _FIRST_DISAMBIGUATION + used[phones]), cost


class _LexiconFst:
    """L: phones to words, with optional silence after each word."""

    def __init__(self, lexicon: Lexicon, word_ids: Mapping[str, int]) -> None:
        self.fst = kaldifst.StdVectorFst()
        start, self._loop, self._silence = (self.fst.add_state() for _ in range(3))
        self.fst.start = start
        self.fst.set_final(self._loop, 0.0)
        self._end_word(start, 0, 0, 0.0)
        self.last_label = _FIRST_DISAMBIGUATION
        for word, labels, cost in _disambiguated(lexicon):
            self._add_word(word_ids[word], labels, cost)
            self.last_label = max(self.last_label, labels[-1])
        self.last_label += 1
        after_silence = self.fst.add_state()
        self._arc(self._silence, SILENCE, 0, 0.0, after_silence)
        self._arc(after_silence, self.last_label, 0, 0.0, self._loop)
        self._arc(self._loop, _FIRST_DISAMBIGUATION, word_ids[_BACK_OFF], 0.0, self._loop)

    def _arc(self, source: int, label: int, word: int, cost: float, target: int) -> None:
        self.fst.add_arc(source, kaldifst.StdArc(label, word, cost, target))

    def _end_word(self, source: int, label: int, word: int, cost: float) -> None:
        self._arc(source, label, word, cost - math.log(1 - SILENCE_PROBABILITY), self._loop)
        self._arc(source, label, word, cost - math.log(SILENCE_PROBABILITY), self._silence)

    def _add_word(self, word: int, labels: tuple[int, ...], cost: float) -> None:
        state = self._loop
        for label in labels[:-1]:
            following = self.fst.add_state()
            self._arc(state, label, word, cost, following)
            state, word, cost = following, 0, 0.0
        self._end_word(state, labels[-1], word, cost)


def _emit(
    fst: kaldifst.StdVectorFst, source: int, arc: tuple[int, int, int], word: int, cost: float
) -> int:
    """An HMM state entered by the transition `arc`; Kaldi's reorder=true layout: the forward
    transition comes first, then the self-loops of the state it leaves."""
    phone, state, _ = arc
    forward, loop = transitions()[arc], transitions()[phone, state, state]
    target: int = fst.add_state()
    fst.add_arc(source, kaldifst.StdArc(forward.id, word, cost - forward.log_probability, target))
    fst.add_arc(target, kaldifst.StdArc(loop.id, 0, -loop.log_probability, target))
    return target


def _expand_phone(
    fst: kaldifst.StdVectorFst, source: int, target: int, phone: int, word: int, cost: float
) -> None:
    if phone == SILENCE:
        ends = [_emit(fst, source, (phone, 0, 1), word, cost)]
    else:
        own = _emit(fst, source, (phone, 0, 1), word, cost)
        ends = [
            _emit(fst, own, (phone, 1, 2), 0, 0.0),
            _emit(fst, source, (phone, 0, 2), word, cost),
        ]
    for end in ends:
        fst.add_arc(end, kaldifst.StdArc(0, 0, 0.0, target))


def _expand_hmms(lexicon_fst: kaldifst.StdVectorFst) -> kaldifst.StdVectorFst:
    """HCL: every phone arc replaced by its HMM; disambiguation labels moved behind the
    transition ids."""
    fst = kaldifst.StdVectorFst()
    for _ in range(lexicon_fst.num_states):
        fst.add_state()
    fst.start = lexicon_fst.start
    beyond = len(transitions()) + 1 - _FIRST_DISAMBIGUATION
    for state in kaldifst.StateIterator(lexicon_fst):
        final = lexicon_fst.final(state)
        cost = float(getattr(final, "value", final))
        if not math.isinf(cost):
            fst.set_final(state, cost)
        for arc in kaldifst.ArcIterator(lexicon_fst, state):
            label, word, weight = arc.ilabel, arc.olabel, float(arc.weight.value)
            if 0 < label < _FIRST_DISAMBIGUATION:
                _expand_phone(fst, state, arc.nextstate, label, word, weight)
            else:
                moved = label + beyond if label else 0
                fst.add_arc(state, kaldifst.StdArc(moved, word, weight, arc.nextstate))
    return fst


def _fstconvert(*arguments: str) -> None:
    program = shutil.which("fstconvert")
    plugins = sorted(Path("/usr/lib").glob("*/fst/*/olabel_lookahead-fst.so"))
    if program is None or not plugins:
        raise GraphError("install fstconvert: apt-get install libfst-tools libfst22-plugins-base")
    environment = {**os.environ, "LD_LIBRARY_PATH": str(plugins[0].parent)}
    subprocess.run([program, *arguments], env=environment, check=True)  # noqa: S603 - our own files


def _relabelled(pairs: Path, word_ids: Mapping[str, int]) -> dict[str, int]:
    """Word numbers after the look-ahead relabelling."""
    rows = (line.split() for line in pairs.read_text().splitlines())
    new = {int(old): int(now) for old, now in rows}
    return {word: new[number] for word, number in word_ids.items()}


def _write_words(path: Path, word_ids: Mapping[str, int]) -> None:
    last = max(word_ids.values())
    rows = {"<eps>": 0, **word_ids, "<s>": last + 1, "</s>": last + 2}
    ordered = sorted(rows.items(), key=lambda row: row[1])
    path.write_text("".join(f"{word} {number}\n" for word, number in ordered), encoding="utf-8")


def build_lookahead_graph(
    lexicon: Lexicon, arpa: Path, order: int, model: Path, work: Path
) -> None:
    """Write `graph/` of a Vosk model: HCLr.fst, Gr.fst, words.txt, disambig_tid.int,
    phones/word_boundary.int."""
    graph = model / "graph"
    (graph / "phones").mkdir(parents=True, exist_ok=True)
    word_ids = {word: number for number, word in enumerate([*lexicon, _BACK_OFF], 1)}
    lexicon_fst = _LexiconFst(lexicon, word_ids)
    fst = lexicon_fst.fst
    kaldifst.arcsort(fst, "ilabel")
    determinized = kaldifst.determinize_star(fst, use_log=True) or fst
    kaldifst.minimize_encoded(determinized)
    _expand_hmms(determinized).write(str(work / "HCL.fst"))
    pairs = work / "relabel.txt"
    pairs.unlink(missing_ok=True)
    _fstconvert(
        "--fst_type=olabel_lookahead",
        f"--save_relabel_opairs={pairs}",
        str(work / "HCL.fst"),
        str(graph / "HCLr.fst"),
    )
    _write_words(graph / "words.txt", _relabelled(pairs, word_ids))
    _build_grammar(arpa, order, graph, work)
    first = len(transitions()) + 1
    count = lexicon_fst.last_label - _FIRST_DISAMBIGUATION + 1
    (graph / "disambig_tid.int").write_text("".join(f"{first + k}\n" for k in range(count)))
    (graph / "phones" / "word_boundary.int").write_text(word_boundary_text())


def _build_grammar(arpa: Path, order: int, graph: Path, work: Path) -> None:
    """Gr.fst from an ARPA language model, in the relabelled words."""
    text = kaldilm.arpa2fst(
        input_arpa=str(arpa),
        disambig_symbol=_BACK_OFF,
        read_symbol_table=str(graph / "words.txt"),
        max_order=order,
    )
    grammar = kaldifst.compile(text)
    kaldifst.arcsort(grammar, "ilabel")
    grammar.write(str(work / "G.fst"))
    _fstconvert("--fst_type=const", str(work / "G.fst"), str(graph / "Gr.fst"))
