"""Orders in words: steps, rules, links, deliveries, surveys. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.orders import VERBS
from handoff.order.guards import SCORES
from web import labels

_EVENTS = {
    **VERBS,
    "edited": "修改",
    "confirmed": "核对",
    "follow": "随主单",
    "took_over": "并入了工单",
    "gave_back": "拆出了工单",
    "linked": "发起联动",
    "link_updated": "补充告知联动单位",
    "link_sent": "发给联动单位",
    "link_pushed": "联动单位推送",
    "link_receipt": "联动单位回执",
    "link_acknowledged": "联动单位已确认",
    "link_refused": "联动单位退回",
    "link_failed": "联动没有送达",
    "transferred": "电话转给",
    "repeated": "重复诉求",
    "surveyed": "市民评价",
    "told_late": "编号补告市民",
    "phone_failed": "坐席话机没有接通",
    "created": "由其他系统登记",
}
_RULES = (
    ("caller", "来电号码"),
    ("form", "市民回答提问"),
    ("said.danger", "险情描述"),
    ("said", "市民说过的话"),
    ("act", "对市民意图的判断"),
    ("knowledge", "政策事项匹配"),
    ("matter", "事项对应的单位"),
    ("scene", "扫码的地点"),
    ("class", "分类规则"),
    ("words", "分类规则"),
    ("learned", "以往工单的规律"),
    ("extract", "从话里提取"),
    ("agent", "坐席填写"),
    ("api", "其他系统填写"),
    ("title", "自动拟的标题"),
    ("summary", "自动摘要"),
)
_EXTRACTED = "从话里提取"
_ANEW = {"danger": "又一种险情"}
_BY_FORM = "form:"  # the form that the city's words chose; ``form.NAME`` is an answer to it
LINK_STATES = {
    "waiting": "待发送",
    "sent": "已发出，等确认",
    "acknowledged": "对方已确认",
    "refused": "对方退回",
    "failed": "没有送达",
    "transferred": "电话已转",
}
DELIVERY_STATES = {"waiting": "待发送", "sent": "已送达", "given_up": "多次失败，已放弃"}
TOPICS = {
    "order.created": "新工单",
    "order.changed": "工单变化",
    "order.danger": "险情",
    "order.merged": "并单",
}
HOW = {"keys": "按键", "voice": "语音", "button": "网页", "visit": "电话回访"}
ABOUT = {"agent": "人工服务", "bot": "智能助手", "order": "办理结果"}
SCORE_NAMES = {**SCORES, "": "没有评价"}


def event(code: str, data: Mapping[str, Any]) -> str:
    """What happened to the order, with what the program knows of it."""
    if code not in _EVENTS:
        return labels.event(code, dict(data))
    return _EVENTS[code] + _more(code, data)


def _more(code: str, data: Mapping[str, Any]) -> str:
    if code in ("dispatch", "reassign", "decide", "redo"):
        helpers = "、".join(str(name) for name in data.get("departments") or ())
        told = f"：主办 {data.get('department', '')}"
        return told + (f"，协办 {helpers}" if helpers else "")
    if code in ("edited", "confirmed"):
        return "：" + "、".join(labels.field(str(name)) for name in data.get("fields") or ())
    if code == "extend":
        return f" {data.get('workdays', 0)} 个工作日"
    if code == "visit":
        return "：" + visited(data)
    if code == "link_updated":
        facts = [_ANEW.get(str(one)) or labels.field(str(one)) for one in data.get("facts") or ()]
        parties = "、".join(str(name) for name in data.get("parties") or ())
        return f"：{'、'.join(facts)}" + (f"（{parties}）" if parties else "")
    if code == "linked":
        return "：" + "、".join(str(name) for name in data.get("parties") or ())
    told = next((str(data[key]) for key in ("into", "from", "to", "party", "main")
                 if data.get(key)), "")  # fmt: skip
    return f"：{told}" if told else ""


def visited(data: Mapping[str, Any]) -> str:
    """What a return visit found."""
    if not data.get("reached"):
        return "没有联系上"
    told = data.get("solved")
    solved = "" if told is None else "已解决" if told else "没有解决"
    score = SCORES.get(str(data.get("score") or ""))
    return "，".join(part for part in ("已联系上", solved, score) if part)


def rule(code: str) -> str:
    """What filled a field; whatever has no words of its own read it in what was said."""
    if code.startswith(_BY_FORM):
        return "城市设定的关键词"
    for prefix, told in _RULES:
        if code == prefix or code.startswith((prefix + ".", prefix + ":", prefix + "_")):
            return told
    return _EXTRACTED


def actor(code: str, names: Mapping[str, str]) -> str:
    """Who did it: the bot, the system, another system, or somebody of the staff by name."""
    if code.startswith("key:"):
        return f"系统 {code.removeprefix('key:')}"
    return names.get(code) or labels.actor(code)
