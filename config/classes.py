"""The city's classification of requests (诉求分类): two levels, each leaf with who deals with it.

A word may hold one or more gaps, written ``…``: 路灯…不亮 is 路灯 and, at most twelve characters
without a full stop further on, 不亮. Nothing else in a word means anything but itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Code = Annotated[str, BeforeValidator(str), Field(pattern=r"^[0-9A-Za-z.\-]{1,16}$")]
Word = Annotated[str, Field(min_length=1, max_length=30)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Leaf(_Part):
    """A class of requests. ``department`` is 主办, ``helped_by`` 协办; ``words`` tell it, and
    ``unless`` are words with which it is another's.
    """

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=20)]
    department: str = ""
    helped_by: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()
    unless: tuple[Word, ...] = ()


class Group(_Part):
    """The first level: a field of the city's work."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=20)]
    classes: tuple[Leaf, ...] = Field(min_length=1)


class Pressing(_Part):
    """When a request is urgent: a word of every list of ``all`` was said, and none of ``unless``.

    ``reason`` is shown to staff.
    """

    reason: Annotated[str, Field(min_length=1, max_length=40)]
    level: Literal["urgent", "danger"] = "urgent"
    all: tuple[tuple[Word, ...], ...] = Field(min_length=1)
    unless: tuple[Word, ...] = ()


class ClassesFile(_Part):
    """``classes.yaml``. ``learned``: whether past orders advise where no word decides."""

    groups: tuple[Group, ...] = ()
    pressing: tuple[Pressing, ...] = ()
    learned: bool = True

    @model_validator(mode="after")
    def _codes_once(self) -> ClassesFile:
        codes = [group.code for group in self.groups] + [leaf.code for leaf in self.leaves()]
        double = next((code for code in codes if codes.count(code) > 1), None)
        if double is not None:
            raise ValueError(f"code {double} is given twice")
        return self

    def leaves(self) -> Iterator[Leaf]:
        """Every class, in the file's order."""
        for group in self.groups:
            yield from group.classes

    def leaf(self, code: str) -> Leaf | None:
        """The class of that code."""
        return next((leaf for leaf in self.leaves() if leaf.code == code), None)

    def group_of(self, code: str) -> Group | None:
        """The group that the class of ``code`` belongs to."""
        return next((g for g in self.groups if any(leaf.code == code for leaf in g.classes)), None)

    def departments(self) -> Iterator[tuple[str, str]]:
        """Every department named, with the code of the class that names it."""
        for leaf in self.leaves():
            for name in (leaf.department, *leaf.helped_by):
                if name:
                    yield leaf.code, name
