"""What editors read instead of the codes that programs use. Pure."""

from __future__ import annotations

from knowledge.editing import Version

STATES = {
    "draft": "草稿",
    "submitted": "等核对",
    "checked": "等批准",
    "approved": "等发布",
    "published": "已发布",
    "retired": "已停用",
}
EVENTS = {
    "created": "开始起草",
    "imported": "导入",
    "edited": "修改",
    "submitted": "提交核对",
    "checked": "核对无误",
    "approved": "批准",
    "rejected": "退回",
    "discarded": "放弃",
    "published": "发布",
    "retired": "停用",
    "ended": "定下结束日期",
    "resumed": "恢复原来的结束日期",
    "unpublished": "撤回发布",
    "restored": "恢复",
}
FIELDS = {
    "text": "答复",
    "speech": "电话里说的",
    "document": "依据文件",
    "article": "条款",
    "valid_from": "生效日期",
    "valid_to": "失效日期",
    "sample": "示例数据",
    "name": "名称",
    "department": "部门",
    "merged_line": "原热线",
    "aliases": "别名",
    "phrasings": "市民的说法",
    "questions": "问法",
    "golden": "黄金问题",
}
DECISIONS = {"answer": "直接回答", "ask": "反问", "miss": "答不上来"}
CONFLICTS = {
    "golden_missed": "自己的黄金问题答不对了",
    "golden_stolen": "抢走了别的事项的问题",
    "name_doubled": "名称重复",
    "question_doubled": "问法重复",
    "noise_worse": "听不清时答错的变多",
}
NOISES = {"spoken": "口语里带“嗯、那个”", "unmarked": "没有标点", "misheard": "听成同音字"}
CHANGES = {"added": "新增", "changed": "修改", "unchanged": "不变", "kept": "保留现有"}
_BY = {"import": "文件导入", "command-line": "命令行", "system": "系统", "": "系统"}


def standing(version: Version) -> str:
    """The version's state with the step between draft and checked: a key of ``STATES``."""
    return "submitted" if version.submitted else version.state


def state(code: str) -> str:
    """A state's name; an unknown one as it is."""
    return STATES.get(code, code)


def who(login: str, names: dict[str, str]) -> str:
    """Somebody by name; programs by what they do."""
    return names.get(login) or _BY.get(login, login)


SECTIONS = (
    ("/knowledge", "事项"),
    ("/knowledge/try", "试一问"),
    ("/knowledge/inbox", "待学习"),
    ("/knowledge/publish", "批准和发布"),
    ("/knowledge/expiring", "快到期"),
    ("/knowledge/import", "导入导出"),
)
"""The desk's own navigation: path and label."""
