"""Who changed what meanwhile, as the page's script merges it: values as its fields hold them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from starlette.responses import JSONResponse

from config.city import City
from knowledge.editing import EditError
from store.engine import reading
from web.desk.labels import FIELDS, who
from web.desk.overview import staff_names


def conflict_answer(
    engine: Engine, city: City, error: EditError, *, aspect: str = "", version: int | None = None
) -> JSONResponse:
    """409 with their values. ``aspect``: whose questions the page shows.

    ``version``: the version that they changed.
    """
    with reading(engine) as session:
        by = who(str(error.data.get("by", "")), staff_names(session))
    theirs = {
        name: field_text(value, aspect) for name, value in error.data.get("theirs", {}).items()
    }
    at = str(error.data.get("at", ""))
    clock = datetime.fromisoformat(at).astimezone(city.zone).strftime("%H:%M") if at else ""
    return JSONResponse(
        {
            "code": error.code, "message": f"{by}刚刚改过这里", "who": by, "at": clock,
            "edition": error.data.get("edition", 0), "version": version, "theirs": theirs,
            "labels": {name: FIELDS.get(name, name) for name in theirs},
        },
        409,
    )  # fmt: skip


def field_text(value: Any, aspect: str = "") -> str:
    """A field's value as a form holds it: lists one a line, a tick as ``1``."""
    if isinstance(value, Mapping):
        value = value.get(aspect, [])
    if isinstance(value, list | tuple):
        return "\n".join(str(one) for one in value)
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)
