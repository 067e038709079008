"""What an agent's page is told when something cannot be done."""

from __future__ import annotations

from turns.calls import FAILURES

TEXTS = {
    "frame_binary": "页面发来的内容读不懂，请刷新页面。",
    "frame_too_big": "一次发送的内容太长了。",
    "frame_malformed": "页面发来的内容读不懂，请刷新页面。",
    "frame_unknown": "这个版本还不支持这个操作，请刷新页面。",
    "hello_first": "页面还没有连上，请刷新。",
    "hello_again": "页面已经连上了。",
    "form_expired": "页面放得太久了，请刷新后再试。",
    "text_empty": "还没有写内容。",
    "text_too_long": "内容太长了，请分几次发。",
    "too_fast": "点得太快了，请稍等一下。",
    "offer_gone": "这个来访已经由别人接待，或者市民已经离开。",
    "entry_unknown": "没有找到这位市民的接待记录，可能已经结束。",
    "entry_changed": "内容刚刚有了变化，请看最新的再改。",
    "not_yours": "这位市民现在不由您接待。",
    "agent_unknown": "没有这位坐席，或者现在不在线。",
    "status_unknown": "没有这个状态。",
    "reason_unknown": "没有这个原因。",
    "full": "您接待的人数已经到上限了。",
    "target_unknown": "没有这个转接对象。",
    "not_staffed": "现在没有人能接。",
    "right_missing": "您没有这个操作的权限。",
    "phone_missing": "您的账号没有登记话机，接不了来电，请联系系统管理员。",
    "calls_unavailable": "电话服务没有连上，请稍后再试。",
    "verb_unknown": "没有这个电话操作。",
    "no_call": "这不是电话来访，不能这样操作。",
    "no_chat": "这是电话来访，请直接和市民说。",
    "citizen_gone": "市民已经离开，话没有送到。",
    "result_unknown": "请选一个办理结果。",
    "field_unknown": "工单上没有这一项。",
    "value_too_long": "填写的内容太长了。",
    "answer_unknown": "没有找到这条答复，可能已经停用。",
    "order_unknown": "没有找到这张工单。",
    "order_secret": "这张工单要求保密，您没有参与办理，不能查看。",
    "party_unknown": "没有这个联动单位。",
    "alarm_unknown": "没有找到这条提醒。",
    "callback_unknown": "没有找到这条回拨，可能已经有人处理。",
    "store_down": "数据库暂时连不上，请稍后再试。",
    "not_signed_in": "登录已经失效，请重新登录。",
    "internal": "系统出了点问题，请稍后再试。",
}
"""Every code that a desk may be refused with, in words for its agent."""


class DeskError(Exception):
    """Something an agent asked for and does not get; ``code`` is one of ``TEXTS``, a code of
    ``turns.calls.FAILURES``, or one of another room's (then ``text`` says it).

    ``id`` is the frame's, '' where it had none.
    """

    def __init__(self, code: str, id_: str = "", text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.id = id_
        self.text = text or text_of(code)


def text_of(code: str) -> str:
    """What an agent reads for ``code``; a plain sentence where nobody worded it."""
    return TEXTS.get(code) or FAILURES.get(code) or TEXTS["internal"]
