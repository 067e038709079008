"""What the recogniser's confidence decides: act, read back, ask again. Pure.

Measured with the starter model, mean confidence of a turn's words (5 %, median, 95 %): sentences it
knows the voice of, heard right 0.81, 0.97, 1.0 and nearly right 0.75, 0.86, 0.98; real people, whom
it understands not at all, 0.57, 0.73, 0.86. Another model may need other figures: `qianmen asr
evaluate` on the city's own recordings shows them.
"""

from __future__ import annotations

import re
from typing import Literal

from language.normal import for_matching
from turns.heard import Heard

READ_BACK = 0.75
"""Below this an answer begins with what was heard, so that the caller can put it right."""
ASK_AGAIN = 0.55
"""Below this nothing was understood: the caller is asked again, and the second time gets a person.
"""
_NOISE = re.compile("(?:[嘟滴嘀哔嗡哗啪咚叮铃呜沙滋嗞]){2,}")
"""What a recogniser writes of a tone, a ring or a crackle."""

Clarity = Literal["clear", "doubtful", "unclear"]


def clarity(heard: Heard) -> Clarity:
    """How far the words of a turn can be relied on.

    Mere noise (嘟嘟嘟) is unclear, whoever wrote it down; else only spoken turns can be. A
    confidence of 0 is none: some recognisers tell no such thing.
    """
    if _NOISE.fullmatch(for_matching(heard.text)):
        return "unclear"
    if heard.kind != "speech" or not heard.text or heard.confidence <= 0:
        return "clear"
    if heard.confidence < ASK_AGAIN:
        return "unclear"
    return "doubtful" if heard.confidence < READ_BACK else "clear"
