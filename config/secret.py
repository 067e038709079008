"""The installation's secret: signs sessions; made once, readable by its owner only."""

from __future__ import annotations

import os
import secrets

from config.settings import Settings


def secret_key(settings: Settings) -> str:
    """The key of the settings, else the one kept in ``data_dir/secret``, made where missing."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()
