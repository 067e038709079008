"""The pages on the real core and a day's orders, with a clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from config.city import City
from handoff.passwords import hash_password
from store.engine import reading, writing
from store.tables import Audit, Staff
from tests.fakes.office import Office
from tests.fakes.orders import a_day
from web.sessions import form_token, load

PASSWORD = "correct horse"


@dataclass
class Clock:
    """The time it is, until the test says otherwise."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def office(tmp_path: Path, engine: Engine, city: City, clock: Clock) -> Office:
    return Office(tmp_path, engine, city, clock)


@pytest.fixture(scope="session")
def hashed() -> str:
    return hash_password(PASSWORD)  # as quick as tests/conftest.py makes it


@pytest.fixture
def staff(engine: Engine, now: datetime, hashed: str) -> str:
    """The login of somebody who may sign in."""
    with writing(engine) as session:
        session.add(
            Staff(login="li", name="李敏", password_hash=hashed, roles=["agent"], created_at=now)
        )
    return "li"


@pytest.fixture
def day(office: Office, city: City) -> tuple[str, str]:
    """The numbers of the call's order and the chat's."""
    return a_day(office.engine, office.settings.recordings_dir, office.now().astimezone(city.zone))


@pytest.fixture
def visitor(office: Office) -> Iterator[TestClient]:
    with TestClient(office.app, follow_redirects=False) as client:
        yield client


class Desk:
    """Somebody of the staff at the pages, signed in."""

    def __init__(self, office: Office, client: TestClient) -> None:
        self.office, self.client = office, client
        self.get = client.get

    @property
    def token(self) -> str:
        key = self.office.app.state.site.key
        session = load(self.client.cookies["qianmen_staff"], key, self.office.now())
        assert session is not None
        return form_token(session.nonce, key)


def sign_in(client: TestClient, login: str, password: str, **more: str) -> int:
    """Fill in the form as a browser does; the status."""
    page = client.get("/staff/sign-in")
    token = page.text.split('name="token" value="')[1].split('"')[0]
    form = {"login": login, "password": password, "token": token, **more}
    return client.post("/staff/sign-in", data=form).status_code


@pytest.fixture
def desk(office: Office, visitor: TestClient, staff: str) -> Desk:
    assert sign_in(visitor, staff, PASSWORD) == 303
    return Desk(office, visitor)


def audits(engine: Engine, action: str) -> list[tuple[str, str]]:
    """Who did it to what."""
    with reading(engine) as session:
        rows = session.scalars(select(Audit).where(Audit.action == action).order_by(Audit.id))
        return [(row.actor, row.object) for row in rows]
