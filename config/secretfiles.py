"""Secrets from files, as containers and systemd hand them over: one file a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from config.errors import ConfigError

STANDARD = Path("/run/secrets")
SECRETS = (
    "secret_key", "data_key", "database_url", "redis_url", "oidc_client_secret", "sip_password",
    "link_keys", "wechat_secret", "wechat_token", "wechat_token_before", "wechat_aes_key",
    "wechat_aes_key_before",
)  # fmt: skip
"""The settings that may stand in files named ``qianmen_…``."""
_LIMIT = 16 * 1024


def secrets_folder(wanted: Path | None) -> Path | None:
    """The folder of the setting, else ``/run/secrets`` where there is one, else none.

    Raises :class:`ConfigError` ``secrets_missing`` where the setting's folder does not exist.
    """
    if wanted is None:
        return STANDARD if STANDARD.is_dir() else None
    if not wanted.is_dir():
        raise ConfigError("secrets_missing", f"QIANMEN_SECRETS_DIR: {wanted} is no folder")
    return wanted


def read_secrets(folder: Path) -> dict[str, str]:
    """The secrets that stand in ``folder``, by setting, without white space around them.

    Raises :class:`ConfigError` ``secret_unreadable``, ``secret_empty``; no message has a value.
    """
    found = {name: folder / f"qianmen_{name}" for name in SECRETS}
    return {name: _read(path) for name, path in found.items() if path.exists()}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
        text = content.decode("utf-8").strip()
    except OSError as error:
        raise ConfigError("secret_unreadable", f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError("secret_unreadable", f"{path}: is no text") from None
    if len(content) > _LIMIT or any(character in text for character in "\r\n\0"):
        raise ConfigError("secret_unreadable", f"{path}: a secret is one line of text")
    if not text:
        raise ConfigError("secret_empty", f"{path}: is empty")
    return text


class SecretFiles(PydanticBaseSettingsSource):
    """The source of settings that reads them; ``secrets_dir`` comes from the sources before."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002  # the base's signature
        """Not asked: all are read at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """What stands in the files, where nothing before has set it."""
        wanted = self.current_state.get("secrets_dir")
        folder = secrets_folder(Path(wanted) if wanted else None)
        return {} if folder is None else read_secrets(folder)
