"""What people read instead of the names of an order's fields. Pure."""

from __future__ import annotations

FIELDS = {
    "number": "工单编号",
    "created_at": "受理时间",
    "channel": "来源",
    "line": "服务号码",
    "conversation": "对话编号",
    "conversation_state": "对话状态",
    "name": "姓名",
    "phone": "联系电话",
    "contact": "备用电话",
    "language": "语言需要",
    "outcome": "期望结果",
    "against": "被反映对象",
    "title": "标题",
    "summary": "摘要",
    "code": "分类",
    "kind": "诉求类型",
    "matter": "涉及事项",
    "what": "诉求内容",
    "where": "发生地点",
    "district": "区县",
    "street": "街道乡镇",
    "community": "小区村社",
    "detail": "详细位置",
    "when": "发生时间",
    "amount": "涉及金额",
    "people": "涉及人数",
    "employer": "用人单位",
    "period": "拖欠时段",
    "urgency": "紧急程度",
    "state": "办理状态",
    "department": "主办单位",
    "departments": "协办单位",
    "secret": "是否保密",
    "visit": "是否回访",
    "reference": "110 编号",
    "due_at": "办理期限",
    "extended_to": "延期至",
    "agent": "坐席",
}


def field(name: str) -> str:
    """The field's label; an unknown one as it is."""
    return FIELDS.get(name, name)
