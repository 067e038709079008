"""The seal of this installation's database: personal columns encrypted with the city's key."""

from __future__ import annotations

from typing import TypeAlias

from sealing.errors import SealError as SealError
from sealing.keys import keyring
from sealing.words import WordSeal

StoreSeal: TypeAlias = WordSeal


def seal_from(keys: str) -> StoreSeal | None:
    """The seal of the installation's ``data_key``; None without one.

    Raises :class:`SealError` ``data_key_invalid``.
    """
    ring = keyring(keys)
    return WordSeal(ring, "database") if ring else None
