"""A request of WeChat's opened: whether it is genuine, what is in it, how to answer. Pure.

With an EncodingAESKey set, only what is encrypted is believed: in plain mode nothing signs the
body. Who changes modes goes by way of compatible mode, where both of us understand each other with
the key and without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chat.wechat.crypto import AesKey, aes_key, unseal
from chat.wechat.envelope import Fields, read, text_of
from chat.wechat.incoming import Incoming, Mode, incoming_of
from chat.wechat.incoming_errors import IncomingError
from chat.wechat.passive import Format, Way
from chat.wechat.signature import is_timely, signed_by
from config.settings import Settings

_LONGEST_ECHO = 200


@dataclass(frozen=True, slots=True)
class Account:
    """An Official Account, as set up here and at the platform: newest token and key first."""

    appid: str
    tokens: tuple[str, ...] = field(repr=False)
    keys: tuple[AesKey, ...] = field(default=(), repr=False)
    skew_s: float = 300


def account_of(settings: Settings) -> Account | None:
    """The account of an installation, None where it has none.

    Raises :class:`IncomingError` ``aes_key_invalid``.
    """
    if not settings.wechat_appid or not settings.wechat_token:
        return None
    tokens = filter(None, (settings.wechat_token, settings.wechat_token_before))
    keys = filter(None, (settings.wechat_aes_key, settings.wechat_aes_key_before))
    return Account(
        settings.wechat_appid, tuple(tokens), tuple(map(aes_key, keys)), settings.wechat_skew_s
    )


def echo(account: Account, query: Mapping[str, str], now_s: float) -> str:
    """What the platform's check of our address (接入验证) is answered.

    Raises :class:`IncomingError` ``signature_wrong``, ``stamp_stale``, ``field_invalid``.
    """
    _token(account, query, "signature")
    _in_time(account, query, now_s)
    said = query.get("echostr", "")
    if not said or len(said) > _LONGEST_ECHO or not said.isascii() or not said.isprintable():
        raise IncomingError("field_invalid")
    return said


def opened(
    account: Account, query: Mapping[str, str], body: bytes, now_s: float
) -> tuple[Incoming, Way]:
    """The message in a request, and the way of its answer. Raises :class:`IncomingError`."""
    outer = read(body)
    format_: Format = "json" if body.lstrip()[:1] in (b"{", b"\xef") else "xml"
    sealed = text_of(outer, "Encrypt")
    if not account.keys:
        token = _token(account, query, "signature")
        _in_time(account, query, now_s)
        if sealed and not text_of(outer, "FromUserName"):
            raise IncomingError("key_missing")
        mode: Mode = "compatible" if sealed else "plain"
        return incoming_of(outer, mode), Way(format_, account.appid, token, None)
    if not sealed:
        raise IncomingError("encrypt_missing")
    token = _token(account, query, "msg_signature", sealed)
    _in_time(account, query, now_s)
    found = unseal(account.keys, account.appid, sealed)
    mode = "compatible" if text_of(outer, "FromUserName") else "secure"
    incoming = incoming_of(_inner(outer, found.text), mode)
    return incoming, Way(format_, account.appid, token, found.key)


def _inner(outer: Fields, text: bytes) -> Fields:
    """What was sealed; the envelope may not name another account."""
    inner = read(text)
    to = text_of(outer, "ToUserName")
    if to and to != text_of(inner, "ToUserName"):
        raise IncomingError("account_other")
    return inner


def _token(account: Account, query: Mapping[str, str], name: str, *parts: str) -> str:
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    token = signed_by(query.get(name, ""), account.tokens, stamp, nonce, *parts)
    if token is None:
        raise IncomingError("signature_wrong")
    return token


def _in_time(account: Account, query: Mapping[str, str], now_s: float) -> None:
    if not is_timely(query.get("timestamp", ""), now_s, account.skew_s):
        raise IncomingError("stamp_stale")
