"""One's own account: who one is, a password of one's own, an end to sessions elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from handoff.passwords import SHORTEST
from handoff.profile import StaffError
from handoff.staff import end_sessions, get_staff
from web import sessions
from web.accounts import Member, SignInError, change_password
from web.deps import MemberDep, OwnForm, SiteDep, act_of, give_cookie, renewed
from web.menu import ACCOUNT, start_of
from web.site import Site
from web.templating import page

router = APIRouter(prefix=ACCOUNT, include_in_schema=False)
_CURRENT_WRONG = "现在的密码不对。连续输错五次，账号会锁定十五分钟。"
_DIFFERENT = "两次输入的新密码不一样。"
_SAME = "新密码和现在的一样，请换一个。"
_DONE = {"password": "密码已经修改，其他设备上的登录都已退出。",
         "sessions": "其他设备上的登录都已退出。"}  # fmt: skip


@router.get("")
def account_page(request: Request, site: SiteDep, member: MemberDep, done: str = "") -> Response:
    """The account; ``done`` names what was just done."""
    return renewed(request, _page(request, site, member, done=_DONE.get(done, "")))


@router.post("/password", dependencies=[OwnForm])
def take_password(
    request: Request,
    site: SiteDep,
    member: MemberDep,
    current: Annotated[str, Form()] = "",
    fresh: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change one's own password; this session goes on under a new name, all others end."""
    act = act_of(site, member)
    wrong = _DIFFERENT if fresh != again else _SAME if fresh == current else ""
    if not wrong:
        try:
            change_password(site.engine, current, fresh, act, (site.city.name,))
        except SignInError:
            wrong = _CURRENT_WRONG
        except StaffError as error:
            wrong = f"{error}。"
    if wrong:
        return renewed(request, _page(request, site, member, wrong=wrong, status=422))
    there = start_of(_free(member)) if member.must_change else f"{ACCOUNT}?done=password"
    response = RedirectResponse(there, 303)
    give_cookie(request, response, sessions.begin(member.id, act.at))
    return response


@router.post("/sessions", dependencies=[OwnForm])
def take_sessions(request: Request, site: SiteDep, member: MemberDep) -> Response:
    """End one's sessions on all other devices."""
    act = act_of(site, member)
    end_sessions(site.engine, act)
    response = RedirectResponse(f"{ACCOUNT}?done=sessions", 303)
    give_cookie(request, response, sessions.begin(member.id, act.at))
    return response


def _free(member: Member) -> Member:
    return Member(member.id, member.login, member.name, member.roles)


def _page(
    request: Request, site: Site, member: Member, *, wrong: str = "", done: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    values = {"person": get_staff(site.engine, member.login), "wrong": wrong, "done": done,
              "shortest": SHORTEST, "idle": int(site.idle.total_seconds() // 60)}  # fmt: skip
    return page(request, "account.html", values, status)
