"""The short ways to what is urgent find what the plain ways find: rules tried one after the other,
sounds looked for syllable by syllable, every run hashed by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.urgent import Urgent, UrgentWords, urgent
from bot.urgent_grams import BUCKETS, STRUCK, Signs, buckets, placed, signs
from bot.urgent_sentences import read_sentences
from bot.urgent_sieve import needs, sieve
from bot.urgent_words import Excuse, Kind, UrgentRule
from language.normal import clean
from language.pinyin import fuzzy_syllables

ROOT = Path(__file__).parents[2]
DATA: dict[str, Any] = yaml.safe_load(
    (ROOT / "config/cities/sample/urgent.yaml").read_text(encoding="utf-8")
)
WORDS = UrgentWords.from_dict(DATA)
RULES = UrgentWords(WORDS.rules)
WAYS = [way for rule in WORDS.rules for way in rule.ways]
SIEVE = sieve(tuple(way.pattern for way in WAYS))
KNOWN = [sentence.text for sentence in read_sentences()]
SOUNDS = [s for kind in ("danger", "person") for rule in DATA[kind] for s in rule.get("sounds", [])]
TEXTS = st.lists(
    st.sampled_from([*KNOWN, *SOUNDS, *"，。 a7，没不了吗现在", "转人公", "没起泄露", "App", "😀"])
    | st.text(max_size=5),
    min_size=1,
    max_size=5,
).map("".join)


def _plain_rules(text: str) -> Urgent | None:
    """What the rules say, each tried in full."""
    heard = re.sub(r"\s+", "", clean(text).lower())
    found: dict[Kind, Urgent] = {}
    for rule in WORDS.rules if heard else ():
        if rule.kind not in found and not rule.unless.search(heard):
            for start, end in _plain_places(rule, heard):
                if not any(_plain_excused(excuse, heard, start, end) for excuse in rule.heed):
                    quote = heard[start:end]
                    found[rule.kind] = Urgent(rule.kind, rule.rule, quote, rule.topic)
                    break
    return found.get("danger") or found.get("person")


def _plain_places(rule: UrgentRule, heard: str) -> list[tuple[int, int]]:
    places = [match.span() for match in rule.say.finditer(heard)]
    sounding = [_plain_sound(heard, tuple(row.split())) for row in rule.sounds]
    return [*places, *(place for place in sounding if place)]


def _plain_sound(heard: str, sound: tuple[str, ...]) -> tuple[int, int] | None:
    kept = [(i, char) for i, char in enumerate(heard) if char.isalnum()]
    said = "".join(char for _, char in kept)
    starts = [m.start() for m in re.finditer("[一-鿿]|[a-z]+|.", said)]
    syllables = fuzzy_syllables(said)
    for i in range(len(syllables) - len(sound) + 1):
        if syllables[i : i + len(sound)] == sound:
            last = [*starts, len(kept)][i + len(sound)] - 1
            return kept[starts[i]][0], kept[last][0] + 1
    return None


def _plain_excused(excuse: Excuse, heard: str, start: int, end: int) -> bool:
    place = {
        "before": heard[max(0, start - 8) : start],
        "ahead": re.split("[。！？!?；]", heard[:start])[-1],
        "after": heard[end : end + 6],
        "anywhere": heard,
    }[excuse.where]
    return bool(excuse.say.search(place)) and not excuse.despite.search(heard)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_the_rules_find_what_trying_each_finds(text: str) -> None:
    assert urgent(text, RULES) == _plain_rules(text)


def test_the_rules_find_in_known_sentences_what_trying_each_finds() -> None:
    some = [*KNOWN[::150], *(f"喂你好{sound}谢谢" for sound in SOUNDS[::4])]
    found = [urgent(text, RULES) for text in some]
    assert found == [_plain_rules(text) for text in some]
    assert len(set(found)) > 20


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_the_sieve_keeps_every_pattern_that_matches(text: str) -> None:
    left = set(SIEVE.left(text))
    assert {i for i, way in enumerate(WAYS) if way.search(text)} <= left


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("煤气", ["气", "煤"]),
        ("(?:火|烟)(?:大|浓)?了", ["了", "火烟"]),
        ("[1-3]号(?!楼)", ["号", "123"]),
        ("(?:着火|冒烟)", ["冒火", "着烟"]),
        ("(?:着火|)了", ["了"]),
        ("[^火].{0,3}\\d[一-龥](?=着火)", []),
        ("(?i)fire", []),
        ("(?i:fire)了", ["了"]),
        ("(火){1,2}(?>烟)", ["火", "烟"]),
    ],
)
def test_what_a_match_must_have(pattern: str, needed: list[str]) -> None:
    found = needs(pattern)
    assert {frozenset(chars) for chars in needed} == set(found)
    assert [len(need) for need in found] == sorted(len(need) for need in found)


def test_a_sieve_of_nothing_lets_nothing_through() -> None:
    assert list(sieve(()).left("着火了")) == []
    assert list(sieve(("着火", ".", "水")).left("火")) == [1]


def _plain_buckets(part: Signs) -> list[int]:
    runs = [
        ("c", part.chars, (1, 2, 3)),
        ("s", part.heard, (1, 2, 3, 4)),
        ("m", _mixed(part), (2, 3)),
    ]
    told = [f"{kind}{run}" for kind, items, lengths in runs for run in _runs(items, lengths)]
    for i, (_, _, names) in enumerate(part.places):
        told += [f"k{name}" for name in names]
        for _, _, others in part.places[i + 1 : i + 7]:
            for one, other in ((a, b) for a in names for b in others):
                told += [f"k{one}>{other}", "k" + "+".join(sorted((one, other)))]
    kept = [run for run in told if STRUCK not in run]
    return sorted({crc32(run.encode("utf-8", "replace")) % BUCKETS for run in kept})


def _runs(items: Sequence[str], lengths: Sequence[int]) -> list[str]:
    edged = ["^", *items, "^"]
    return [" ".join(edged[i : i + n]) for n in lengths for i in range(max(0, len(edged) - n + 1))]


def _mixed(part: Signs) -> list[str]:
    """From the last concept to the first, so that the places before stay where they are."""
    mixed = list(part.chars)
    for start, end, names in reversed(part.places):
        mixed[start:end] = [f"<{names[0]}>"]
    return mixed


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sets(st.integers(0, 40), max_size=5))
def test_buckets_are_those_of_every_run_by_itself(text: str, struck: set[int]) -> None:
    whole = signs(text)
    chars = tuple(STRUCK if i in struck else char for i, char in enumerate(whole.chars))
    for part in (whole, placed(chars, whole.heard), whole.part(1, 9)):
        assert buckets(part) == _plain_buckets(part)
