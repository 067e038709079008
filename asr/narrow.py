"""A second ear for the moments when little is expected: it knows a few phrases and nothing else.

It listens beside the free recogniser and is believed only where what it heard is made of its
phrases: whoever says something else is heard freely, and nothing is lost. What is not a phrase must
be able to become something else, or every sound becomes a phrase, with confidence: that is the
model's unknown word, or, in a model without one, syllables that none of the phrases holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from asr.recogniser import UNKNOWN, join
from turns.voice import Word

_LONGEST_WORD = 8
_SYLLABLES = (
    "阿八白半帮包被本比边表别病不才参草曾查场车成吃出穿春词从打大代当到得等地点定东都读段多二发法反方"
    "放飞分风服干高给跟工狗古关管广国过还海喊好和黑很红后花话坏换黄回活机家间江交节今京九就决开看考可"
    "口快来老了冷里两六楼路绿妈马慢忙么没门们米民明那南能你年女怕跑朋票起前强亲青去全然热人日肉如三山"
    "上少社什生师十事手书水说思四送虽他太天听通同头土推外完万王为问我无西下先想小写心新行姓学雪言羊要"
    "也一以因应用有又鱼雨元月云在早怎站张找者真正知中种住装子走嘴最昨作"
)
"""One character for each common syllable."""


def grammar(phrases: Sequence[str], knows: Callable[[str], bool]) -> str | None:
    """Phrases as Vosk's grammar JSON, cut into the longest words the model ``knows``.

    A phrase with a character the model does not know is left out; None where nothing is left.
    """
    cut = [_cut(phrase.replace(" ", ""), knows) for phrase in phrases]
    usable = [" ".join(words) for words in cut if words]
    if not usable:
        return None
    other = [UNKNOWN] if knows(UNKNOWN) else _others(phrases, knows)
    return json.dumps([*dict.fromkeys(usable), *other], ensure_ascii=False)


def _others(phrases: Sequence[str], knows: Callable[[str], bool]) -> list[str]:
    used = set("".join(phrases))
    return [syllable for syllable in _SYLLABLES if syllable not in used and knows(syllable)]


def _cut(phrase: str, knows: Callable[[str], bool]) -> list[str]:
    words: list[str] = []
    while phrase:
        for length in range(min(_LONGEST_WORD, len(phrase)), 0, -1):
            if knows(phrase[:length]):
                words.append(phrase[:length])
                phrase = phrase[length:]
                break
        else:
            return []
    return words


class Narrow:
    """One turn heard by a recogniser with a grammar; to be used by one thread at a time.

    ``native`` is Vosk's recogniser made with the `grammar` of ``phrases``; ``words`` reads its
    results.
    """

    def __init__(
        self, native: Any, phrases: Sequence[str], words: Callable[[str], list[Word]]
    ) -> None:
        self._native = native
        self._words = words
        bare = sorted({phrase.replace(" ", "") for phrase in phrases}, key=len, reverse=True)
        self._phrases = re.compile(f"(?:{'|'.join(map(re.escape, bare))})+")
        self._done: list[Word] = []
        self._odd = False

    def accept(self, pcm: bytes) -> str:
        """Hear ``pcm`` at the model's rate; the words so far, '' where they are no phrases."""
        if self._native.AcceptWaveform(pcm):
            self._take(self._native.Result())
            return self._believed(self._done)
        partial = str(json.loads(self._native.PartialResult())["partial"]).split()
        if self._odd or UNKNOWN in partial:
            return ""
        text = join([*(word.text for word in self._done), *partial])
        return text if self._phrases.fullmatch(text) else ""

    def finish(self) -> list[Word] | None:
        """The turn's words, None where they are not made of the phrases; begins anew."""
        self._take(self._native.FinalResult())
        words = self._done if self._believed(self._done) else None
        self._native.Reset()
        self._done, self._odd = [], False
        return words

    def _take(self, result: str) -> None:
        self._odd = self._odd or UNKNOWN in str(json.loads(result).get("text", "")).split()
        self._done += self._words(result)

    def _believed(self, words: list[Word]) -> str:
        text = join(word.text for word in words)
        return text if not self._odd and self._phrases.fullmatch(text) else ""
