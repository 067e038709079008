"""The keys that sign what travels over links: one secret line, ``110=KEY erp=KEY,PREVIOUS``. Pure.

Two keys of one name are a rotation: we sign with both, and accept either, until the previous one
is taken away on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from config.errors import ConfigError

SHORTEST = 24
"""Characters of a key; ``qianmen link new-key`` makes 43 (256 bits)."""
MOST = 2
_NAME = re.compile(r"[a-z0-9_-]{1,40}")
Keys = tuple[bytes, ...]


def read_keys(text: str) -> Mapping[str, Keys]:
    """The keys by link, the current one first; raises ConfigError ``settings_invalid``.

    No message holds a key.
    """
    found: dict[str, Keys] = {}
    for position, entry in enumerate(text.split(), 1):
        name, _, rest = entry.partition("=")
        keys = tuple(key.encode() for key in rest.split(","))
        if not _NAME.fullmatch(name) or name in found:
            raise _wrong(f"entry {position}: must be NAME=KEY, each name once")
        if len(keys) > MOST or any(len(key) < SHORTEST for key in keys):
            raise _wrong(f"{name}: one key or two, of {SHORTEST} characters or more")
        found[name] = keys
    return found


def _wrong(what: str) -> ConfigError:
    return ConfigError("settings_invalid", f"QIANMEN_LINK_KEYS: {what}")
