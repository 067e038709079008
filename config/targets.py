"""Whom a caller may be connected with: only what a city lists can be dialled (no toll fraud).

A target is one address, or a range of extensions: ``{extension}`` in its URI is filled with digits
that fit a template such as ``8XXX``, ``X`` standing for one digit. A template is no pattern of any
richer kind, so that checking one costs nothing and lets nothing through by surprise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

TargetKind = Literal["hunt_group", "agent", "department", "emergency"]
Accept = Literal["key", "answer"]
AfterPerson = Literal["goodbye", "bot"]
HUNT_GROUP = "hunt_group"
"""The name under which a call's own line's hunt group is always a target."""
LONGEST = 200
_FIELD = "{extension}"
_URI = r"^sip:[0-9A-Za-z+*#_.\-{}]{1,64}@[0-9A-Za-z.\-]{1,253}(:[0-9]{1,5})?$"
_NAME = r"^[0-9a-z_\-]{1,32}$"
_NUMBER = r"^[0-9+]{0,20}$"
Name = Annotated[str, BeforeValidator(str), Field(pattern=_NAME)]


class Target(BaseModel):
    """One entry of ``targets.yaml``.

    ``desk``: whoever answers there sees the order on a screen, so that answering joins them; else
    the order is read in one sentence first, and ``accept`` says whether key 1 must be pressed.
    ``three_way``: may be added to a call that a person has. ``caller_id``: the number shown, empty
    for the citizen's own. ``ring_s``: seconds until nobody answers. ``next``: who is tried then.
    ``refer``: a blind transfer may be left to the trunk (REFER); the call is then out of our hands,
    neither recorded nor transcribed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    label: Annotated[str, Field(min_length=1, max_length=40)]
    kind: TargetKind
    uri: Annotated[str, Field(pattern=_URI)]
    extension: Annotated[str, BeforeValidator(str), Field(pattern=r"^([1-9][0-9X]{1,7})?$")] = ""
    desk: bool = False
    accept: Accept = "key"
    three_way: bool = False
    caller_id: Annotated[str, BeforeValidator(str), Field(pattern=_NUMBER)] = ""
    ring_s: Annotated[int, Field(ge=5, le=120)] = 20
    next: tuple[Name, ...] = ()
    refer: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Target:
        if (_FIELD in self.uri) != bool(self.extension):
            raise ValueError("{extension} in uri and extension: give both or neither")
        if set("{}") & set(self.uri.replace(_FIELD, "", 1)):
            raise ValueError("uri: only {extension} may stand between braces, once")
        if self.refer and self.kind == "emergency":
            raise ValueError("refer: an emergency call stays with us, recorded")
        return self


@dataclass(frozen=True, slots=True)
class Destination:
    """A target made definite: what is dialled, and how. Fields as in :class:`Target`."""

    name: str
    label: str
    kind: TargetKind
    uri: str
    desk: bool
    accept: Accept = "key"
    three_way: bool = False
    caller_id: str = ""
    ring_s: int = 20
    next: tuple[str, ...] = ()
    refer: bool = False


class TargetsFile(BaseModel):
    """``targets.yaml``; ``after_person`` is what a caller gets whose person has hung up.

    ``survey``: who talked with a person is asked first what they thought of it (国办发〔2020〕53号
    asks that citizens judge); ``false`` asks nobody.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    after_person: AfterPerson = "goodbye"
    survey: bool = True
    targets: tuple[Target, ...] = ()

    @model_validator(mode="after")
    def _names_hold(self) -> TargetsFile:
        names = [target.name for target in self.targets]
        if len(set(names)) < len(names) or HUNT_GROUP in names:
            raise ValueError(f"every name once, and none of them {HUNT_GROUP}")
        by_name = {target.name: target for target in self.targets}
        for target in self.targets:
            check_next(f"targets: {target.name}", target.next, by_name)
        return self

    def find(self, text: str) -> Destination | None:
        """The destination that ``text`` names: a target's name, an extension, or its exact URI."""
        if not text or len(text) > LONGEST:
            return None
        for target in self.targets:
            extension = _extension(target, text)
            if extension is not None:
                return _definite(target, extension)
        return None

    def chain(self, first: Destination) -> tuple[Destination, ...]:
        """``first`` and who is tried after it, breadth first, everybody once."""
        chain, waiting = [first], list(first.next)
        while waiting:
            found = self.find(waiting.pop(0))
            if found is not None and found.uri not in {one.uri for one in chain}:
                chain.append(found)
                waiting.extend(found.next)
        return tuple(chain)


def check_next(owner: str, names: tuple[str, ...], known: Mapping[str, Target]) -> None:
    """Raise ValueError where ``next`` names nothing definite."""
    for name in names:
        if name not in known:
            raise ValueError(f"{owner}: next: {name} is not defined")
        if known[name].extension:
            raise ValueError(f"{owner}: next: {name} is a range of extensions, not one telephone")


def _extension(target: Target, text: str) -> str | None:
    """The digits that ``text`` fills into the target's URI ('' without a template), or None."""
    if not target.extension:
        return "" if text in (target.name, target.uri) else None
    prefix, suffix = target.uri.split(_FIELD)
    if text.startswith(prefix) and text.endswith(suffix) and len(text) > len(prefix + suffix):
        text = text[len(prefix) : len(text) - len(suffix)]
    return text if _fits_template(target.extension, text) else None


def _fits_template(template: str, digits: str) -> bool:
    return len(digits) == len(template) and all(
        "0" <= digit <= "9" and wanted in ("X", digit)
        for wanted, digit in zip(template, digits, strict=True)
    )


def _definite(target: Target, extension: str) -> Destination:
    return Destination(
        name=extension or target.name,
        label=f"{target.label}{extension}",
        kind=target.kind,
        uri=target.uri.replace(_FIELD, extension),
        desk=target.desk,
        accept=target.accept,
        three_way=target.three_way,
        caller_id=target.caller_id,
        ring_s=target.ring_s,
        next=target.next,
        refer=target.refer,
    )
