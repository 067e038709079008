"""Every route says who may use it, every form is checked, and each role sees what it should."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select
from starlette.routing import BaseRoute, Mount, Route

from handoff.profile import ROLES
from store.engine import writing
from store.tables import Staff
from tests.fakes.office import Office
from tests.web.conftest import PASSWORD, sign_in
from web import deps
from web.deps import Needs
from web.rights import RIGHTS, Right, rights_of
from web.routes import attachments, linkage

WITHOUT_DEPENDENCIES = {"/openapi.json"}
FOR_THEMSELVES = {"/staff", "/staff/sign-out", "/staff/account", "/staff/account/password",
                  "/staff/account/sessions"}  # fmt: skip


def routes(app: FastAPI) -> Iterator[BaseRoute]:
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop()
        inner = getattr(route, "original_router", None)
        if inner is not None:
            waiting.extend(inner.routes)
        else:
            yield route


def calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for part in dependant.dependencies:
        yield from calls(part)


def declared(route: APIRoute | APIWebSocketRoute) -> set[object]:
    return set(calls(route.dependant))


def test_every_route_declares_who_may_use_it(office: Office) -> None:
    seen = set()
    for route in routes(office.app):
        if isinstance(route, Mount):
            assert route.path.startswith("/static/")
        elif isinstance(route, APIRoute | APIWebSocketRoute):
            seen.add(route.path)
            found = declared(route)
            kinds = [any(isinstance(call, Needs) for call in found), deps._everybody in found,
                     deps._member in found and route.path in FOR_THEMSELVES]  # fmt: skip
            assert kinds.count(True) == 1, (route.path, kinds)
        else:
            assert isinstance(route, Route)
            assert route.path in WITHOUT_DEPENDENCIES, route.path
    assert {"/orders", "/api/orders", "/recordings/{recording}", "/chat/ws", "/staff/audit",
            "/staff/people/{login}/active"} <= seen  # fmt: skip


def test_every_form_is_checked(office: Office) -> None:
    posts = [
        route for route in routes(office.app)
        if isinstance(route, APIRoute) and not (route.methods or set()) <= {"GET", "HEAD"}
    ]  # fmt: skip
    assert len(posts) >= 12
    for route in posts:
        known = {deps._own_form, deps._own_request, linkage.signed_message, attachments._own_page}
        checked = known & declared(route)
        assert checked, route.path


def test_no_route_grants_orders_to_who_must_not_see_citizens(office: Office) -> None:
    rights = {
        route.path: {call.right for call in declared(route) if isinstance(call, Needs)}
        for route in routes(office.app)
        if isinstance(route, APIRoute)
    }
    for path, needed in rights.items():
        if path.startswith(("/orders", "/api/orders", "/api/conversations")):
            assert needed <= {Right.SEE_ORDERS, Right.REPLY, Right.CHANGE_ORDERS,
                              Right.CREATE_ORDERS, Right.EXPORT_ORDERS}, path  # fmt: skip
            assert needed
    assert rights["/recordings/{recording}"] == {Right.HEAR_RECORDINGS}
    for role in ("editor", "approver", "administrator"):
        assert not RIGHTS[role] & {Right.SEE_ORDERS, Right.HEAR_RECORDINGS, Right.REPLY,
                                   Right.CHANGE_ORDERS, Right.CREATE_ORDERS, Right.EXPORT_ORDERS,
                                   Right.SEE_WALL}  # fmt: skip


def test_the_table_knows_every_role_and_nothing_else() -> None:
    assert set(RIGHTS) == set(ROLES)
    assert rights_of(["nobody", ""]) == frozenset()
    assert rights_of(["administrator", "supervisor", "approver"]) == frozenset(Right)


PAGES = {"/orders": Right.SEE_ORDERS, "/api/orders": Right.SEE_ORDERS,
         "/recordings/none": Right.HEAR_RECORDINGS, "/staff/people": Right.MANAGE_STAFF,
         "/staff/people/new": Right.MANAGE_STAFF, "/staff/people/li": Right.MANAGE_STAFF,
         "/staff/audit": Right.SEE_AUDIT, "/knowledge": Right.SEE_KNOWLEDGE,
         "/knowledge/publish": Right.SEE_KNOWLEDGE, "/knowledge/new": Right.EDIT_KNOWLEDGE,
         "/knowledge/no.such": Right.SEE_KNOWLEDGE,
         "/orders/1/print": Right.SEE_ORDERS, "/orders/1/edit": Right.CHANGE_ORDERS,
         "/api/orders/1/history": Right.SEE_ORDERS, "/api/orders/1/deeds": Right.SEE_ORDERS,
         "/wall": Right.SEE_WALL, "/wall/days": Right.SEE_WALL,
         "/wall/small": Right.SEE_ORDERS}  # fmt: skip
POSTS = {"/orders": Right.SEE_ORDERS, "/orders/1/reply": Right.REPLY,
         "/orders/1/deeds/note": Right.CHANGE_ORDERS, "/orders/1/edit": Right.CHANGE_ORDERS,
         "/orders/1/confirm": Right.CHANGE_ORDERS, "/orders/export/csv": Right.EXPORT_ORDERS,
         "/orders/export/xlsx": Right.EXPORT_ORDERS, "/wall/alarms/1/seen": Right.SUPERVISE,
         "/staff/people/new": Right.MANAGE_STAFF, "/staff/people/li/password": Right.MANAGE_STAFF,
         "/staff/people/li/active": Right.MANAGE_STAFF, "/staff/audit/export": Right.SEE_AUDIT,
         "/staff/audit/check": Right.SEE_AUDIT, "/knowledge/new": Right.EDIT_KNOWLEDGE,
         "/knowledge/publish": Right.APPROVE_KNOWLEDGE,
         "/knowledge/publish/undo": Right.APPROVE_KNOWLEDGE}  # fmt: skip


@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_opens_its_own_pages_only(
    office: Office, engine: Engine, visitor: TestClient, staff: str, role: str
) -> None:
    with writing(engine) as session:
        session.scalars(select(Staff)).one().roles = [role]
    assert sign_in(visitor, staff, PASSWORD) == 303
    home = visitor.get("/staff/account").text
    token = home.split('name="token" value="')[1].split('"')[0]
    for path, right in PAGES.items():
        answer = visitor.get(path)
        if right in RIGHTS[role]:
            assert answer.status_code in (200, 404), path
        else:
            assert answer.status_code == 403, path
            assert "right_missing" in answer.text
            assert "您的角色不能打开这一页" in answer.text
        if path in ("/orders", "/staff/people", "/staff/audit", "/knowledge"):
            assert (f'<a href="{path}"' in home) == (right in RIGHTS[role])
    for path, right in POSTS.items():
        form = {"token": token, "active": "true"}
        if right not in RIGHTS[role]:
            assert visitor.post(path, data=form).status_code == 403, path


def test_roles_are_looked_up_at_every_request(
    engine: Engine, visitor: TestClient, staff: str
) -> None:
    assert sign_in(visitor, staff, PASSWORD) == 303
    assert visitor.get("/orders").status_code == 200
    with writing(engine) as session:
        session.scalars(select(Staff)).one().roles = ["editor"]
    assert visitor.get("/orders").status_code == 403
