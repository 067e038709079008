"""Whom the city tells what: 110 and departments in danger, other systems by webhooks.

Nothing is configured by default. Keys are no part of this: they are secrets (``link_keys``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CALLER_FIELDS = frozenset({"name", "phone", "contact", "second_phone", "id_number"})
"""Fields of an order that tell who reported."""
LinkName = Annotated[str, BeforeValidator(str), Field(pattern=r"^[a-z0-9_-]{1,40}$")]
Caller = Literal["always", "unless_secret", "never"]


def _http(url: str) -> str:
    """An http(s) URL with a host, without user, password or fragment."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be http://HOST/… or https://HOST/…")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password")
    if parts.fragment or any(character.isspace() for character in url):
        raise ValueError("must hold neither # nor white space")
    _ = parts.port  # raises ValueError where it is none
    return url


Url = Annotated[str, Field(max_length=2000), AfterValidator(_http)]


class _Part(BaseModel):
    """Strict and frozen: an unknown key is a typing error of the city's, not a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Party(_Part):
    """Who is told of danger at once: 110, or a department's duty room.

    ``topics``: the kinds of danger (``topic`` in urgent.yaml) it is told of; empty: all.
    ``departments``: orders of these are told as well. ``acknowledges``: in its reply, or later by
    a signed call-back to us. ``alarm_after_s``: a person is alarmed when it has not acknowledged.
    ``caller``: whether it learns who reported. ``allow_private``: its host may be on our own
    network. ``pushes``: it may give us matters of its own.
    """

    name: LinkName
    label: str = Field(min_length=1, max_length=40)
    url: Url
    acknowledges: Literal["reply", "callback"] = "reply"
    topics: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    alarm_after_s: float = Field(default=30, ge=1, le=3600)
    caller: Caller = "unless_secret"
    allow_private: bool = False
    pushes: bool = False

    def is_told(self, topic: str, departments: Iterable[str] = ()) -> bool:
        """Whether danger of ``topic`` ('' unknown: everybody), or of these departments, is its."""
        known = not topic or not self.topics or topic in self.topics
        return known or not set(self.departments).isdisjoint(departments)


class Target(_Part):
    """A system that is told by webhook.

    ``topics``: what it is told of: ``order.created``, or ``order.*``; empty: everything.
    ``fields``: the order's fields it gets; who reported is never told of a secret order.
    """

    name: LinkName
    url: Url
    topics: tuple[str, ...] = ()
    fields: tuple[str, ...] = ("what", "where", "when")
    caller: Caller = "never"
    allow_private: bool = False

    def is_told(self, topic: str) -> bool:
        """Whether news of ``topic`` is its."""
        family = topic.partition(".")[0] + ".*"
        return not self.topics or topic in self.topics or family in self.topics


class Links(_Part):
    """All links of a city, and how patient they are (seconds).

    ``again_s``: how long until the next try, the last one for all that follow; danger has its own.
    ``give_up_h``: hours until a delivery is given up. ``window_s``: how old a signed message may
    be, or how far ahead its clock.
    """

    parties: tuple[Party, ...] = ()
    targets: tuple[Target, ...] = ()
    connect_s: float = Field(default=3, gt=0, le=30)
    total_s: float = Field(default=10, gt=0, le=60)
    largest_reply: int = Field(default=64 * 1024, ge=1024, le=1024 * 1024)
    again_s: tuple[Annotated[float, Field(gt=0, le=86400)], ...] = Field(
        default=(5, 30, 120, 600, 1800, 3600), min_length=1
    )
    danger_again_s: tuple[Annotated[float, Field(gt=0, le=3600)], ...] = Field(
        default=(1, 2, 5, 10, 15, 30), min_length=1
    )
    give_up_h: float = Field(default=24, gt=0, le=720)
    window_s: int = Field(default=300, ge=10, le=3600)

    @model_validator(mode="after")
    def _names_once(self) -> Links:
        names = [p.name for p in self.parties] + [t.name for t in self.targets]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"{', '.join(doubled)}: given twice")
        return self

    def party(self, name: str) -> Party | None:
        """The party of that name."""
        return next((party for party in self.parties if party.name == name), None)

    def target(self, name: str) -> Target | None:
        """The webhook's target of that name."""
        return next((target for target in self.targets if target.name == name), None)

    @property
    def lease_s(self) -> float:
        """How long one try may take before another courier makes the next."""
        return self.connect_s + self.total_s + 5
