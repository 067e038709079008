"""The rows of the table, from what was judged. Pure; goals are those of the published measures."""

from __future__ import annotations

from collections.abc import Sequence

from qianmen.evaluation.scoring import Goal, Judged, Row, counted, field_counts, share

WRONG = Goal(0.02, least=False)
EXACT, OFFERED, NOISY, SPOKEN = Goal(0.9), Goal(0.95), Goal(0.85), Goal(0.8)
OUTSIDE = Goal(0.02, least=False)
FOLLOWED, PERSON, DANGER = Goal(0.9), Goal(1.0), Goal(0.98)
ALARMS = Goal(0.02, least=False)
FIELD = Goal(0.9)

_FIELD_NAMES = {"where": "地点", "when": "时间", "phone": "电话", "amount": "金额", "kind": "类型"}


def scope_rows(
    judged: Sequence[Judged], how: str, exact: Goal | None = None, *, strict: bool = False
) -> list[Row]:
    """The verdicts of everything in scope; ``strict``: with the goals of typed questions."""
    counts = counted(judged)
    n = sum(counts.values())
    if not n:
        return []
    either = counts["exact"] + counts["offered"]
    return [
        share(f"{how}：说错答案", counts["wrong"], n, WRONG if strict else None),
        share(f"{how}：答对", counts["exact"], n, exact),
        share(f"{how}：答对或给出对的选项", either, n, OFFERED if strict else None),
        share(f"{how}：反问而没有对的选项", counts["asked"], n),
        share(f"{how}：没有答上", counts["missed"], n),
    ]


def outside_rows(judged: Sequence[Judged]) -> list[Row]:
    """Out of scope, and answered with policy all the same."""
    asked = [one for one in judged if one.label.out_of_scope]
    wrong = sum(one.outcome.decision == "answer" for one in asked)
    return [share("范围以外却答了政策", wrong, len(asked), OUTSIDE)] if asked else []


def follow_rows(judged: Sequence[Judged]) -> list[Row]:
    """Turns from the second on that ask for an answer, answered rightly."""
    asked = [one for one in judged if one.label.follow_up]
    right = sum(one.verdict == "exact" for one in asked)
    return [share("追问答对", right, len(asked), FOLLOWED)] if asked else []


def act_rows(judged: Sequence[Judged]) -> list[Row]:
    """Acts recognised."""
    told = [one for one in judged if one.label.act]
    right = sum(one.outcome.act == one.label.act for one in told)
    return [share("言语行为认对", right, len(told))] if told else []


def decision_rows(judged: Sequence[Judged]) -> list[Row]:
    """Labelled decisions."""
    told = [one for one in judged if one.label.decision]
    right = sum(one.outcome.decision == one.label.decision for one in told)
    return [share("决定正确", right, len(told))] if told else []


def urgent_rows(judged: Sequence[Judged]) -> list[Row]:
    """Danger and the wish for a person, noticed and imagined."""
    sure = (
        ("第一次要人工就转", "person", "handoff", PERSON),
        ("没要人工却转了", "notperson", "handoff", None),
        ("险情认出", "danger", "danger", DANGER),
        ("险情误报", "calm", "danger", ALARMS),
    )
    rows = []
    for name, role, decision, goal in sure:
        told = [one for one in judged if one.label.role == role]
        right = sum(one.outcome.decision == decision for one in told)
        rows += [share(name, right, len(told), goal)] if told else []
    return rows


def field_rows(judged: Sequence[Judged]) -> list[Row]:
    """The fields of complaints."""
    counts = field_counts(judged)
    return [
        share(f"投诉：{label}", *counts[name], None if name == "kind" else FIELD)
        for name, label in _FIELD_NAMES.items()
        if name in counts
    ]
