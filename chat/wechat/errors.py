"""What goes wrong with WeChat's platform, under stable codes."""

from __future__ import annotations

UNREACHABLE = "wechat_unreachable"
"""Nothing was sent."""
UNSURE = "wechat_timeout"
"""The call was sent, and nobody knows what became of it."""


class WeChatError(Exception):
    """A call that came to nothing.

    ``code``: one of :mod:`chat.wechat.errcodes`, or ``wechat_unreachable`` (never sent),
    ``wechat_timeout`` (sent, no answer), ``wechat_malformed`` (an answer that is none),
    ``wechat_http_NNN``, ``wechat_too_fast`` (our own limit), ``media_too_large``, ``media_empty``.
    ``errcode`` is the platform's, 0 where it gave none. The message holds nothing of a citizen.
    """

    def __init__(self, code: str, errcode: int = 0) -> None:
        super().__init__(f"{code} ({errcode})" if errcode else code)
        self.code = code
        self.errcode = errcode

    @property
    def passing(self) -> bool:
        """Whether the same may go through later, with nothing changed."""
        return self.code in _PASSING or self.code.startswith("wechat_http_5")


_PASSING = frozenset(
    {
        UNREACHABLE, UNSURE, "wechat_busy", "wechat_malformed", "wechat_too_fast",
        "calls_too_fast", "quota_of_calls", "token_invalid", "token_expired",
        # what an administrator mends: the citizen's answer waits until then
        "appid_invalid", "secret_invalid", "secret_frozen", "address_not_listed", "right_missing",
        "account_blocked",
    }
)  # fmt: skip
