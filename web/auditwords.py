"""The audit in words: who did it, and the details that programs wrote down as codes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from web import labels
from web.desk import labels as desk

_DETAILS = {
    "changed": "改动",
    "roles": "角色",
    "former": "原来的角色",
    "name": "姓名",
    "phone_uri": "话机",
    "skills": "技能",
    "capacity": "同时接待",
    "lines": "条数",
    "before": "早于",
    "result": "结果",
    "reply": "消息",
    "actor": "人员",
    "action": "操作",
    "since": "起",
    "until": "止",
    "reason": "原因",
    "conversations": "对话",
    "conversation": "对话",
    "recordings": "录音",
    "transcripts": "对话文字",
    "orders": "工单",
    "order": "工单",
    "audit_lines": "操作记录",
    "sentences": "合成的语音",
    "failed": "没能删除的文件",
    "kept": "保留",
    "account": "系统账户",
    "made_at": "备份时间",
    "revision": "恢复前的版本",
    "chain_anew": "重新建立防改动的链",
    "rows": "数据行数",
    "files": "文件",
    "waiting": "待加密的录音",
    "retired": "可以停用的密钥",
    "broken": "打不开的",
    "version": "版本",
    "state": "状态",
    "edition": "改动次数",
    "why": "理由",
    "fields": "栏目",
    "target": "转接对象",
    "answers": "答复",
    "matters": "事项",
    "status": "坐席状态",
    "to": "转给",
    "skill": "技能组",
    "party": "联动单位",
    "answer": "答复编号",
}
_VALUES = {
    ("result", "ok"): "完整",
    ("result", "line_changed"): "有记录被改动",
    ("result", "line_missing"): "有记录被删",
    ("result", "line_unreadable"): "有记录读不出来",
    ("result", "end_missing"): "最近的记录被删",
    ("result", "audit_anchor_unreadable"): "对照文件读不出来",
    ("orders", "keep"): "保留",
    ("orders", "closed"): "只删已办结的",
    ("orders", "all"): "全部删除",
    ("reason", "live"): "对话还没结束",
    ("reason", "waiting"): "还在等人工",
    ("reason", "open_order"): "工单还没办结",
    ("reason", "order_on_record"): "工单按规定留存",
    ("reason", "recording_not_deleted"): "录音没能删除",
}
_ACTORS = {
    "command-line": "命令行",
    "system": "系统",
    "system:retention": "系统（到期清除）",
    "single-sign-on": "统一认证",
}
_CLI, _UNKNOWN = "cli:", "unknown:"
UNKNOWN = "未知登录名"
_COUNTED = frozenset({"conversations", "recordings", "transcripts", "orders", "sentences"})


def actor(code: str) -> str:
    """Who did it; a login as it is."""
    if code.startswith(_CLI):
        return f"命令行（{code.removeprefix(_CLI)}）"
    if code.startswith(_UNKNOWN):
        return UNKNOWN
    return _ACTORS.get(code, code)


def actor_code(told: str) -> str:
    """What :func:`actor` was made of, for whoever looks for it; a code or a login as it is.

    For ``UNKNOWN`` the beginning of the code: there is one for each login that was tried.
    """
    if told == UNKNOWN:
        return _UNKNOWN
    if told.startswith("命令行（") and told.endswith("）"):
        return _CLI + told.removeprefix("命令行（").removesuffix("）")
    return next((code for code, words in _ACTORS.items() if words == told), told)


def details(data: Mapping[str, object]) -> str:
    """The data of one line in short: ``角色 坐席，原来的角色 班长``."""
    return "，".join(_pair(name, data[name]) for name in data if name != "chain")


def _pair(name: str, value: object) -> str:
    return f"{_DETAILS.get(name, name)} {_value(name, value)}".strip()


def _value(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return _nested(value)
    if isinstance(value, list):
        return "、".join(_value(name, item) for item in value) or "无"
    if value is None or value == "":
        return "无"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int):
        return f"{value} 条" if name in _COUNTED else str(value)
    return _word(name, str(value))


def _nested(value: Mapping[object, object]) -> str:
    """``工单 2026112200004（还在等人工）``: what it is about, and why."""
    why = value.get("reason")
    rest = "，".join(_pair(str(name), value[name]) for name in value if name != "reason")
    return f"{rest}（{_value('reason', why)}）" if why else rest


def _word(name: str, value: str) -> str:
    if name == "action":
        return labels.action(value)
    if name == "changed":
        return _DETAILS.get(value, value)
    if name in ("roles", "former"):
        return labels.role(value)
    if name == "state":
        return desk.state(value)
    if name == "fields":
        return desk.FIELDS.get(value, value)
    return _VALUES.get((name, value), value)
