"""A back-off n-gram model with Witten-Bell smoothing, written in ARPA format."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

GENERAL_SHARE = 0.02
"""Share of the general word counts in the unigrams, the domain's having the rest."""
START, STOP = "<s>", "</s>"
Gram = tuple[str, ...]


class NGramModel:
    """Witten-Bell interpolated probabilities, stored as a back-off model.

    `sentences` are (words, count) pairs; `general` gives extra single-word counts, so that every
    word of the vocabulary can be said.
    """

    def __init__(
        self,
        sentences: Iterable[tuple[Sequence[str], int]],
        general: Mapping[str, float],
        order: int,
    ) -> None:
        self.order = order
        counts = [Counter[Gram]() for _ in range(order)]
        for words, weight in sentences:
            padded = (START, *words, STOP)
            for end in range(1, len(padded)):
                for size in range(min(order, end + 1)):
                    counts[size][padded[end - size : end + 1]] += weight
        self._probability: list[dict[Gram, float]] = [self._unigrams(counts[0], general)]
        self._back_off: list[dict[Gram, float]] = []
        for size in range(1, order):
            self._add_order(counts[size])

    @staticmethod
    def _unigrams(seen: Counter[Gram], general: Mapping[str, float]) -> dict[Gram, float]:
        """Domain counts mixed with general ones."""
        total = sum(seen.values())
        mass = sum(general.values())
        words = {(word,) for word in general} | set(seen)
        return {
            gram: (1 - GENERAL_SHARE) * seen[gram] / total
            + GENERAL_SHARE * general.get(gram[0], 0.0) / mass
            for gram in sorted(words)
        }

    def _lower(self, gram: Gram) -> float:
        """Probability of the last word, from the orders finished so far."""
        known = self._probability[len(gram) - 1].get(gram)
        if known is not None:
            return known
        return self._back_off[len(gram) - 2].get(gram[:-1], 1.0) * self._lower(gram[1:])

    def _add_order(self, counts: Counter[Gram]) -> None:
        followers: dict[Gram, list[tuple[Gram, int]]] = defaultdict(list)
        for gram, count in counts.items():
            followers[gram[:-1]].append((gram, count))
        probability: dict[Gram, float] = {}
        back_off: dict[Gram, float] = {}
        for history, grams in followers.items():
            total = sum(count for _, count in grams)
            share = total / (total + len(grams))
            lower = {gram: self._lower(gram[1:]) for gram, _ in grams}
            for gram, count in grams:
                probability[gram] = share * count / total + (1 - share) * lower[gram]
            left = 1 - sum(probability[gram] for gram, _ in grams)
            back_off[history] = max(left, 1e-9) / max(1 - sum(lower.values()), 1e-9)
        self._probability.append(probability)
        self._back_off.append(back_off)

    def probability(self, gram: Gram) -> float:
        """P(last word | the words before it), at most `order` words."""
        return self._lower(gram)

    def size(self, order: int) -> int:
        """How many grams of an order are stored."""
        return len(self._probability[order - 1])

    def arpa(self) -> str:
        """The model in ARPA format."""
        self._probability[0][(START,)] = 1e-99
        lines = ["\\data\\"]
        lines += [f"ngram {n + 1}={len(grams)}" for n, grams in enumerate(self._probability)]
        for n, grams in enumerate(self._probability):
            lines.append(f"\n\\{n + 1}-grams:")
            lines += [self._line(n, gram, p) for gram, p in grams.items()]
        return "\n".join([*lines, "\n\\end\\", ""])

    def _line(self, n: int, gram: Gram, probability: float) -> str:
        line = f"{math.log10(probability):.4f}\t{' '.join(gram)}"
        if n < self.order - 1 and gram[-1] != STOP:
            line += f"\t{math.log10(self._back_off[n].get(gram, 1.0)):.4f}"
        return line
