"""Why something that claims to come from WeChat is refused, under stable codes."""

from __future__ import annotations


class IncomingError(Exception):
    """A request that is no message of WeChat's to us.

    ``code``: ``aes_key_invalid``; ``body_too_large``, ``body_broken``, ``body_doctype``,
    ``body_too_deep``, ``field_twice``; ``signature_wrong``, ``stamp_stale``, ``encrypt_missing``
    (it came plain, but we have a key), ``key_missing`` (the other way round), ``cipher_broken``,
    ``cipher_wrong``, ``appid_other``; ``field_invalid``, ``account_other``. The message holds
    nothing of a citizen.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
