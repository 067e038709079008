"""Encryption of personal data at rest, with the city's key."""

from __future__ import annotations

from store.types import Seal


class SealError(Exception):
    """The key, or what it should open, cannot be used; ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def seal_from(keys: str) -> Seal | None:
    """The seal of the installation's ``data_key``; None without one."""
    if not keys:
        return None
    raise SealError("data_key_invalid", "sealing is not built yet")
