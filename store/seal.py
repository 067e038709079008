"""The seal of this installation's database: personal columns encrypted with the city's key."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Engine

from sealing.errors import SealError as SealError
from sealing.keys import Keyring, keyring
from sealing.words import WordSeal

StoreSeal: TypeAlias = WordSeal


def seal_from(keys: str) -> StoreSeal | None:
    """The seal of the installation's ``data_key``; None without one.

    Raises :class:`SealError` ``data_key_invalid``.
    """
    ring = keyring(keys)
    return WordSeal(ring, "database") if ring else None


def seal_of(engine: Engine) -> StoreSeal | None:
    """The seal that ``engine`` was opened with."""
    seal: StoreSeal | None = getattr(engine.dialect, "seal", None)
    return seal


def keys_of(engine: Engine) -> Keyring | None:
    """The keys that ``engine`` was opened with: they seal recordings too."""
    seal = seal_of(engine)
    return seal.ring if seal else None
