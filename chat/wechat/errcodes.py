"""What the platform's return codes (全局返回码) mean for us, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Remedy = Literal[
    "again",  # busy: the same call may succeed in a moment
    "slow",  # too many calls this minute: the same call later
    "token",  # the access token is not, or no longer, good
    "stop",  # trying again changes nothing
]


@dataclass(frozen=True, slots=True)
class Meaning:
    """``code`` is stable; ``remedy`` what may help; ``harmless``: as good as done."""

    code: str
    remedy: Remedy = "stop"
    harmless: bool = False


UNKNOWN = Meaning("wechat_refused")
ERRCODES: dict[int, Meaning] = {
    -1: Meaning("wechat_busy", "again"),
    40001: Meaning("token_invalid", "token"),
    40014: Meaning("token_invalid", "token"),
    41001: Meaning("token_invalid", "token"),
    42001: Meaning("token_expired", "token"),
    40002: Meaning("request_wrong"),
    40003: Meaning("openid_invalid"),
    40007: Meaning("media_invalid"),
    40013: Meaning("appid_invalid"),
    40037: Meaning("template_invalid"),
    40125: Meaning("secret_invalid"),
    40164: Meaning("address_not_listed"),
    40243: Meaning("secret_frozen"),
    41002: Meaning("appid_invalid"),
    41004: Meaning("secret_invalid"),
    41028: Meaning("template_invalid"),
    41030: Meaning("template_invalid"),
    43004: Meaning("unsubscribed"),
    43101: Meaning("notice_refused"),
    43107: Meaning("notice_refused"),
    44002: Meaning("request_wrong"),
    44003: Meaning("request_wrong"),
    44004: Meaning("text_empty"),
    45002: Meaning("text_too_long"),
    45008: Meaning("too_many_articles"),
    45009: Meaning("quota_of_calls"),
    45011: Meaning("calls_too_fast", "slow"),
    45015: Meaning("window_over"),
    45047: Meaning("quota_of_messages"),
    45072: Meaning("request_wrong"),
    45080: Meaning("typing_too_late", harmless=True),
    45081: Meaning("typing_already", harmless=True),
    47001: Meaning("request_wrong"),
    47003: Meaning("template_invalid"),
    48001: Meaning("right_missing"),
    48002: Meaning("messages_blocked"),
    48004: Meaning("account_blocked"),
    50002: Meaning("account_blocked"),
}


def meaning(errcode: int) -> Meaning:
    """What ``errcode`` means; codes that nobody listed are refusals."""
    return ERRCODES.get(errcode, UNKNOWN)
