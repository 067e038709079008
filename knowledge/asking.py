"""How people ask, whatever the matter: the phrasings of ``aspects.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from config.yamlfile import read
from turns.understood import ASPECTS, Aspect

PATH = Path(__file__).resolve().parent / "aspects.yaml"
NOTHING = ""
"""The class of texts that ask for no aspect."""

_BROUGHT_TOO = (
    r"(?=[也还都]?(?:要不要|用不用|需不需要|需要|要|用|得)"
    r"(?:带|拿|交|提供|[吗么不]\W*$)|[在去上到]?(?:哪里?|哪儿|哪个地方)(?:开|拍|打印|弄)\W*$)"
)
_BRING = r"(?:带|拿|交|用|传|开|填|没有?|有没有|要不要|用不用|需不需要|需要|要|除了|还有|出示|提供)"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    aspects: dict[Aspect, tuple[str, ...]] = Field(min_length=len(ASPECTS))
    nothing: tuple[str, ...]
    papers: tuple[str, ...]
    common: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrasings:
    """How people ask: phrasings by aspect, talk without one, the papers one brings, words
    said of any matter, signs that tell a matter although one asks with them, and signs that only
    join words.
    """

    aspects: Mapping[str, tuple[str, ...]]
    nothing: tuple[str, ...]
    papers: tuple[str, ...]
    common: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every phrasing, whatever its aspect."""
        return tuple(text for texts in self.aspects.values() for text in texts) + self.nothing


@cache
def read_phrasings(path: Path = PATH) -> Phrasings:
    """Read the phrasings; raises :class:`config.errors.ConfigError`."""
    given = read(path, _File)
    aspects = {str(aspect): texts for aspect, texts in given.aspects.items()}
    return Phrasings(aspects, given.nothing, given.papers, given.common, given.telling, given.idle)


def without_papers(text: str, papers: Sequence[str]) -> str:
    """``text`` without papers that one brings along: neither 要带身份证吗 nor 户口本要带吗 names a
    matter.
    """
    return _brought(tuple(papers)).sub(r"\1", text)


@cache
def _brought(papers: tuple[str, ...]) -> re.Pattern[str]:
    without = "|".join(sorted(map(re.escape, papers), key=len, reverse=True)) or "(?!)"
    before = rf"({_BRING}[^，。？！,.?!]{{0,4}}?)(?:{without})+"
    return re.compile(rf"{before}|(?:{without})+{_BROUGHT_TOO}")
