"""The words that make a turn urgent, as a city keeps them in ``urgent.yaml``, checked and compiled.

A pattern is a regular expression without unbounded repetition, so that matching stays linear;
``{name}`` stands for one of the words of that name, ``…`` for a short gap (no full stop in it,
and no 不, 没, 未, so that 煤气…漏 does not find 煤气没漏).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from bot.urgent_opinion import Opinion, standard
from bot.urgent_sieve import Sieve, sieve
from language.pinyin import fuzzy_syllables, sound_row

Kind = Literal["danger", "person"]
Where = Literal["before", "ahead", "anywhere", "after"]
Pattern = re.Pattern[str]

_GAP = "(?:[^。！？!?；不没未]|不小心|不停|不断|不知|没人){0,9}?"
_NAME = re.compile(r"\{([a-z_]+)\}")
_UNBOUNDED = re.compile(r"(?<!\\)[*+]|\{\d*,\}|\{\d{3,}|\{\d*,(?:[4-9]\d|\d{3,})\}")
_CLASS = re.compile(r"\[[^\]]*\]")
_NEVER: Pattern = re.compile(r"(?!)")
_FEWEST_SYLLABLES = 3
_KINDS: tuple[Kind, ...] = ("danger", "person")
_WHERE: tuple[Where, ...] = ("before", "ahead", "anywhere", "after")


@dataclass(frozen=True, slots=True)
class Excuse:
    """A context in which urgent words are not urgent: negated, past, asked about in general.

    ``where``: right ``before`` the words, somewhere ``ahead`` of them, right ``after`` them, or
    ``anywhere`` in the turn. ``despite`` takes the excuse back (现在, 还在).
    """

    name: str
    where: Where
    say: Pattern
    despite: Pattern


@dataclass(frozen=True, slots=True)
class UrgentRule:
    """One rule: what is said (one of ``ways``, or all of them in one pattern: ``say``) or sounds
    like (rows of fuzzy syllables), unless …
    """

    kind: Kind
    rule: str
    topic: str
    ways: tuple[Pattern, ...]
    say: Pattern
    unless: Pattern
    sounds: tuple[str, ...]
    heed: tuple[Excuse, ...]


@dataclass(frozen=True, slots=True)
class UrgentWords:
    """All rules of a city, in the order in which they are tried; danger comes first.

    ``opinion``: what is learned beside them, None for the rules alone.
    """

    rules: tuple[UrgentRule, ...]
    opinion: Opinion | None = None
    _ways: tuple[tuple[int, Pattern], ...] = field(init=False, repr=False, compare=False)
    _sieve: Sieve = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ways = tuple((i, way) for i, rule in enumerate(self.rules) for way in rule.ways)
        object.__setattr__(self, "_ways", ways)
        object.__setattr__(self, "_sieve", sieve(tuple(way.pattern for _, way in ways)))

    def said(self, heard: str) -> set[int]:
        """Which of ``rules`` (their numbers from 0) have their words in ``heard``."""
        found: set[int] = set()
        for number in self._sieve.left(heard):
            rule, way = self._ways[number]
            if rule not in found and way.search(heard):
                found.add(rule)
        return found

    @classmethod
    def from_dict(cls, data: object) -> UrgentWords:
        """The rules in ``data``, as read from ``urgent.yaml``.

        Keys: ``words`` (name → list), ``excuses`` (name → where, say, despite), ``danger`` and
        ``person`` (lists of rule, topic, say, unless, sounds, heed). Raises ValueError, its text
        starting with the path of the key at fault.
        """
        top = _mapping(data, "urgent", {"words", "excuses", *_KINDS})
        words = _words(top.get("words", {}))
        excuses = _excuses(top.get("excuses", {}), words)
        rules: list[UrgentRule] = []
        for kind in _KINDS:
            entries = top.get(kind)
            if not isinstance(entries, list) or not entries:
                raise ValueError(f"{kind}: must be a list with at least one rule")
            rules += [
                _rule(kind, entry, f"{kind}[{i}]", words, excuses)
                for i, entry in enumerate(entries)
            ]
        names = [rule.rule for rule in rules]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"rule: the name {name!r} is used twice")
        return cls(tuple(rules), standard())


def _mapping(data: object, key: str, allowed: set[str] | None = None) -> Mapping[str, object]:
    if not isinstance(data, Mapping) or not all(isinstance(k, str) for k in data):
        raise ValueError(f"{key}: must be a mapping")
    for name in data:
        if allowed is not None and name not in allowed:
            raise ValueError(f"{key}.{name}: unknown key; known are {', '.join(sorted(allowed))}")
    return cast("Mapping[str, object]", data)


def _strings(data: object, key: str) -> list[str]:
    if not isinstance(data, list) or not all(isinstance(s, str) and s for s in data):
        raise ValueError(f"{key}: must be a list of non-empty texts")
    return cast("list[str]", data)


def _words(data: object) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, items in _mapping(data, "words").items():
        listed = _strings(items, f"words.{name}")
        # The longest first, or 煤气 would take what 煤气罐 is meant for.
        longest_first = sorted(listed, key=len, reverse=True)
        joined[name] = "(?:" + "|".join(map(re.escape, longest_first)) + ")"
    return joined


def _compile(data: object, key: str, words: Mapping[str, str], end: str = "") -> Pattern:
    """One pattern out of a list of them; ``end`` is put after each."""
    return _joined([f"{part}{end}" for part in _parts(data, key, words)])


def _parts(data: object, key: str, words: Mapping[str, str]) -> list[str]:
    return [_expand(text, f"{key}[{i}]", words) for i, text in enumerate(_strings(data or [], key))]


def _joined(parts: Sequence[str]) -> Pattern:
    return re.compile("|".join(parts)) if parts else _NEVER


def _expand(text: str, key: str, words: Mapping[str, str]) -> str:
    if _UNBOUNDED.search(_CLASS.sub("", text)):
        raise ValueError(f"{key}: * + {{n,}} are not allowed, write {{0,8}}: {text}")
    for name in _NAME.findall(text):
        if name not in words:
            raise ValueError(f"{key}: {{{name}}} is not one of words: {text}")
    expanded = f"(?:{_NAME.sub(lambda m: words[m[1]], text).replace('…', _GAP)})"
    try:
        compiled = re.compile(expanded)
    except re.error as error:
        raise ValueError(f"{key}: {error}: {text}") from error
    if compiled.match(""):
        raise ValueError(f"{key}: matches the empty text: {text}")
    return expanded


def _excuses(data: object, words: Mapping[str, str]) -> dict[str, Excuse]:
    found: dict[str, Excuse] = {}
    for name, entry in _mapping(data, "excuses").items():
        key = f"excuses.{name}"
        fields = _mapping(entry, key, {"where", "say", "despite"})
        where = fields.get("where", "anywhere")
        if where not in _WHERE:
            raise ValueError(f"{key}.where: must be one of {', '.join(_WHERE)}")
        say = _compile(fields.get("say"), f"{key}.say", words, "$" if where == "before" else "")
        despite = _compile(fields.get("despite"), f"{key}.despite", words)
        found[name] = Excuse(name, where, say, despite)
    return found


def _rule(
    kind: Kind, entry: object, key: str, words: Mapping[str, str], excuses: Mapping[str, Excuse]
) -> UrgentRule:
    fields = _mapping(entry, key, {"rule", "topic", "say", "unless", "sounds", "heed"})
    name, topic = fields.get("rule"), fields.get("topic", kind)
    if not isinstance(name, str) or not name:
        raise ValueError(f"{key}.rule: must be a name")
    if not isinstance(topic, str) or not topic:
        raise ValueError(f"{key}.topic: must be a name")
    heed = _strings(fields["heed"], f"{key}.heed") if "heed" in fields else list(excuses)
    for excuse in heed:
        if excuse not in excuses:
            raise ValueError(f"{key}.heed: {excuse} is not one of excuses")
    say = _parts(fields.get("say"), f"{key}.say", words)
    sounds = _sounds(fields.get("sounds", []), f"{key}.sounds")
    if not say and not sounds:
        raise ValueError(f"{key}.say: must hold at least one pattern")
    unless = _compile(fields.get("unless"), f"{key}.unless", words)
    heeded = tuple(excuses[excuse] for excuse in heed)
    ways = tuple(map(re.compile, say))
    return UrgentRule(kind, name, topic, ways, _joined(say), unless, sounds, heeded)


def _sounds(data: object, key: str) -> tuple[str, ...]:
    found = []
    for i, text in enumerate(_strings(data, key)):
        syllables = fuzzy_syllables(text)
        if len(syllables) < _FEWEST_SYLLABLES:
            raise ValueError(f"{key}[{i}]: too short to be told apart by sound: {text}")
        found.append(sound_row(syllables))
    return tuple(found)
