"""What is wrong with the configuration, said so that its keeper can mend it."""

from __future__ import annotations


class ConfigError(Exception):
    """Configuration that cannot be used; ``code`` is stable, the message names the place."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
