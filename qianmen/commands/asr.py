"""``qianmen asr``: what a recogniser hears in recordings, and how well."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress
from rich.table import Table

from config.settings import Settings
from qianmen.commands.shared import Json, installation, run
from qianmen.console import print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from asr.assess.evaluate import Outcome

asr = typer.Typer(help="语音识别：转写录音，用自己的录音比较模型。", no_args_is_help=True)

Model = Annotated[
    str, typer.Option("--model", help="模型的名字、文件夹，或 ws:// 地址；不给就用现在接听用的。")
]
Channel = Annotated[
    str, typer.Option("--channel", help="多声道录音用哪个：1、2……，mix 混合，both 每个各转一次。")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=256, help="同时几路；不给就每核一路。")]
_CORES = os.cpu_count() or 1


@asr.command("transcribe")
def transcribe_command(
    wavs: Annotated[list[Path], typer.Argument(metavar="WAV…")],
    model: Model = "",
    channel: Channel = "1",
    turns: Annotated[bool, typer.Option("--turns", help="像通话里一样切成一句一句。")] = False,
    json: Json = False,
) -> None:
    """把录音转成文字，走和来电一样的路（先变成 8 kHz）；有文件读不了时退出码为 1。"""
    channels = _channels(channel)

    def show(told: dict[str, Any]) -> None:
        if not json:
            _show_transcript(told)

    name, told = run(_transcribe(installation(), wavs, model, channels, show, turns=turns))
    if json:
        print_json({"model": name, "files": told})
    raise typer.Exit(1 if any("code" in each for each in told) else 0)


def _channels(channel: str) -> list[int | None] | None:
    """Channels from 1, None for all mixed; None instead of a list for each that there is."""
    if channel == "both":
        return None
    if channel == "mix":
        return [None]
    if channel.isascii() and channel.isdigit() and int(channel) > 0:
        return [int(channel)]
    raise typer.BadParameter("声道是 1、2……，mix 或 both")


async def _transcribe(
    settings: Settings,
    paths: Sequence[Path],
    model: str,
    channels: list[int | None] | None,
    show: Callable[[dict[str, Any]], None],
    *,
    turns: bool,
) -> tuple[str, list[dict[str, Any]]]:
    from asr.activity import SileroPool
    from asr.assess.errors import AssessError
    from asr.assess.transcribe import recogniser_for, transcribe, transcribe_turns
    from asr.assess.wav import read_wav
    from asr.recogniser import RecogniserError

    told: list[dict[str, Any]] = []
    pool = SileroPool()
    with ThreadPoolExecutor(2) as threads:
        name, recogniser = await recogniser_for(settings, model, threads)
        for path in paths:
            about: dict[str, Any] = {"wav": str(path)}
            try:
                wav = read_wav(path)
                about |= {"rate": wav.rate, "channels": wav.channels, "encoding": wav.encoding}
                for channel in channels or range(1, wav.channels + 1):
                    about["channel"] = channel or "mix"
                    heard = await (
                        transcribe_turns(recogniser, wav, channel, pool)
                        if turns
                        else transcribe(recogniser, wav, channel)
                    )
                    told.append({**about, **heard.as_json()})
                    show(told[-1])
            except (AssessError, RecogniserError) as error:
                told.append({**about, "code": error.code, "message": str(error)})
                show(told[-1])
    return name, told


def _show_transcript(told: dict[str, Any]) -> None:
    if "code" in told:
        say(f"✘ {told['code']}：{told['message']}")
        return
    channel = f"（声道 {told['channel']}）" if told["channels"] > 1 else ""
    if "turns" in told:
        for turn in told["turns"]:
            at = f"{turn['start_ms'] / 1000:.1f}–{turn['end_ms'] / 1000:.1f} 秒"
            typer.echo(f"{told['wav']}{channel}\t{at}\t{turn['text'] or '（没有听清）'}")
    else:
        typer.echo(f"{told['wav']}{channel}\t{told['text'] or '（没有听出话来）'}")
    say(
        f"  {told['seconds']:.1f} 秒，把握 {told['confidence']:.2f}，"
        f"每秒录音用时 {told['real_time_factor']:.3f} 秒"
    )


@asr.command("evaluate")
def evaluate_command(
    tsv: Annotated[Path, typer.Argument(metavar="FILE.tsv")],
    model: Model = "",
    against: Annotated[
        str, typer.Option("--compare", help="第二个模型：在同样的录音上并排比较。")
    ] = "",
    channel: Channel = "1",
    jobs: Jobs = _CORES,
    json: Json = False,
) -> None:
    """用自己的录音评一个模型。TSV：录音文件、说的话、（可选）分组；路径从 TSV 所在处算起。"""
    channels = _channels(channel)
    if channels is None:
        raise typer.BadParameter("评测一次只用一个声道")
    report, failed = run(_evaluate(installation(), tsv, (model, against), channels[0], jobs))
    if json:
        print_json(report)
    else:
        _show_report(report)
    raise typer.Exit(1 if failed else 0)


async def _evaluate(
    settings: Settings, tsv: Path, models: tuple[str, str], channel: int | None, jobs: int
) -> tuple[dict[str, Any], bool]:
    from asr.assess import evaluate
    from asr.assess.clips import read_clips
    from asr.assess.normal import STATED
    from asr.assess.rates import RESAMPLES, SEED
    from asr.assess.transcribe import recogniser_for

    clips = read_clips(tsv)
    heard: list[list[Outcome]] = []
    told: list[dict[str, Any]] = []
    with ThreadPoolExecutor(jobs) as threads:
        for wanted in models[: 2 if models[1] else 1]:
            name, recogniser = await recogniser_for(settings, wanted, threads)
            with _counting(name, len(clips)) as on_clip:
                outcomes = await evaluate.evaluate(recogniser, clips, channel, jobs, on_clip)
            heard.append(outcomes)
            told.append(_told(name, outcomes))
    report: dict[str, Any] = {
        "models": told,
        "jobs": jobs,
        "normalised": STATED,
        "interval": f"95%，对录音做 {RESAMPLES} 次自助抽样（百分位法），随机种子 {SEED}",
    }
    if len(heard) == 2:
        report["comparison"] = evaluate.compare(heard[0], heard[1])
    return report, any(outcome.code for outcomes in heard for outcome in outcomes)


def _told(name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    from asr.assess.evaluate import by_group, summarise, worst

    groups = {group: each.as_json() for group, each in by_group(outcomes).items()}
    return {
        "model": name,
        "all": summarise(outcomes).as_json(),
        "groups": groups,
        "worst": [outcome.as_json() for outcome in worst(outcomes)],
        "clips": [outcome.as_json() for outcome in outcomes],
    }


@contextmanager
def _counting(name: str, clips: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's standard error; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with Progress(BarColumn(), MofNCompleteColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=clips)
        yield lambda: bar.advance(task)


def _show_report(report: dict[str, Any]) -> None:
    rows = [
        (told["model"], group or "全部", *_row(each))
        for told in report["models"]
        for group, each in [("", told["all"]), *told["groups"].items()]
    ]
    titles = ("模型", "组", "录音", "字数", "错字率", "95% 区间", "换/漏/多", "全对", "每秒用时")
    _print(titles, rows)
    for told in report["models"]:
        bad = [
            (each["wav"], f"{100 * (each['cer'] or 1):.0f}%", each["reference"], each["compared"])
            for each in told["worst"]
        ]
        if bad:
            typer.echo(f"\n{told['model']} 错得最多的：")
            _print(("录音", "错字率", "说的", "听成"), bad)
        for each in told["clips"]:
            if "code" in each:
                say(f"✘ 第 {each['line']} 行 {each['code']}：{each['message']}")
    _show_comparison(report)
    typer.echo(f"\n比较前统一：{report['normalised']}")
    typer.echo(f"区间：{report['interval']}；同时 {report['jobs']} 路")


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    bounds, factor = each["cer_95"], each["real_time_factor"]
    wrong = "/".join(str(each[kind]) for kind in ("substitutions", "deletions", "insertions"))
    failed = f"（另有 {each['failed']} 个没听成）" if each["failed"] else ""
    return (
        f"{each['clips']}{failed}", str(each["characters"]), _percent(each["cer"]),
        f"{_percent(bounds[0])}–{_percent(bounds[1])}" if bounds else "录音太少",
        wrong, str(each["exact"]), "" if factor is None else f"{factor:.3f} 秒",
    )  # fmt: skip


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{100 * rate:.1f}%"


def _show_comparison(report: dict[str, Any]) -> None:
    told = report.get("comparison")
    if not told or told["cer_difference"] is None:
        return
    names = [each["model"] for each in report["models"]]
    bounds = told["cer_difference_95"]
    between = f"（95% 区间 {_points(bounds[0])} 到 {_points(bounds[1])}）" if bounds else ""
    verdict = f"{names[told['better'] - 1]} 更好" if told["better"] else "这些录音分不出高下"
    typer.echo(
        f"\n{names[0]} 减 {names[1]}：错字率相差 {_points(told['cer_difference'])} 个百分点"
        f"{between}：{verdict}"
    )


def _points(rate: float) -> str:
    return f"{100 * rate:+.1f}"


def _print(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal, lines with tabs elsewhere."""
    if not sys.stdout.isatty():
        for row in (titles, *rows):
            typer.echo("\t".join(row))
        return
    table = Table()
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)
