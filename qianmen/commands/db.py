"""``qianmen db``: the schema brought up to date, everything copied to a file and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from config.settings import Settings
from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, show
from store.faults import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from store.backup import BackedUp
    from store.restore import Restored

db = typer.Typer(help="数据库：升级、备份、恢复。", no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", help="备份文件，比如 qianmen.tar.gz。")]

_HINTS = {
    "database_url": "DATABASE_URL 写得不对",
    "database_down": "连不上数据库：看它在不在运行、地址和密码对不对",
    "database_readonly": "数据库或它的卷只能读，不能写",
    "database_locked": "别的进程占着数据库太久，等一会儿再试",
    "database_corrupt": "数据库坏了，或者这个文件不是数据库：请用备份恢复",
    "disk_full": "磁盘满了",
    "database_old": "数据库的表不全：先运行 qianmen db upgrade",
    "database_newer": "数据库是更新版本的前门用过的，这个版本不能用它",
    "database_upgrade": "数据库升级没有成功，还是原来的样子",
    "database_not_empty": "数据库里已经有内容；确定要全部换掉就加 --force",
    "database_in_use": "有进程正在用这个数据库：先停掉前门",
    "backup_exists": "已经有这个文件，不覆盖；确定要换掉就加 --force",
    "backup_missing": "没有这个备份文件",
    "backup_corrupt": "备份文件不完整或被改动过，什么也没有恢复",
    "backup_newer": "备份来自更新版本的前门，请用那个版本恢复",
    "backup_unwritable": "备份文件写不进去",
    "recordings_unwritable": "录音文件夹写不进去，什么也没有恢复",
    "backup_failed": "备份没有成功",
    "restore_failed": "恢复没有成功，数据库还是原来的样子",
}


class FrontDoorRunningError(Exception):
    """What is asked for would pull the rug from under running processes."""

    code = "front_door_running"


@db.command("upgrade")
def upgrade_command(json: Json = False) -> None:
    """把数据库升级到这个版本；已经是了就什么也不做。可以同时运行多次。"""
    from store.migrate import upgrade
    from store.urls import shown

    settings = installation()
    with _opened(settings) as engine:
        done = upgrade(engine)
    report = {"database": shown(settings.database), **asdict(done),
              "changed": done.before != done.after}  # fmt: skip
    if json:
        print_json(report)
    elif report["changed"]:
        show(f"✔ 数据库 {done.before or '（空）'} → {done.after}")
    else:
        show(f"✔ 数据库已经是最新的 {done.after}")


@db.command("backup")
def backup_command(
    file: File,
    recordings: Annotated[bool, typer.Option("--recordings", help="连同通话录音。")] = False,
    force: Annotated[bool, typer.Option("--force", help="已经有这个文件也换掉。")] = False,
    json: Json = False,
) -> None:
    """把数据库的全部内容存成一个文件；前门运行时也可以。加密的内容在里面还是加密的。"""
    from store.backup import back_up

    settings = installation()
    with _opened(settings) as engine:
        if file.exists() and not force:
            raise StoreError("backup_exists", str(file))
        done = back_up(
            engine, file, now=datetime.now(UTC), secret=_secret(settings),
            recordings=settings.recordings_dir if recordings else None,
        )  # fmt: skip
        noted = _backup_in_audit(settings, engine, done, recordings=recordings)
    needed = _also_needed(settings, recordings=recordings)
    if json:
        print_json({"file": str(file), **asdict(done), "audited": noted, "also_needed": needed})
        return
    show(f"✔ {file}：{sum(done.rows.values())} 行，{done.recordings} 段录音，{done.size} 字节")
    if done.recordings_missing:
        show(f"  {done.recordings_missing} 段录音的文件已经不在")
    if not noted:
        show("  注意：这次备份没能记进审计（数据库太旧，或者不能写）")
    show("换一台机器恢复时，还要另外保管：")
    for line in needed:
        show(f"  {line}")


@db.command("restore")
def restore_command(
    file: File,
    force: Annotated[bool, typer.Option("--force", help="数据库里已有的内容全部换掉。")] = False,
    secret: Annotated[
        Path | None,
        typer.Option("--secret", metavar="FILE", help="做备份的机器的 secret 文件：先放好再恢复。"),
    ] = None,
    new_secret: Annotated[
        bool,
        typer.Option("--new-secret", help="旧的 secret 找不到了：用现在的，审计链从此重新开始。"),
    ] = False,
    json: Json = False,
) -> None:
    """把备份放进空的数据库（SQLite 或 PostgreSQL 都行）；出错就一点也不改。先停掉前门。

    换了机器要带上旧机器数据文件夹里的 secret（--secret），不然审计对不上，会拒绝恢复。
    """
    from qianmen.commands.db_secret import choose, placed
    from qianmen.supervise import running
    from store.archive import opened
    from store.restore import restore

    settings = installation()
    if running(settings) is not None:
        raise FrontDoorRunningError("前门正在运行：先停掉它（Ctrl-C 或 systemctl stop），再恢复")
    with _hinted():
        with opened(file) as archive:
            choice = choose(settings, archive.head.secret, secret, anew=new_secret)
        with _opened(settings) as engine:
            with placed(settings, choice):
                done = restore(engine, file, recordings=settings.recordings_dir, force=force)
            notes = _after_restore(settings, engine, done, anew=choice.anew)
    if json:
        told = {"before": done.before, "after": done.after, "rows": done.rows}
        print_json({"file": str(file), "made_at": done.head.created_at, **told,
                    "recordings": done.recordings, "notes": notes})  # fmt: skip
        return
    show(f"✔ {sum(done.rows.values())} 行，{done.recordings} 段录音；版本 {done.after}")
    for note in notes:
        show(f"  {note['text']}（{note['code']}）")


@contextmanager
def _opened(settings: Settings) -> Iterator[Engine]:
    """The database, without its key: rows travel as they are stored."""
    from store.engine import open_engine

    with _hinted():
        engine = open_engine(settings.database)
        try:
            yield engine
        finally:
            engine.dispose()


@contextmanager
def _hinted() -> Iterator[None]:
    """What went wrong is said in Chinese as well, once."""
    try:
        yield
    except StoreError as error:
        hint = _HINTS.get(error.code)
        if hint and str(error).startswith(hint):
            raise
        raise StoreError(error.code, f"{hint}（{error}）" if hint else str(error)) from error


def _secret(settings: Settings) -> str:
    from config.secret import secret_key

    try:
        return secret_key(settings)
    except OSError as error:
        raise StoreError("secret_unreadable", f"密钥读不出来（{error}）") from None


def _also_needed(settings: Settings, *, recordings: bool) -> list[str]:
    """What a new machine needs and the file does not hold."""
    secret = "设置 QIANMEN_SECRET_KEY" if settings.secret_key else str(settings.data_dir / "secret")
    needed = [f"{secret}（登录会话和审计链用它签名；恢复时用 --secret 带上）",
              f"{settings.city}（城市的配置）",
              "环境变量或 .env 里的设置"]  # fmt: skip
    if settings.data_key:
        needed.insert(0, "QIANMEN_DATA_KEY（没有它，加密的个人信息再也打不开；不要和备份放在一起）")
    if not recordings:
        needed.append(f"{settings.recordings_dir}（录音；或者加 --recordings）")
    return needed


def _after_restore(
    settings: Settings, engine: Engine, done: Restored, *, anew: bool
) -> list[dict[str, str]]:
    """Write the restoring down, and say what does not fit this machine."""
    from sealing.errors import SealError
    from store.keys import check_keys
    from store.seal import seal_from

    notes = []
    if anew:
        notes.append(_note(
            "chain_anew", "secret 换了：大家要重新登录；审计链从这次恢复重新开始，"
            "以前的记录有没有被改过，再也查不出来"))  # fmt: skip
    if done.erased:
        notes.append(_note(
            "erased_are_back", f"备份之后有 {done.erased} 位市民的信息按本人要求删除过，"
            "现在又回来了：请照当时的申请再运行 qianmen data erase"))  # fmt: skip
    try:
        check_keys(engine, seal_from(settings.data_key))
    except SealError as error:
        notes.append(_note(error.code, str(error)))
    _restore_in_audit(settings, engine, done, anew=anew)
    return notes


def _backup_in_audit(
    settings: Settings, engine: Engine, done: BackedUp, *, recordings: bool
) -> bool:
    """A line in the audit; False where it cannot be: a failing disk is backed up all the same."""
    from sqlalchemy.exc import SQLAlchemyError

    from store import audit
    from store.engine import writing
    from store.migrate import newest

    if done.revision != newest():
        return False
    data = {"rows": sum(done.rows.values()), "recordings": recordings}
    try:
        with writing(engine) as session:
            audit.write(session, _secret(settings), at=datetime.now(UTC), actor="system",
                        action="database_backed_up", data=data)  # fmt: skip
    except (StoreError, SQLAlchemyError):
        return False
    return True


def _restore_in_audit(settings: Settings, engine: Engine, done: Restored, *, anew: bool) -> None:
    """A line in the audit; the anchor of the audit that was replaced is kept beside the new one."""
    from store import audit
    from store.audit_anchor import FILE, renew_anchor
    from store.engine import writing

    now, secret = datetime.now(UTC), _secret(settings)
    data = {"made_at": done.head.created_at, "revision": done.before, "chain_anew": anew}
    anchor = settings.data_dir / FILE
    if anchor.exists():
        anchor.replace(anchor.with_name(f"{FILE}.{now:%Y%m%dT%H%M%SZ}"))
    with writing(engine) as session:
        if anew:
            audit.begin_anew(session, secret)
        audit.write(session, secret, at=now, actor="system", action="database_restored", data=data)
        renew_anchor(session, anchor)


def _note(code: str, text: str) -> dict[str, str]:
    return {"code": code, "text": text}
