"""One push of the platform's: its query and its body, in the account's mode and format."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qianmen.wechatsim import xmlwire
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.crypto import seal, signature


@dataclass(frozen=True, slots=True)
class Push:
    """What is sent to the account's server, ready for the wire."""

    query: Mapping[str, str]
    body: bytes
    content_type: str


def enclosed(account: Account, message: Mapping[str, Any], at: int) -> Push:
    """``message`` signed at ``at`` (seconds of the epoch), with a nonce of its own."""
    stamp, nonce = str(at), str(secrets.randbelow(10**10))
    query = {"signature": signature(account.token, stamp, nonce), "timestamp": stamp,
             "nonce": nonce, "openid": str(message["FromUserName"])}  # fmt: skip
    if account.mode == "plain":
        return _push(account, query, message)
    sealed = seal(account.aes_key, account.appid, _written(account, message))
    query["encrypt_type"] = "aes"
    query["msg_signature"] = signature(account.token, stamp, nonce, sealed)
    shown = message if account.mode == "compatible" else {"ToUserName": message["ToUserName"]}
    return _push(account, query, {**shown, "Encrypt": sealed})


def checking(account: Account, at: int) -> tuple[Mapping[str, str], str]:
    """The query that checks a new server, and the echo that must come back."""
    stamp, nonce, echo = str(at), str(secrets.randbelow(10**10)), str(secrets.randbelow(10**19))
    return {"signature": signature(account.token, stamp, nonce), "echostr": echo,
            "timestamp": stamp, "nonce": nonce}, echo  # fmt: skip


def _push(account: Account, query: Mapping[str, str], body: Mapping[str, Any]) -> Push:
    kind = "application/json" if account.format == "json" else "text/xml"
    return Push(query, _written(account, body), kind)


def _written(account: Account, fields: Mapping[str, Any]) -> bytes:
    if account.format == "json":
        return json.dumps(fields, ensure_ascii=False).encode()
    return xmlwire.document(fields)
