"""Toneless Mandarin phones: the initials and finals that the starter model tells apart.

Tones are left out on purpose: the features carry no pitch, and homophones are told apart by the
language model.
"""

from __future__ import annotations

from pypinyin.contrib.tone_convert import to_finals, to_initials

INITIALS = (
    "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h",
    "j", "q", "x", "zh", "ch", "sh", "r", "z", "c", "s",
)  # fmt: skip
FINALS = (
    "a", "o", "e", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "er",
    "i", "ih", "ir", "ia", "ie", "iao", "iou", "ian", "in", "iang", "ing", "iong",
    "u", "ua", "uo", "uai", "uei", "uan", "uen", "uang", "ong",
    "v", "ve", "van", "vn",
)  # fmt: skip
PHONES = INITIALS + FINALS

_APICAL = {"z": "ih", "c": "ih", "s": "ih", "zh": "ir", "ch": "ir", "sh": "ir", "r": "ir"}
_SPLIT_FINALS = {"ueng": ("u", "eng"), "io": ("iou",), "ê": ("ei",)}
_WHOLE_SYLLABLES = {
    "r": ("er",),
    "n": ("en",),
    "ng": ("en",),
    "m": ("m", "u"),
    "hm": ("h", "en"),
    "hng": ("h", "eng"),
}


def phones_of(syllable: str) -> tuple[str, ...]:
    """Initial (if any) and final of one toneless pinyin syllable, `v` standing for ü.

    Raises ValueError for what is no Mandarin syllable.
    """
    if syllable in _WHOLE_SYLLABLES:
        return _WHOLE_SYLLABLES[syllable]
    initial = to_initials(syllable, strict=True)
    final = to_finals(syllable, strict=True, v_to_u=False)
    if final == "i":
        final = _APICAL.get(initial, final)
    phones = (*((initial,) if initial else ()), *_SPLIT_FINALS.get(final, (final,)))
    if not syllable or any(phone not in PHONES for phone in phones):
        raise ValueError(f"no Mandarin syllable: {syllable!r}")
    return phones
