"""Which account the simulated platform serves, and how its messages are set to travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["plain", "compatible", "secure"]
Format = Literal["xml", "json"]


@dataclass(frozen=True, slots=True)
class Account:
    """An Official Account as set up at the platform.

    ``original_id``: the ``gh_…`` that citizens' messages are addressed to. ``aes_key`` is the
    EncodingAESKey of 43 characters; plain mode needs none.
    """

    appid: str
    secret: str
    token: str
    aes_key: str = ""
    original_id: str = "gh_7f083739789a"
    mode: Mode = "secure"
    format: Format = "xml"
