"""What a conversation is about: kept for follow-ups, passed to Rasa as metadata."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """The matter (code), aspect, region (code) and person the talk is about; '' when unknown."""

    matter: str = ""
    aspect: str = ""
    region: str = ""
    for_whom: str = ""
