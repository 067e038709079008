"""Return codes of WeChat's API, as its global list has them."""

from __future__ import annotations

MESSAGES = {
    -1: "system error",
    0: "ok",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40015: "invalid menu type",
    40016: "invalid button size",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40033: "invalid charset",
    40037: "invalid template_id",
    40066: "invalid url",
    40125: "invalid appsecret",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41006: "media_id missing",
    41009: "openid missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45002: "content size out of limit",
    45003: "title size out of limit",
    45004: "description size out of limit",
    45005: "url size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "no message from the user in the last 30 seconds",
    45081: "typing status is already set",
    45098: "msgmenu list size is out of limit",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
}


class Refusal(Exception):  # noqa: N818  # the platform's answer, not a failure of ours
    """A call that the platform answers with ``errcode``; ``what`` names the field at fault."""

    def __init__(self, errcode: int, what: str = "") -> None:
        super().__init__(MESSAGES.get(errcode, "error") + (f" {what}" if what else ""))
        self.errcode = errcode
