"""``qianmen knowledge``: import, export, test, publish, take back; without starting anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.secret import secret_key
from qianmen.commands.calibrate import calibrate
from qianmen.commands.knowledge_told import (
    past_document,
    show_gate,
    show_past,
    show_plan,
    show_test,
)
from qianmen.commands.shared import Json, installation, opened
from qianmen.console import print_json, show

if TYPE_CHECKING:  # seconds that other commands should not pay
    from sqlalchemy import Engine

    from knowledge.editing import Act, Place
    from knowledge.planned import Plan
    from knowledge.search import Search

knowledge = typer.Typer(
    help="政策知识：导入、导出、检查、发布、撤回。", no_args_is_help=True,
    pretty_exceptions_enable=False,
)  # fmt: skip
knowledge.command()(calibrate)

COMMAND = "command-line"
"""Who writes what a command imports: somebody of the staff must approve it."""

By = Annotated[str, typer.Option("--by", metavar="LOGIN", help="谁来做：工作人员的登录名。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只说会怎样，什么都不改。")]
Why = Annotated[str, typer.Option("--why", help="理由，写进历史。")]


@dataclass(frozen=True, slots=True)
class Desk:
    """The installation's knowledge, and the moment."""

    engine: Engine
    place: Place
    key: str
    now: datetime
    cache: Path

    def live(self) -> Search:
        """The search over what is published; trained where no process has done it before."""
        from knowledge.published import Published

        place = self.place
        return Published(
            self.engine, parents=place.parents, regions=place.regions,
            calibration=place.calibration, zone=place.zone, cache=self.cache,
        ).search()  # fmt: skip

    def act(self, by: str) -> Act:
        """What ``by`` does now."""
        from knowledge.editing import Act

        return Act(by, self.now, self.key)


@knowledge.command("import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help=".xlsx、.yaml 或文件夹。")],
    dry_run: DryRun = False,
    publish_: Annotated[
        bool, typer.Option("--publish", help="由 --by 批准，通过检查后直接发布；否则成为草稿。")
    ] = False,
    by: By = "",
    json: Json = False,
) -> None:
    """导入表格或文件：说明改了什么，成为草稿（或者发布）。有一行不对就什么都不改。

    发布检查没有通过时，内容作为已批准的草稿留着，改好冲突的一边再用 publish 发布。
    """
    from knowledge import plan as importing
    from knowledge.publish import publish as go_live
    from store.engine import reading, writing

    with _desk() as desk:
        if publish_:
            _check_approver(desk, by)
        elif by:
            _check_staff(desk, by)
        imported = importing.read_import(source, desk.place)
        writer = COMMAND if publish_ else by or COMMAND
        with reading(desk.engine) as session:
            day = desk.place.day(desk.now)
            found = importing.plan(session, imported, desk.place, day, writer)
        document = found.as_json() | {"release": None}
        if found.ok and not dry_run and _changes(found):
            with writing(desk.engine) as session:
                act = desk.act(writer)
                selection = importing.apply(session, act, desk.place, imported)
                if publish_:
                    importing.approve_all(session, desk.act(by), desk.place, selection)
            if publish_:
                made = go_live(desk.engine, desk.act(by), desk.place, selection,
                               why=f"导入 {source.name}", live=desk.live())  # fmt: skip
                document["release"] = made.release
    if json:
        print_json(document)
    else:
        show_plan(found)
        if document["release"] is not None:
            show(f"✔ 已发布（第 {document['release']} 次）")
    raise typer.Exit(0 if found.ok else 1)


@knowledge.command()
def export(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="新的 .xlsx，或者文件夹。")],
    json: Json = False,
) -> None:
    """导出已发布的内容：.xlsx 表格，或者 YAML 文件夹；可以改了再导入。"""
    from config.wholefile import write_whole
    from knowledge.exporting import published_contents, write_folder
    from knowledge.plan import export_workbook
    from store.engine import reading

    with _desk() as desk, reading(desk.engine) as session:
        day = desk.place.day(desk.now)
        contents = published_contents(session, day)
        if target.suffix.lower() == ".xlsx":
            write_whole(target, export_workbook(session, desk.place, day))
            target.chmod(0o644)
        else:
            write_folder(target, contents)
    document = {"target": str(target), "matters": len(contents.matters),
                "answers": len(contents.answers)}  # fmt: skip
    if json:
        print_json(document)
    else:
        show(f"✔ {target}：{document['matters']} 个事项，{document['answers']} 条答复")


@knowledge.command("test")
def ask_golden(json: Json = False) -> None:
    """把所有黄金问题问一遍现在已发布的内容；有一个原样的问题答错，退出码为 1。"""
    from knowledge.publish import ask_everything

    with _desk() as desk:
        result = ask_everything(desk.engine, desk.place, desk.now, live=desk.live())
    wrong = [failing.question for failing in result.failing]
    if json:
        print_json(result.as_json())
    else:
        show_test(result)
    raise typer.Exit(1 if wrong else 0)


@knowledge.command()
def publish(dry_run: DryRun = False, why: Why = "", by: By = "", json: Json = False) -> None:
    """发布全部批准了的答复和说法；黄金问题受影响就不发布，并说明冲突在哪里。"""
    from knowledge.editing import EditError
    from knowledge.publish import publish as go_live
    from knowledge.publish import rehearse

    with _desk() as desk:
        document: dict[str, Any] = {"release": None}
        if dry_run:
            rehearsed = rehearse(desk.engine, desk.place, desk.now, live=desk.live())
            document["gate"] = rehearsed.result.as_json()
        else:
            _check_approver(desk, by)
            try:
                made = go_live(desk.engine, desk.act(by), desk.place, why=why, live=desk.live())
            except EditError as error:
                if error.code != "gate_refused":
                    raise
                document["gate"] = error.data
            else:
                gate = made.result.as_json() if made.result else {}
                document = {"release": made.release, "revision": made.revision, "gate": gate}
    if json:
        print_json(document)
    else:
        show_gate(document)
    raise typer.Exit(0 if document["gate"]["ok"] else 1)


@knowledge.command()
def history(
    matter: Annotated[str, typer.Argument(metavar="MATTER", help="事项代码，如 gjj.rent。")],
    aspect: Annotated[str, typer.Argument(metavar="ASPECT", help="方面，如 材料。")],
    region: Annotated[str, typer.Option("--region", help="地区代码。")] = "city",
    json: Json = False,
) -> None:
    """一条答复的全部版本：谁、什么时候、为什么、改了什么。"""
    from handoff.staff import list_staff
    from knowledge import history as past
    from knowledge.editing import AnswerKey
    from knowledge.wording import check_key
    from knowledge.words import matter_words
    from store.engine import reading

    key = AnswerKey(matter, aspect, region)
    with _desk() as desk:
        zone = desk.place.zone
        with reading(desk.engine) as session:
            matter_words(session, matter)
            check_key(key, desk.place)
            found = past.history(session, key)
        names = {person.login: person.profile.name for person in list_staff(desk.engine)}
    if json:
        print_json([past_document(one, zone, names) for one in found])
        return
    if not found:
        show(f"没有 {matter} 的{aspect}")
    for one in found:
        show_past(one, zone, names)


@knowledge.command()
def undo(why: Why = "", by: By = "", json: Json = False) -> None:
    """撤回最近一次发布，一步：之前说什么，现在又说什么。"""
    from knowledge.publish import undo_last

    with _desk() as desk:
        _check_approver(desk, by)
        made = undo_last(desk.engine, desk.act(by), why=why)
    answers = [version.key.id for version in made.versions]
    if json:
        print_json({"release": made.release, "revision": made.revision, "answers": answers,
                    "matters": list(made.matters)})  # fmt: skip
    else:
        names = "、".join([*answers, *made.matters])
        show(f"✔ 撤回了第 {made.release} 次发布：{names}")


@contextmanager
def _desk() -> Iterator[Desk]:
    """The installation's database and city."""
    from config.city import load_city
    from knowledge.editing import place_of

    settings = installation()
    place = place_of(load_city(settings.city))
    with opened(settings) as engine:
        yield Desk(engine, place, secret_key(settings), datetime.now(UTC),
                   settings.data_dir / "learned")  # fmt: skip


def _check_staff(desk: Desk, login: str) -> frozenset[str]:
    """The roles of somebody who may sign in. Raises StaffError ``staff_unknown``."""
    from handoff.profile import StaffError
    from handoff.staff import get_staff

    person = get_staff(desk.engine, login)
    if not person.active:
        raise StaffError("staff_unknown", f"{login} 已停用")
    return frozenset(person.profile.roles)


def _check_approver(desk: Desk, login: str) -> None:
    """Raises EditError ``approver_missing`` where nobody who may approve is named."""
    from knowledge.editing import EditError

    if not login:
        raise EditError("approver_missing", "请用 --by 写明由哪位知识审核人员批准")
    if "approver" not in _check_staff(desk, login):
        raise EditError("approver_missing", f"{login} 没有“知识审核”的角色")


def _changes(found: Plan) -> int:
    counts = found.counts()
    return counts["added"] + counts["changed"]
