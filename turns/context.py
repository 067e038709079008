"""What a conversation is about: kept for follow-ups, passed to Rasa as metadata."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """The matter (code), aspect, region (code) and person the talk is about; '' when unknown.

    ``place``: where the citizen said they are by sending a place, with turn ``place_from``.
    ``department``: the name of the one in whose house they scanned a code; '' elsewhere.
    """

    matter: str = ""
    aspect: str = ""
    region: str = ""
    for_whom: str = ""
    place: str = ""
    place_from: str = ""
    department: str = ""
