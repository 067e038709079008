"""What ``qianmen knowledge`` prints for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from qianmen.console import show

if TYPE_CHECKING:  # seconds that other commands should not pay
    from knowledge.gateresult import GateResult
    from knowledge.history import Past, Piece
    from knowledge.planned import Plan, Planned

STATES = {"draft": "草稿", "checked": "已核对", "approved": "已批准", "published": "已发布",
          "retired": "已停用"}  # fmt: skip
STEPS = {
    "created": "起草", "imported": "导入", "edited": "接着改", "submitted": "提交核对",
    "checked": "核对", "approved": "批准", "rejected": "退回", "discarded": "放弃",
    "published": "发布", "retired": "停用", "ended": "到期日提前（另有版本接替）",
    "resumed": "恢复原到期日", "unpublished": "撤回发布", "restored": "恢复",
}  # fmt: skip
NOISE = {"spoken": "口语", "unmarked": "没有标点", "misheard": "同音字"}
_CHANGES = {"added": "新增", "changed": "修改", "kept": "保留"}
FIELDS = {"text": "答复", "speech": "电话里说的", "document": "依据文件", "article": "条款",
          "valid_from": "生效日期", "valid_to": "失效日期", "sample": "示例数据", "name": "名称",
          "department": "部门", "merged_line": "原热线", "aliases": "别名", "phrasings": "说法",
          "questions": "问法", "golden": "黄金问题"}  # fmt: skip
_AROUND, _SHOWN = 8, 60
"""Characters shown of what stays beside a change, and of what was changed."""


def show_plan(found: Plan) -> None:
    """What an import would change, or what is wrong in it."""
    if not found.ok:
        show(f"✘ 有 {len(found.faults)} 处问题，什么都没有改：")
        for fault in found.faults:
            show(f"  {fault.place}  {fault.message}")
        return
    for one in (*found.answers, *found.words):
        if one.change in _CHANGES:
            _show_planned(one)
    counts = found.counts()
    show(f"新增 {counts['added']}，修改 {counts['changed']}，不变 {counts['unchanged']}，"
         f"保留 {counts['kept']}")  # fmt: skip


def _show_planned(one: Planned) -> None:
    from knowledge.planned import changes

    what = f"{one.title}：{FIELDS[one.field]}" if one.field else one.title
    why = f"（{one.why}）" if one.why else ""
    show(f"{_CHANGES[one.change]}  {what}  {one.id}{why}")
    for name, pieces in changes(one):
        label = "" if one.field else f"{FIELDS[name]}："
        show(f"    {label}{_brief(pieces)}")


def _brief(pieces: tuple[Piece, ...]) -> str:
    """What differs on one line, with a few characters around it: ``三天[-内-][+后+]办好``."""
    told = []
    for piece in pieces:
        if piece.kind == "equal":
            whole = len(piece.new) <= 2 * _AROUND
            told.append(piece.new if whole else f"{piece.new[:_AROUND]}…{piece.new[-_AROUND:]}")
            continue
        told.append(f"[-{_short(piece.old)}-]" if piece.old else "")
        told.append(f"[+{_short(piece.new)}+]" if piece.new else "")
    return "".join(told).replace("\n", " / ")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def show_test(result: GateResult) -> None:
    """Golden questions that fail, and how many do not."""
    for failing in result.failing:
        got = f"{failing.after.matter_name}的{failing.after.aspect}（{failing.after.decision}）"
        show(f"✘ {failing.question}  应为 {failing.matter_name}的{failing.aspect}，得到 {got}")
    show(f"黄金问题 {result.asked} 个，答对 {result.right_after} 个")
    for noise in result.noise:
        show(f"  {NOISE[noise.kind]}：{noise.right_after}/{noise.asked}")


def show_gate(document: dict[str, Any]) -> None:
    """Conflicts with both texts, or what was published."""
    gate = document["gate"]
    for conflict in gate.get("conflicts", ()):
        show(f"✘ {conflict['message']}")
        for label, side in (("现在", conflict["before"]), ("发布后", conflict["after"])):
            if side and side["text"]:
                show(f"    {label}：{side['text']}")
        for cause in conflict["causes"]:
            show(f"    可能因为“{cause['matter_name']}”的“{cause['text']}”")
    for failing in gate.get("failing", ()):
        show(f"· 原来就答不对：{failing['question']}")
    if gate.get("ok"):
        asked = f"问了 {gate['asked']} 个黄金问题，{gate['seconds']} 秒"
        done = f"已发布（第 {document['release']} 次）" if document["release"] else "可以发布"
        show(f"✔ {done}；{asked}")


def past_document(one: Past, zone: tzinfo, names: Mapping[str, str]) -> dict[str, Any]:
    """A version with its steps as JSON; moments in the city's zone, ``by_name`` beside ``by``."""
    version = asdict(one.version)
    wording = version.pop("wording")
    for name in ("valid_from", "valid_to"):
        wording[name] = wording[name].isoformat() if wording[name] else None
    version["changed_at"] = version["changed_at"].astimezone(zone).isoformat()
    steps = [
        asdict(step) | {"at": step.at.astimezone(zone).isoformat(),
                        "by_name": names.get(step.by, "")}
        for step in one.steps
    ]  # fmt: skip
    return {**version, "wording": wording, "steps": steps}


def show_past(one: Past, zone: tzinfo, names: Mapping[str, str]) -> None:
    """A version and its steps, in the city's time."""
    version = one.version
    span = f"{version.wording.valid_from} 起"
    if version.wording.valid_to:
        span += f"，到 {version.wording.valid_to}"
    show(f"第 {version.version} 版  {STATES[version.state]}  {span}")
    show(f"    {version.wording.text}")
    for step in one.steps:
        why = f"：{step.why}" if step.why else ""
        who = f"{names[step.by]}（{step.by}）" if step.by in names else step.by
        at = step.at.astimezone(zone)
        show(f"    {at:%Y-%m-%d %H:%M}  {who}  {STEPS.get(step.event, step.event)}{why}")
