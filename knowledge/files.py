"""Matters and answers as editors keep them: one YAML file a matter, and a list of known matters.

``matters.yaml`` names matters that are known but have no answers yet. Every other ``*.yaml`` of
the folder is one matter with its answers; those asked about most have the lowest ``rank``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from config.errors import ConfigError
from config.yamlfile import read
from knowledge.matters import CITY, AnswerEntry, MatterEntry
from language.normal import for_matching
from turns.understood import Aspect

KNOWN = "matters.yaml"
SAMPLE_MARK = "示例数据"

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=60)]
_Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
_Code = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z]+)+$", max_length=60)]


@dataclass(frozen=True, slots=True)
class Contents:
    """All matters, those asked about most first, and all answers."""

    matters: tuple[MatterEntry, ...]
    answers: tuple[AnswerEntry, ...]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(_Part):
    document: _Text
    article: str = ""


class _Answer(_Part):
    text: _Text
    speech: _Text
    source: _Source
    valid_from: date
    valid_to: date | None = None
    sample: bool = False

    @model_validator(mode="after")
    def _sound(self) -> _Answer:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        marked = SAMPLE_MARK in self.text or SAMPLE_MARK in self.source.document
        if self.sample and not marked:
            raise ValueError(f"sample is true, but neither text nor document says {SAMPLE_MARK}")
        if marked and not self.sample:
            raise ValueError(f"text or document says {SAMPLE_MARK}, but sample is not true")
        return self


class _Matter(_Part):
    code: _Code
    name: _Name
    department: _Name
    merged_line: Annotated[str, StringConstraints(pattern=r"^\d*$", max_length=12)] = ""
    aliases: tuple[_Name, ...] = ()
    phrasings: tuple[_Name, ...] = ()
    questions: dict[Aspect, tuple[_Question, ...]] = {}
    golden: dict[Aspect, tuple[_Question, ...]] = {}

    def entry(self) -> MatterEntry:
        return MatterEntry(
            self.code, self.name, self.department, self.merged_line, self.aliases, self.phrasings,
            {str(aspect): texts for aspect, texts in self.questions.items()},
            {str(aspect): texts for aspect, texts in self.golden.items()},
        )  # fmt: skip


class _MatterFile(_Matter):
    rank: int = Field(default=1000, ge=1)
    aspects: dict[Aspect, _Answer] = Field(min_length=1)
    regions: dict[str, dict[Aspect, _Answer]] = {}

    def answers(self) -> Iterator[AnswerEntry]:
        for region, aspects in {CITY: self.aspects, **self.regions}.items():
            for aspect, given in aspects.items():
                yield AnswerEntry(
                    self.code, aspect, region, given.text, given.speech, given.source.document,
                    given.source.article, given.valid_from, given.valid_to, given.sample,
                )  # fmt: skip


class _KnownFile(_Part):
    matters: tuple[_Matter, ...]


def read_folder(folder: Path) -> Contents:
    """Read a city's ``knowledge`` folder.

    Raises :class:`ConfigError` naming file, line and key; ``knowledge_doubled`` where two files
    define one matter, or one name stands for two matters.
    """
    if not folder.is_dir():
        raise ConfigError("config_missing", f"{folder}: the knowledge folder does not exist")
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name != KNOWN]
    given = [(path.name, read(path, _MatterFile)) for path in files]
    given.sort(key=lambda pair: (pair[1].rank, pair[0]))
    matters = [(name, file.entry()) for name, file in given]
    answers = [answer for _, file in given for answer in file.answers()]
    if (folder / KNOWN).exists():
        matters += [(KNOWN, matter) for matter in read_known(folder / KNOWN)]
    _refuse_doubles(matters)
    return Contents(tuple(matter for _, matter in matters), tuple(answers))


def read_file(path: Path) -> tuple[MatterEntry, tuple[AnswerEntry, ...]]:
    """One matter's file. Raises :class:`ConfigError` naming file, line and key."""
    given = read(path, _MatterFile)
    return given.entry(), tuple(given.answers())


def read_known(path: Path) -> tuple[MatterEntry, ...]:
    """The list of matters that have no answers. Raises :class:`ConfigError`."""
    return tuple(matter.entry() for matter in read(path, _KnownFile).matters)


def _refuse_doubles(matters: list[tuple[str, MatterEntry]]) -> None:
    codes: dict[str, str] = {}
    named: dict[str, str] = {}
    for file, matter in matters:
        if matter.code in codes:
            _doubled(file, "code", matter.code, codes[matter.code])
        codes[matter.code] = file
        for name in {for_matching(name) for name in matter.names}:
            if name in named:
                _doubled(file, matter.code, name, named[name])
            named[name] = f"{file} ({matter.code})"


def _doubled(file: str, key: str, value: str, elsewhere: str) -> None:
    raise ConfigError("knowledge_doubled", f"{file}: {key}: {value} stands in {elsewhere} too")
