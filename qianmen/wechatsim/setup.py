"""Whom the simulated platform serves: the installation's account, or one made for the run."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from config.errors import ConfigError
from config.settings import Settings
from qianmen.wechatsim.account import Account, Format, Mode

PORT = 8120
"""Where an account that is made for the run looks for the platform."""
PATH = "/wechat"
"""Where the front door takes the platform's pushes."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The account, its next EncodingAESKey ('' none), and the port where its API is looked for."""

    account: Account
    next_key: str
    port: int


def made(settings: Settings, port: int = PORT) -> Settings:
    """The settings with an account made for this run, whose API is at ``port``; it may rotate."""
    return settings.model_copy(update={
        "wechat_appid": f"wx{secrets.token_hex(8)}", "wechat_secret": secrets.token_hex(16),
        "wechat_token": secrets.token_urlsafe(12), "wechat_aes_key": aes_key(),
        "wechat_aes_key_before": aes_key(), "wechat_api": f"http://127.0.0.1:{port}",
    })  # fmt: skip


def aes_key() -> str:
    """A new EncodingAESKey: 43 letters and digits."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode()[:43]
        if key.isalnum():
            return key


def setup_of(settings: Settings, mode: Mode, format: Format, *, rotate: bool = False) -> Setup:  # noqa: A002  # WeChat's word
    """The account of the installation's settings; ``rotate``: it begins with the key before.

    Raises ``ConfigError``: ``wechat_unset``, ``wechat_api_elsewhere``, ``wechat_key_missing``.
    """
    if not (settings.wechat_appid and settings.wechat_token):
        raise ConfigError(
            "wechat_unset",
            "QIANMEN_WECHAT_APPID、QIANMEN_WECHAT_TOKEN 没有设置；前门没有启动时不写 --url，"
            "就用一个临时的公众号",
        )
    keys = (settings.wechat_aes_key_before, settings.wechat_aes_key)
    if (mode != "plain" and not keys[1]) or (rotate and not keys[0]):
        name = "QIANMEN_WECHAT_AES_KEY" + ("" if not keys[1] else "_BEFORE")
        raise ConfigError("wechat_key_missing", f"{name}：这样运行要有消息加解密密钥")
    first, after = keys if rotate else (keys[1], "")
    account = Account(settings.wechat_appid, settings.wechat_secret, settings.wechat_token, first,
                      mode=mode, format=format)  # fmt: skip
    return Setup(account, after, _port(settings.wechat_api))


def _port(api: str) -> int:
    parts = urlsplit(api)
    if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost"):
        raise ConfigError(
            "wechat_api_elsewhere",
            f"QIANMEN_WECHAT_API 现在是 {api}；要用模拟平台，"
            f"请设成 http://127.0.0.1:{PORT} 再启动前门",
        )
    return parts.port or 80
