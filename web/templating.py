"""Pages from templates; everything put into them is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from web import auditwords, labels
from web.desk import labels as desk
from web.menu import menu_of

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"


def static_version() -> str:
    """Names what the pages load by its content, so that browsers may keep it for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def make_environment(zone: Any, city: str, version: str) -> Environment:
    """The templates with their filters; ``zone`` is the city's."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def moment(value: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
        return value.astimezone(zone).strftime(form)

    environment.filters["moment"] = moment
    environment.filters["channel"] = labels.channel
    environment.filters["urgency"] = labels.urgency
    environment.filters["speaker"] = labels.speaker
    environment.filters["span"] = labels.span
    environment.filters["role"] = labels.role
    environment.filters["auditor"] = auditwords.actor
    environment.filters["action"] = labels.action
    environment.filters["target"] = labels.target
    environment.filters["answer_state"] = desk.state
    environment.globals["desk"] = desk
    environment.globals["city"] = city
    environment.globals["static"] = f"/static/{version}"
    return environment


def page(
    connection: HTTPConnection, name: str, values: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """The template ``name`` filled with ``values`` and with who is signed in."""
    return HTMLResponse(render(connection, name, values), status)


def render(connection: HTTPConnection, name: str, values: Mapping[str, Any]) -> str:
    """As :func:`page`, the text alone."""
    environment: Environment = connection.app.state.site.templates
    state = getattr(connection, "state", None)
    member = getattr(state, "member", None)
    known = {
        "member": member,
        "menu": menu_of(member),
        "path": connection.url.path,
        "form_token": getattr(state, "form_token", ""),
    }
    return environment.get_template(name).render({**known, **values})
