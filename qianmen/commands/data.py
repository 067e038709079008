"""``qianmen data``: keys, retention, and what is kept of one citizen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, say, show
from qianmen.keeper.duty import Keeping

data = typer.Typer(
    help="个人信息：密钥、保存期限、按市民导出和删除。", no_args_is_help=True,
)  # fmt: skip

Identity = Annotated[
    str,
    typer.Argument(
        metavar="电话|身份标识",
        help="市民的电话（+86、空格、横线都可以），或网页、微信的身份标识；写 - 就从标准输入读，"
        "号码不会留在命令历史里。",
    ),
]
Name = Annotated[str, typer.Option("--by", help="谁在办这件事（姓名或工号），写进审计。")]
Dry = Annotated[bool, typer.Option("--dry-run", help="只说会怎样，什么也不改。")]


class OrderRule(StrEnum):
    """What becomes of work orders when a citizen's data is erased."""

    KEEP = "keep"
    CLOSED = "closed"
    ALL = "all"


@contextmanager
def _keeping() -> Iterator[Keeping]:
    """The installation, its database opened with its key. What is wrong with it has a code."""
    from sqlalchemy.exc import SQLAlchemyError

    from bot.join import read_city
    from store.engine import StoreError, open_store
    from store.faults import fault_of
    from store.keys import check_keys
    from store.seal import seal_of

    settings = installation()
    city = read_city(settings.city)
    engine = open_store(settings)
    try:
        check_keys(engine, seal_of(engine))
        yield Keeping(settings, city, engine)
    except SQLAlchemyError as error:
        code = fault_of(error)
        raise StoreError(code, "数据库用不了；如果是旧版本，先运行 qianmen db upgrade") from None
    finally:
        engine.dispose()


def _now() -> datetime:
    return datetime.now(UTC)


def _identity(given: str) -> str:
    return typer.get_text_stream("stdin").readline().strip() if given == "-" else given


@data.command("new-key")
def new_key(
    sm4: Annotated[bool, typer.Option("--sm4", help="国密 SM4（默认 AES-256）。")] = False,
    json: Json = False,
) -> None:
    """生成一把新密钥；不改动任何数据。

    把它放进 QIANMEN_DATA_KEY（或密钥文件 qianmen_data_key），重启，再运行 qianmen data reseal。
    换密钥：新的写在前面、旧的写在后面，用逗号隔开。密钥丢了，数据就再也打不开。
    """
    from sealing import keys

    written = keys.new_key("sm4" if sm4 else "aes256")
    ring = keys.keyring(written)
    assert ring is not None  # noqa: S101  # just written
    if json:
        print_json({"key": written, "id": ring.newest.id, "algorithm": ring.newest.algorithm})
    else:
        show(written)
        say(f"编号 {ring.newest.id}。请另外妥善保管一份：丢了它，加密的数据就再也打不开。")


@data.command()
def reseal(json: Json = False) -> None:
    """把已有的数据和录音都改用最新的密钥加密（也用于第一次加密）；中断了再运行一次就接着做。"""
    from qianmen.personal.reseal import reseal as work

    with _keeping() as keeping:
        done = work(keeping, _now())
    _tell(done.as_json(), json)
    if not json:
        waits = f"、{done.journal} 件待写的工单" if done.journal else ""
        show(f"✔ 重新加密 {done.rows} 行、{done.recordings} 段录音{waits}，补标记 {done.marks} 个")
        if done.retired:
            show(f"  旧密钥 {'、'.join(done.retired)} 不再需要，可以从设置里去掉")
        if done.waiting:
            show(f"  {done.waiting} 段录音的通话还在进行或刚结束，先没有动；"
                 "keeper 进程会在结束后一小时左右自动加密")  # fmt: skip
        for code in done.left:
            show(f"  注意 {code}：{_LEFT[code]}")
        if done.broken:
            show(f"✘ {done.broken} 处打不开，没有改动，见日志")
    raise typer.Exit(1 if done.broken else 0)


@data.command()
def retain(dry_run: Dry = False, json: Json = False) -> None:
    """按城市的保存期限删除到期的数据（keeper 进程每天自动做）。"""
    from qianmen.keeper.attachments import delete_rowless
    from qianmen.keeper.recordings import delete_orphans
    from qianmen.keeper.retention import retain as work

    with _keeping() as keeping:
        now = _now()
        report = work(keeping, now, dry_run=dry_run).as_json()
        report["orphans"] = delete_orphans(keeping, now, dry_run=dry_run)
        report["rowless"] = delete_rowless(keeping, now, dry_run=dry_run)
    _tell({"dry_run": dry_run, **report}, json)
    if not json:
        verb = "会删除" if dry_run else "已删除"
        show(
            f"{verb}：录音 {report['recordings']}，市民发的文件 {report['attachments']}，"
            f"对话原话 {report['transcripts']}，"
            f"工单内容 {report['orders']}，审计 {report['audit_lines']} 行，"
            f"合成语音 {report['sentences']}，无主录音 {report['orphans']}，"
            f"无主文件 {report['rowless']}；"
            f"删不掉 {report['failed']}"
        )
    raise typer.Exit(1 if report["failed"] else 0)


@data.command()
def export(
    identity: Identity,
    to: Annotated[Path, typer.Option("--to", help="写到这个新的 zip 文件。")],
    by: Name,
    json: Json = False,
) -> None:
    """导出一位市民的全部数据（《个人信息保护法》第四十五条）：citizen.json 和录音。

    包括用这个号码打来的、以及别人代打时留了这个号码的工单；代打的对话只给出与这个号码有关的部分。
    """
    from qianmen.personal import deeds
    from qianmen.personal.export import export as work

    with _keeping() as keeping:
        who = _identity(identity)
        done = work(keeping.settings, keeping.engine, who, to, deeds.by(by), _now())
    _tell(done.as_json(), json)
    if not json:
        show(
            f"✔ {done.file}：对话 {done.conversations}，工单 {done.orders}，"
            f"话轮 {done.turns}，录音 {done.recordings}；读不出 {done.missing}"
        )
    raise typer.Exit(1 if done.missing else 0)


@data.command()
def erase(
    identity: Identity,
    by: Name,
    orders: Annotated[
        OrderRule,
        typer.Option(
            help="工单怎么办。keep：依法归档保存，不删，只列出编号（默认）；closed：已办结的也清空；"
            "all：未办结的、等待人工的也清空（例如依法院要求）。编号和统计始终保留。"
        ),
    ] = OrderRule.KEEP,
    dry_run: Dry = False,
    json: Json = False,
) -> None:
    """删除一位市民的数据（《个人信息保护法》第四十七条）：原话、号码、姓名、录音、机器人的记忆。

    别人代打时留了这个号码的对话整段删除，因为录音里有它。正在通话的、等待人工的、工单还没办结的
    对话不删，会列出来。备份、磁盘已释放的块里可能还有痕迹，请按备份的保存期限处理。
    """
    from qianmen.personal import deeds
    from qianmen.personal.erase import erase as work

    with _keeping() as keeping:
        who = _identity(identity)
        done = work(
            keeping, who, deeds.by(by), _now(), orders=orders.value, dry_run=dry_run
        )  # fmt: skip
    _tell(done.as_json(), json)
    if not json:
        verb = "会删除" if dry_run else "已删除"
        emptied = len(done.orders)
        show(f"{verb}：对话 {done.conversations}，录音 {done.recordings}，工单内容 {emptied}")
        for kept in done.kept:
            what = f"工单 {kept['order']}" if "order" in kept else f"对话 {kept['conversation']}"
            show(f"  保留 {what}：{_REASONS[kept['reason']]}")
        for code in done.left:
            show(f"  注意 {code}：{_LEFT[code]}")
    raise typer.Exit(1 if done.failed else 0)


_REASONS = {
    "live": "正在进行；通话结束后（网页对话没结束的，一天没有新话后）再运行一次",
    "waiting": "还在等人工；坐席回复后，或者最后一句话过了一天，再运行一次；"
    "现在就要清空请加 --orders all",
    "open_order": "工单还没有办结；办结后再运行一次；现在就要清空请加 --orders all",
    "order_on_record": "工单依法保存；要清空请加 --orders closed（已办结的）或 --orders all"
    "（全部，包括没办结的；正在进行的除外）",
    "recording_not_deleted": "录音文件删不掉，处理好以后再运行一次",
}
_LEFT = {
    "journal": "还有工单在 data_dir/journal 里等数据库，写入后请再运行一次",
    "wal_busy": "数据库正忙，旧内容还在 WAL 里，下次写入后消失；可以再运行一次",
    "redis_unreachable": "连不上 Redis，机器人的记忆最多 24 小时后自己消失",
    "redis_log": "Redis 没有重写它的追加文件，里面还有旧内容",
    "postgresql_pages": "PostgreSQL 释放的页以后才会被覆盖；急的话请运行 VACUUM FULL",
}


def _tell(report: dict[str, Any], json: bool) -> None:
    if json:
        print_json(report)
