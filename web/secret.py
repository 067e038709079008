"""The installation's secret: from the settings, else made once and kept beside the data."""

from __future__ import annotations

import os
import secrets

from config.errors import ConfigError
from config.settings import Settings

MIN_CHARS = 16
_FILE = "secret.key"


def secret_key(settings: Settings) -> str:
    """The key that signs sessions and lets the command line in.

    Raises :class:`ConfigError` ``settings_invalid`` for one too short, ``secret_unreadable``.
    """
    key = settings.secret_key or _kept(settings)
    if len(key) < MIN_CHARS:
        raise ConfigError(
            "settings_invalid", f"QIANMEN_SECRET_KEY: needs at least {MIN_CHARS} characters"
        )
    return key


def _kept(settings: Settings) -> str:
    path = settings.data_dir / _FILE
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with open(  # the opener sets the mode before the first byte is written
            path, "x", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)
        ) as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError("secret_unreadable", f"{path}: {error.strerror}") from None
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigError("secret_unreadable", f"{path}: cannot be read") from None
