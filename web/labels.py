"""What staff read instead of the codes that programs use. Pure."""

from __future__ import annotations

from typing import Any

from handoff.labels import FIELDS as FIELDS
from handoff.labels import field as field
from handoff.profile import ROLES

CHANNELS = {"phone": "电话", "web": "网页", "wechat": "微信", "observer": "民意观察员",
            "110": "110", "api": "其他系统"}  # fmt: skip
URGENCIES = {"danger": "紧急", "urgent": "加急", "normal": "一般"}
SPEAKERS = {"citizen": "市民", "bot": "智能助手", "agent": "坐席", "system": "系统"}
STATES = {"bot": "智能助手接待", "waiting": "等待人工", "agent": "人工接待", "ended": "已结束"}
KINDS = ("咨询", "求助", "投诉", "举报", "建议", "表扬", "其他")
EVENTS = {
    "accepted": "受理",
    "completed": "补充内容",
    "handed_over": "转人工",
    "raised_to_danger": "升为险情",
    "offered": "派给坐席",
    "taken": "坐席接受",
    "declined": "坐席谢绝",
    "lapsed": "坐席没有接",
    "vanished": "坐席掉线",
    "away": "坐席离席",
    "connected": "接通人工",
    "not_connected": "没有接通",
    "returned": "坐席掉线，回到队首",
    "passed_on": "转给同事",
    "given_back": "交回智能助手",
    "citizen_left": "市民结束通话或对话",
    "parted": "坐席先挂断",
    "abandoned": "市民没有等到就离开",
    "callback": "等待回拨",
    "callback_taken": "开始回拨",
    "callback_done": "回拨完成",
    "callback_failed": "回拨没有打通",
    "callback_met": "市民再次来电已接通，不再回拨",
    "callback_reopened": "回拨没有完成，重新等待",
    "finished": "结束接待",
    "note": "备注",
    "replied": "坐席回复",
}
ROLE_NOTES = {
    "agent": "看工单和对话、听录音、回复市民",
    "editor": "编写政策答复，看不到市民的信息",
    "approver": "审核发布政策答复，看不到市民的信息",
    "supervisor": "坐席能做的都能做，还能看政策答复和操作记录",
    "administrator": "管理账号、看操作记录，看不到工单",
}
ACTIONS = {
    "sign_in_tried": "尝试登录",
    "sign_in_failed": "登录失败",
    "sign_in": "登录成功",
    "sign_in_refused": "账号锁定时尝试登录",
    "sign_out": "退出",
    "sign_on": "统一认证登录",
    "sign_on_refused": "统一认证登录被拒",
    "sessions_ended": "退出其他设备",
    "password_tried": "核对旧密码",
    "password_failed": "核对旧密码失败",
    "password_refused": "账号锁定时核对旧密码",
    "password_changed": "修改自己的密码",
    "password_reset": "重设密码",
    "staff_added": "添加账号",
    "staff_changed": "修改账号",
    "staff_disabled": "停用账号",
    "staff_enabled": "启用账号",
    "staff_linked": "关联统一认证身份",
    "staff_unlinked": "取消统一认证身份",
    "order_viewed": "查看工单",
    "order_refused": "查看保密内容被拒",
    "order_printed": "打印工单",
    "order_step": "办理工单",
    "order_edited": "修改工单",
    "order_confirmed": "核对工单",
    "order_created": "登记工单",
    "orders_exported": "导出工单",
    "orders_listed": "读取工单列表",
    "alarm_seen": "确认告警",
    "order_noted": "写工单备注",
    "order_linked": "发起联动",
    "agent_status": "改坐席状态",
    "handoff_accepted": "接待市民",
    "handoff_declined": "谢绝接待",
    "handoff_transferred": "转给同事",
    "handoff_given_back": "交回智能助手",
    "handoff_finished": "结束接待",
    "callback_take": "领取回拨",
    "callback_done": "完成回拨",
    "callback_failed": "回拨没有打通",
    "wall_viewed": "查看大屏",
    "api_key_added": "添加接口密钥",
    "link_orders": "联动单位推送工单",
    "link_acknowledgements": "联动单位回执",
    "link_refused": "拒绝联动消息",
    "api_key_disabled": "停用接口密钥",
    "call_bridge": "接通来电",
    "call_whisper": "向坐席播报工单",
    "call_hold": "保持通话",
    "call_resume": "恢复通话",
    "call_mute": "静音",
    "call_unmute": "取消静音",
    "call_three_way": "加入三方通话",
    "call_transfer": "转接来电",
    "call_hangup": "挂断来电",
    "conversation_viewed": "查看对话",
    "recording_played": "听录音",
    "attachment_seen": "看市民发来的照片或语音",
    "replied": "回复市民",
    "audit_viewed": "查看操作记录",
    "audit_exported": "导出操作记录",
    "audit_checked": "检查操作记录",
    "audit_deleted": "按规定清除到期的操作记录",
    "staff_viewed": "查看人员名单",
    "retained": "按保存期限清除到期内容",
    "citizen_exported": "导出一位市民的个人信息",
    "citizen_erasing": "开始删除一位市民的个人信息",
    "citizen_erased": "删除一位市民的个人信息",
    "database_restored": "从备份恢复数据库",
    "database_backed_up": "备份数据库",
    "data_resealed": "用最新的密钥重新加密",
    "answer_drafted": "起草答复",
    "answer_edited": "修改答复",
    "answer_submitted": "提交答复核对",
    "answer_checked": "核对答复",
    "answer_approved": "批准答复",
    "answer_rejected": "退回答复",
    "answer_discarded": "放弃答复草稿",
    "answer_imported": "导入答复",
    "words_staged": "修改事项的说法",
    "words_approved": "批准事项的说法",
    "words_rejected": "退回事项的说法",
    "words_dropped": "放弃事项说法的改动",
    "knowledge_published": "发布知识",
    "knowledge_retired": "停用答复",
    "knowledge_undone": "退回上一步发布",
}
REASONS = {
    "asked": "市民要求",
    "danger": "险情",
    "misses": "两次没听懂",
    "silences": "两次没说话",
    "anger": "情绪激动",
    "digits": "号码两次没听清",
    "failure": "系统故障",
}
# What an agent needs first stands first; the number stands in the heading as well.
GROUPS = (
    ("诉求内容", ("kind", "code", "matter", "summary", "what", "where", "when", "outcome",
              "against", "amount", "people", "employer", "period")),
    ("诉求人", ("name", "phone", "contact", "secret", "visit", "language")),
    ("办理", ("urgency", "state", "department", "departments", "due_at", "extended_to", "agent",
            "reference")),
    ("受理信息", ("number", "created_at", "channel", "line", "conversation_state")),
)  # fmt: skip
OTHERS = "其他"
CALLER_RULES = ("caller", "caller_id")
"""Rules of a field that the calling number filled: nobody said it."""
LOW_CONFIDENCE = 0.6
"""Below this a recognised value is marked: the agent asks again."""


def channel(code: str) -> str:
    """The channel's name; an unknown one as it is."""
    return CHANNELS.get(code, code)


def urgency(code: str) -> str:
    """The urgency's name."""
    return URGENCIES.get(code, code)


def speaker(code: str) -> str:
    """Who speaks."""
    return SPEAKERS.get(code, code)


def role(code: str) -> str:
    """The role's name; an unknown one as it is."""
    return ROLES.get(code, code)


def action(code: str) -> str:
    """What somebody did; an unknown one as it is."""
    return ACTIONS.get(code, code)


def target(code: str) -> str:
    """What it was done to, without what only programs need."""
    if code in ("staff", "audit"):
        return ""
    return code.removeprefix("staff:")


def span(milliseconds: int) -> str:
    """A place in a recording: 83500 → 1:23."""
    seconds = milliseconds // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def event(code: str, data: dict[str, Any]) -> str:
    """What happened to the order, with its reason."""
    told = EVENTS.get(code, code)
    if code == "completed":
        names = "、".join(field(str(name)) for name in data.get("fields", ()))
        return f"{told}：{names}" if names else told
    reason = REASONS.get(str(data.get("reason", "")), "")
    return f"{told}（{reason}）" if reason else told


def actor(code: str) -> str:
    """Who did it: the bot, or a member of the staff by login."""
    return SPEAKERS.get(code, code)
