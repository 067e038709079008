"""Why something cannot be sealed or opened."""

from __future__ import annotations


class SealError(Exception):
    """The key, or what it should open, cannot be used; ``code`` is stable.

    ``data_key_invalid``: not written as a key is. ``data_key_missing``: sealed data, but no key.
    ``data_key_wrong``: sealed with a key that is not among the given ones. ``sealed_broken``: the
    right key, but what stands there was changed, cut or damaged.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
