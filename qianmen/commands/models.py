"""``qianmen models``: which speech models there are, getting one, looking whether it is whole; and
the dialogue's model, trained anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TransferSpeedColumn
from rich.table import Table

from asr.models.disk import megabytes
from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, say, show

if TYPE_CHECKING:
    from asr.models.inventory import Listed, Verified

models = typer.Typer(
    help="语音模型：有哪些、下载、检查；对话模型：重新训练。", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="模型的名字，见 models list。")]
_STEP_PERCENT = 10
_CHECKSUMS = {
    "known": "安装时压缩包的校验和相符",
    "unknown": "事先不知道校验和，下面是算出来的",
    "none": "不是用 models fetch 装的，没有校验和，只看了结构和装载",
}


@models.command("list")
def list_command(json: Json = False) -> None:
    """列出知道的语音模型：许可、大小、公布的错字率、装了没有、在不在用。"""
    from asr.models.inventory import list_models

    rows = list_models(installation())
    if json:
        print_json([asdict(row) for row in rows])
    elif sys.stdout.isatty():
        Console().print(_table(rows))
    else:
        for row in rows:
            show("\t".join(_cells(row)))


@models.command("fetch")
def fetch_command(
    name: Name,
    source: Annotated[
        str, typer.Option("--from", help="自己的镜像：网址、压缩包文件，或者放着它的文件夹。")
    ] = "",
    json: Json = False,
) -> None:
    """下载并安装一个语音模型；断了再运行一次，会接着下载。"""
    from asr.models.fetch import fetch

    settings = installation()
    with _reporter() as reporter:
        try:
            fetched = fetch(settings, name, source, reporter)
        except KeyboardInterrupt:
            say("停下了；已经下载的部分留着，再运行一次同样的命令会接着下载。")
            raise
    if json:
        print_json({**asdict(fetched), "folder": str(fetched.folder), "use": f"MODEL={name}"})
        return
    show(f"✔ {'装好了' if fetched.new else '已经有了'}：{fetched.folder}")
    if not fetched.verified:
        show(f"  目录里没有这个模型的校验和；这个文件的 SHA-256 是 {fetched.archive_sha256}")
    show(f"  使用它：在 .env 里写 MODEL={name}，再重新启动前门")
    show(f"  先在自己的录音上比一比：qianmen asr evaluate 录音.tsv --model {name}")


@models.command("verify")
def verify_command(
    name: Annotated[str, typer.Argument(help="名字或文件夹；不给就检查装了的全部。")] = "",
    json: Json = False,
) -> None:
    """逐个文件核对校验和，再单独试装载一次；有问题时退出码为 1。"""
    from asr.models.inventory import verify_models

    found = verify_models(installation(), name)
    if json:
        print_json([each.as_json() for each in found])
    else:
        for each in found:
            _show(each)
    raise typer.Exit(0 if all(each.ok for each in found) else 1)


@models.command("retrain")
def retrain_command(json: Json = False) -> None:
    """重新训练对话模型并当场换上：正在进行的通话和聊天不受影响，旧模型留作备份。"""
    from bot.rasa_process import PREVIOUS, folder, retrain

    settings = installation()
    say("… 训练对话模型，一分钟左右")
    done = retrain(settings)
    if json:
        print_json(asdict(done))
        return
    show(f"✔ 训练用了 {done.training_s:.0f} 秒")
    show("  正在运行的前门已经换上新模型" if done.taken else "  前门没有运行，下次启动时用新模型")
    show(f"  原来的模型：{folder(settings) / 'models' / PREVIOUS}")


def _show(each: Verified) -> None:
    show(f"{'✔' if each.ok else '✘'} {each.name}  {each.folder}（{_CHECKSUMS[each.checksum]}）")
    if each.checksum == "unknown":
        show(f"  SHA-256 {each.archive_sha256}")
    for problem in each.problems:
        show(f"  {problem.code}：{problem.message}")


def _cells(row: Listed) -> tuple[str, ...]:
    state = {None: "没有装", True: "完好", False: "坏了"}[row.intact]
    rates = "，".join(f"{each['test']} {each['cer_percent']}%" for each in row.published)
    size = megabytes(row.bytes) if row.bytes else "未知"
    return (row.name, size, row.licence, f"{row.sample_rate} Hz", rates or "没有公布", state,
            "在用" if row.in_use else "", row.good_for)  # fmt: skip


def _table(rows: list[Listed]) -> Table:
    table = Table()
    for title in ("名字", "大小", "许可", "采样率", "公布的错字率", "状态", "在用", "适合"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*_cells(row))
    return table


class _Plain:
    """Progress as lines, one every ten percent."""

    def __init__(self) -> None:
        self._told = 0

    def step(self, text: str) -> None:
        self._told = 0
        say(f"… {text}")

    def progress(self, done: int, total: int | None) -> None:
        part = 100 * done // total if total else done // (10 * 10**6)
        if part >= self._told + _STEP_PERCENT:
            self._told = part - part % _STEP_PERCENT
            say(f"  {megabytes(done)}" + (f" / {megabytes(total)}（{part}%）" if total else ""))


class _Bar:
    """Progress as a bar on a terminal."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def step(self, text: str) -> None:
        self._task = None
        self._bar.console.print(f"… {text}", markup=False)

    def progress(self, done: int, total: int | None) -> None:
        if self._task is None:
            self._task = self._bar.add_task("")
        self._bar.update(self._task, completed=done, total=total)


@contextmanager
def _reporter() -> Iterator[_Plain | _Bar]:
    """On standard error, so that ``--json`` stays clean."""
    if not sys.stderr.isatty():
        yield _Plain()
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield _Bar(bar)
