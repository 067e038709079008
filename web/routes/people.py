"""The staff's accounts, for administrators: list, add, change, switch off, a new password."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from handoff.profile import MAX_CAPACITY, ROLES, Profile, StaffError
from handoff.staff import (
    Person,
    add_staff,
    get_staff,
    list_staff,
    reset_password,
    set_active,
    set_profile,
)
from web import labels
from web.accounts import Member
from web.deps import ManagesStaff, OwnForm, SiteDep, act_of, renewed
from web.errors import ProblemError
from web.site import Site
from web.templating import page

router = APIRouter(prefix="/staff/people", include_in_schema=False)
_OWN_ACCOUNT = "不能停用自己的账号，也不能去掉自己的系统管理员角色；请另一位管理员来做"
_NOT_HERE = "自己的密码请在“我的账号”里修改。"
_DONE = {"saved": "已经保存。", "disabled": "账号已停用，登录都已退出。", "enabled": "账号已启用。"}
_BETWEEN = re.compile(r"[\s,，、;；]+")


def _profile(
    name: Annotated[str, Form()] = "",
    roles: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI copies it
    phone: Annotated[str, Form()] = "",
    skills: Annotated[str, Form()] = "",
    capacity: Annotated[str, Form()] = "1",
) -> Profile:
    """The profile as the form has it; what is wrong with it is found when it is stored."""
    number = int(capacity) if capacity.isascii() and capacity.isdecimal() else -1
    words = tuple(word for word in _BETWEEN.split(skills) if word)
    return Profile(name.strip(), tuple(roles), phone.strip(), words, number)


FormProfile = Annotated[Profile, Depends(_profile)]


@router.get("")
def people_page(request: Request, site: SiteDep, member: ManagesStaff) -> Response:  # noqa: ARG001  # asking for it is the check
    """Everybody."""
    return renewed(request, page(request, "people.html", {"people": list_staff(site.engine)}))


@router.get("/new")
def new_page(request: Request, site: SiteDep, member: ManagesStaff) -> Response:  # noqa: ARG001  # as above
    """The form for somebody new."""
    return renewed(request, _form(request, "", Profile("", ("agent",))))


@router.post("/new", dependencies=[OwnForm])
def take_new(
    request: Request,
    site: SiteDep,
    member: ManagesStaff,
    profile: FormProfile,
    login: Annotated[str, Form()] = "",
) -> Response:
    """Add somebody; their password is shown on this answer and never again."""
    login = login.strip().lower()
    try:
        password = add_staff(site.engine, act_of(site, member), login, profile)
    except StaffError as error:
        return renewed(request, _form(request, login, profile, wrong=f"{error}。"))
    return renewed(request, _password(request, get_staff(site.engine, login), password))


@router.get("/{login}")
def person_page(
    request: Request,
    site: SiteDep,
    member: ManagesStaff,
    login: str,
    done: str = "",
) -> Response:
    """One person; ``done`` names what was just done."""
    person = _known(site, login)
    return renewed(request, _person(request, member, person, done=_DONE.get(done, "")))


@router.post("/{login}", dependencies=[OwnForm])
def take_profile(
    request: Request, site: SiteDep, member: ManagesStaff, login: str, profile: FormProfile
) -> Response:
    """Change somebody's profile."""
    person = _known(site, login)
    try:
        _check_own(member, login, stays="administrator" in profile.roles)
        set_profile(site.engine, act_of(site, member), login, profile)
    except StaffError as error:
        tried = Person(login, profile, person.active, person.must_change, person.subject,
                       person.created_at)  # fmt: skip
        return renewed(request, _person(request, member, tried, wrong=f"{error}。"))
    return renewed(request, RedirectResponse(f"/staff/people/{login}?done=saved", 303))


@router.post("/{login}/active", dependencies=[OwnForm])
def take_active(
    request: Request,
    site: SiteDep,
    member: ManagesStaff,
    login: str,
    active: Annotated[bool, Form()],
) -> Response:
    """Switch somebody off or on."""
    person = _known(site, login)
    try:
        _check_own(member, login, stays=active)
        set_active(site.engine, act_of(site, member), login, active=active)
    except StaffError as error:
        return renewed(request, _person(request, member, person, wrong=f"{error}。"))
    done = "enabled" if active else "disabled"
    return renewed(request, RedirectResponse(f"/staff/people/{login}?done={done}", 303))


@router.post("/{login}/password", dependencies=[OwnForm])
def take_reset(request: Request, site: SiteDep, member: ManagesStaff, login: str) -> Response:
    """Give somebody a new password, shown on this answer and never again."""
    person = _known(site, login)
    if login == member.login:  # it would end this session before the password is read
        return renewed(request, _person(request, member, person, wrong=_NOT_HERE))
    password = reset_password(site.engine, act_of(site, member), login)
    return renewed(request, _password(request, get_staff(site.engine, login), password))


def _known(site: Site, login: str) -> Person:
    try:
        return get_staff(site.engine, login)
    except StaffError as error:
        raise ProblemError(404, error.code) from None


def _check_own(member: Member, login: str, *, stays: bool) -> None:
    """Nobody shuts themselves out by a slip; raises :class:`StaffError` ``own_account``."""
    if login == member.login and not stays:
        raise StaffError("own_account", _OWN_ACCOUNT)


def _form(request: Request, login: str, profile: Profile, wrong: str = "") -> Response:
    values = {"login": login, "profile": profile, "wrong": wrong, **_choices()}
    return page(request, "person_new.html", values, 422 if wrong else 200)


def _person(
    request: Request, member: Member, person: Person, *, wrong: str = "", done: str = ""
) -> Response:
    values = {"person": person, "profile": person.profile, "wrong": wrong, "done": done,
              "own": person.login == member.login, **_choices()}  # fmt: skip
    return page(request, "person.html", values, 422 if wrong else 200)


def _password(request: Request, person: Person, password: str) -> Response:
    return page(request, "person_password.html", {"person": person, "password": password})


def _choices() -> dict[str, object]:
    return {"roles": ROLES, "notes": labels.ROLE_NOTES, "max_capacity": MAX_CAPACITY}
