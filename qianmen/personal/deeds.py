"""Write down who gave out or erased a citizen's data; never the number itself, only its mark."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from config.secret import secret_key
from config.settings import Settings
from store import audit
from store.engine import writing
from store.marks import marks_of


@dataclass(frozen=True, slots=True)
class By:
    """Who does it: the name they gave, and the account of the operating system."""

    name: str
    account: str


def by(name: str) -> By:
    """Whoever sits at this command line."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = "?"
    return By(name, account)


def note(
    settings: Settings,
    engine: Engine,
    by: By,
    action: str,
    identity: str,
    now: datetime,
    data: Mapping[str, Any],
) -> None:
    """One line of the audit."""
    marks = marks_of(engine, identity)
    with writing(engine) as session:
        audit.write(
            session, secret_key(settings), at=now, actor=f"cli:{by.name}", action=action,
            target=marks[0] if marks else "", data={**data, "account": by.account},
        )  # fmt: skip
