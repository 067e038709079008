"""``qianmen evaluate``: how right the front door is on labelled sentences."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.settings import Settings
from qianmen.commands.shared import Json, installation, run
from qianmen.console import print_json, say, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qianmen.ask import Question
    from qianmen.evaluation.labels import Label
    from qianmen.evaluation.report import Report, Wanted
    from qianmen.evaluation.scoring import Row

_NOISE = 0.2
_WORST = 8


def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE.tsv]",
            help="text[, conversation, turn, channel, region, matter, aspect, act, decision]；"
            "不给就用自带的考题，打印全部指标。",
        ),
    ] = None,
    noise: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="另把这么多的字换成同音字再问一遍。")
    ] = None,
    spoken: Annotated[
        bool | None, typer.Option("--spoken/--no-spoken", help="另用合成语音说一遍，识别后再问。")
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="和两个对照模型并排（第一次要训练几分钟）。")
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="每个文件最多问几句；0 是全部。")] = 0,
    picture: Annotated[Path | None, typer.Option(help="把混淆情况画成图，.png 或 .svg。")] = None,
    now: Annotated[str, typer.Option(help="当作现在的时间，ISO 8601。")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="有指标没达到时退出码为 1。")] = False,
    json: Json = False,
) -> None:
    """答得对不对：在标注好的句子上测量；不需要先启动。"""
    from qianmen.evaluation.picture import check, draw
    from qianmen.evaluation.report import Wanted

    if picture is not None:
        check(picture)
    whole = file is None
    wanted = Wanted(
        file, (_NOISE if whole else 0.0) if noise is None else noise,
        whole if spoken is None else spoken, baselines, limit,
    )  # fmt: skip
    report = run(_measure(installation(), wanted, now))
    if picture is not None:
        draw(report.asked, picture)
    if json:
        print_json(report.as_json())
    else:
        _show(report)
    raise typer.Exit(1 if strict and not report.met else 0)


async def _measure(settings: Settings, wanted: Wanted, now: str) -> Report:
    from bot.join import read_city
    from qianmen.ask import answer_all, read_now
    from qianmen.evaluation import report as whole
    from qianmen.evaluation.sets import HELD_OUT_NOW
    from qianmen.evaluation.spoken import spoken

    now = now or (HELD_OUT_NOW if wanted.file is None else "")
    contents, labels = whole.wanted_labels(settings, wanted)

    async def ask(questions: Sequence[Question]) -> list[dict[str, Any]]:
        say(f"问 {len(questions)} 句……")
        return await answer_all(settings, questions, now)

    async def hears(asked: Sequence[Label]) -> tuple[str, tuple[Label, ...]]:
        with _counting("说和听", len(asked)) as on_heard:
            return await spoken(settings, asked, on_heard)

    report = await whole.evaluated(wanted, labels, ask, hears)
    if wanted.file is None:
        say("测量检索和发布……")
        report = whole.with_speed(report, settings, read_now(now, read_city(settings.city)))
    if wanted.baselines:
        say("训练和测量对照模型……")
        report = await whole.with_baselines(report, settings, contents, labels)
    return report


@contextmanager
def _counting(name: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's standard error; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress

    with Progress(name, BarColumn(), MofNCompleteColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=total)
        yield lambda: bar.advance(task)


def _show(report: Report) -> None:
    titles = ("指标", "值", "95% 区间", "句数", "目标", "")
    _print(titles, [_cells(row) for row in report.rows])
    told = report.as_json()
    for title, parts in (("渠道", told["by_channel"]), ("事项", _worst(told["by_matter"]))):
        if parts:
            show(f"\n按{title}（键入，答对最少的在前）：")
            _print((title, "句数", "答对", "95% 区间", "有选项", "说错", "反问", "没答上"),
                   [_part(name, part) for name, part in parts.items()])  # fmt: skip
    if report.baselines:
        show("\n同样的问题，同样的训练句：")
        _print(("系统", "答对", "95% 区间", "答对或有选项", "说错", "范围外却答"),
               [_baseline(one) for one in report.baselines])  # fmt: skip
    for note in report.notes:
        show(f"\n{note}")


def _worst(parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    ranked = sorted(parts.items(), key=lambda pair: pair[1]["exact"])
    return dict(ranked[:_WORST])


def _cells(row: Row) -> tuple[str, ...]:
    value = f"{row.value:.1f} ms" if row.unit else _percent(row.value)
    between = "" if row.low is None or row.high is None else _between(row.low, row.high)
    goal = "" if row.goal is None else _goal(row)
    return (row.name, value, between, str(row.n), goal, {True: "✔", False: "✘", None: ""}[row.met])


def _goal(row: Row) -> str:
    assert row.goal is not None  # noqa: S101  # the caller's
    value = f"{row.goal.value:g} ms" if row.unit else f"{100 * row.goal.value:g}%"
    return f"{'≥' if row.goal.least else '≤'} {value}"


def _part(name: str, part: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(part[kind]) for kind in ("offered", "wrong", "asked", "missed"))
    exact, between = _percent(part["exact"]), _between(part["low"], part["high"])
    return (name, str(part["n"]), exact, between, *counts)


def _baseline(one: dict[str, Any]) -> tuple[str, ...]:
    shares = (_percent(one[key]) for key in ("exact_or_offered", "wrong", "outside_answered"))
    return (one["name"], _percent(one["exact"]), _between(one["low"], one["high"]), *shares)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _between(low: float, high: float) -> str:
    return f"{100 * low:.1f}–{100 * high:.1f}%"


def _print(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, lines with tabs elsewhere."""
    if not sys.stdout.isatty():
        for row in (titles, *rows):
            show("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)
