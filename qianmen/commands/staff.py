"""``qianmen staff``: who may sign in, and what they may do."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handoff.profile import ROLES, Profile, StaffError
from qianmen.commands.shared import Json, acting
from qianmen.console import print_json, show

if TYPE_CHECKING:  # half a second that other commands should not pay
    from handoff.staff import Person

staff = typer.Typer(
    help="工作人员：添加、停用、角色、密码。", no_args_is_help=True, pretty_exceptions_enable=False
)

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="登录名。")]
Roles = Annotated[
    list[str],
    typer.Option("--role", help=f"角色，可以给多次：{'、'.join(ROLES)}。"),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="从标准输入读密码的第一行，不由系统生成。")
]


@staff.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option("--name", help="姓名。")],
    role: Roles,
    phone: Annotated[str, typer.Option("--phone", help="话机，如 sip:801@10.0.0.5。")] = "",
    skill: Annotated[list[str], typer.Option("--skill", help="技能，可以给多次。")] = [],  # noqa: B006  # typer wants the plain default
    capacity: Annotated[int, typer.Option("--capacity", help="同时接待几个对话。")] = 1,
    password_stdin: FromStdin = False,
    json: Json = False,
) -> None:
    """添加一个人；密码只显示这一次，第一次登录要换。"""
    from handoff import staff as people

    profile = Profile(name, tuple(role), phone, tuple(skill), capacity)
    given = _read_password(wanted=password_stdin)
    with acting() as (engine, act):
        password = people.add_staff(engine, act, login, profile, given)
        person = people.get_staff(engine, login)
    _tell_password(person, None if password_stdin else password, json=json)


@staff.command("list")
def list_(json: Json = False) -> None:
    """所有的人。"""
    from handoff import staff as people

    with acting() as (engine, _):
        everybody = people.list_staff(engine)
    if json:
        print_json([_document(person) for person in everybody])
        return
    for person in everybody:
        _show(person)


@staff.command()
def disable(login: Login, json: Json = False) -> None:
    """停用：立刻退出，不能再登录。"""
    from handoff import staff as people

    with acting() as (engine, act):
        _tell(people.set_active(engine, act, login, active=False), json=json)


@staff.command()
def enable(login: Login, json: Json = False) -> None:
    """重新启用，密码不变。"""
    from handoff import staff as people

    with acting() as (engine, act):
        _tell(people.set_active(engine, act, login, active=True), json=json)


@staff.command()
def password(login: Login, password_stdin: FromStdin = False, json: Json = False) -> None:
    """重设密码：只显示这一次，下次登录要换；现在的登录立刻退出。"""
    from handoff import staff as people

    given = _read_password(wanted=password_stdin)
    with acting() as (engine, act):
        made = people.reset_password(engine, act, login, given)
        person = people.get_staff(engine, login)
    _tell_password(person, None if password_stdin else made, json=json)


@staff.command()
def roles(login: Login, role: Roles, json: Json = False) -> None:
    """换成这些角色。"""
    from handoff import staff as people

    with acting() as (engine, act):
        former = people.get_staff(engine, login).profile
        profile = Profile(former.name, tuple(role), former.phone_uri, former.skills,
                          former.capacity)  # fmt: skip
        _tell(people.set_profile(engine, act, login, profile), json=json)


@staff.command()
def link(
    login: Login,
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="签发者网址#用户标识，空为取消。")
    ],
    json: Json = False,
) -> None:
    """关联统一认证的身份；给空字符串取消关联。"""
    from handoff import staff as people

    with acting() as (engine, act):
        _tell(people.link(engine, act, login, subject), json=json)


def _read_password(*, wanted: bool) -> str | None:
    """The first line of standard input; never an argument, which every process list shows."""
    if not wanted:
        return None
    line = sys.stdin.readline(1000).rstrip("\r\n")
    if not line:
        raise StaffError("password_weak", "标准输入里没有密码")
    return line


def _document(person: Person) -> dict[str, Any]:
    profile = asdict(person.profile)
    return {
        "login": person.login,
        **{name: list(value) if isinstance(value, tuple) else value
           for name, value in profile.items()},
        "active": person.active,
        "must_change": person.must_change,
        "subject": person.subject,
        "created_at": person.created_at.isoformat(),
    }  # fmt: skip


def _tell(person: Person, *, json: bool) -> None:
    if json:
        print_json(_document(person))
    else:
        _show(person)


def _tell_password(person: Person, made: str | None, *, json: bool) -> None:
    if json:
        print_json(_document(person) | ({"password": made} if made else {}))
        return
    _show(person)
    if made:
        show(f"  密码（只显示这一次，第一次登录要换）：{made}")


def _show(person: Person) -> None:
    profile = person.profile
    mark = "✔" if person.active else "✘"
    roles = "、".join(ROLES.get(role, role) for role in profile.roles)
    more = [profile.phone_uri, "、".join(profile.skills),
            "" if person.active else "已停用",
            "还没换密码" if person.active and person.must_change else "",
            "已关联统一认证" if person.subject else ""]  # fmt: skip
    line = f"{mark} {person.login:<12}{profile.name}  {roles}  {'  '.join(filter(None, more))}"
    show(line.rstrip())
