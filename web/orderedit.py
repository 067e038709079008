"""Change an order's fields by a form: only what was changed, and nothing over somebody's head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from fastapi.responses import Response

from config.city import City
from handoff.order import deeds
from handoff.order.model import OrderError
from web import labels
from web.accounts import Member
from web.orderview import form_values
from web.queries import OrderDetail
from web.site import Site
from web.templating import page

LONG = frozenset({"what", "summary", "outcome"})
"""The fields that are written in several lines."""
YES_NO = frozenset({"secret", "visit"})


class ClashError(Exception):
    """Somebody changed the same fields meanwhile: ``theirs`` has what stands there now."""

    def __init__(self, theirs: Mapping[str, str]) -> None:
        super().__init__("somebody else changed the same fields")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class Changes:
    """What a form changes: ``mine`` the new values, ``before`` what the form was shown with."""

    mine: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)


def changes_of(detail: OrderDetail, fields: Mapping[str, str]) -> Changes:
    """The fields whose value is not the one that the form was shown with (``was.NAME``)."""
    mine: dict[str, str] = {}
    before: dict[str, str] = {}
    for name in form_values(detail):
        if name not in fields:
            continue
        value, was = _plain(fields[name]), _plain(fields.get(f"was.{name}", ""))
        if value != was:
            mine[name], before[name] = value, was
    return Changes(mine, before)


def save(
    site: Site, member: Member, detail: OrderDetail, changes: Changes, edition: str
) -> list[str]:
    """Write ``changes``; the names of what changed.

    An older ``edition`` is no obstacle where others changed other fields. Raises
    :class:`ClashError`, :class:`OrderError`.
    """
    now = {name: _plain(value) for name, value in form_values(detail).items()}
    if edition != str(detail.row.edition):
        theirs = {name: now[name] for name, was in changes.before.items()
                  if now[name] not in (was, changes.mine[name])}  # fmt: skip
        if theirs:
            raise ClashError(theirs)
    if not changes.mine:
        return []
    _check_code(site.city, changes.mine.get("code", ""))
    deeds.edit(
        site.engine, detail.row.number, changes.mine, by=member.login, now=site.now(),
        edition=detail.row.edition, rules=site.city.orders, links=site.city.links,
    )  # fmt: skip
    return sorted(changes.mine)


def _check_code(city: City, code: str) -> None:
    """A city without classes takes any code."""
    if code and city.classes.groups and city.classes.leaf(code) is None:
        raise OrderError("value_invalid", f"没有分类“{code[:20]}”")


def _plain(value: str) -> str:
    """As a text area gives it back: browsers send CR LF."""
    return value.replace("\r\n", "\n").strip()


def edit_page(
    request: Request, site: Site, detail: OrderDetail, *, typed: Mapping[str, str] | None = None,
    theirs: Mapping[str, str] | None = None, message: str = "", status: int = 200,
) -> Response:  # fmt: skip
    """The form; ``typed`` is what was typed before, ``theirs`` what others wrote in its place."""
    values = form_values(detail)
    former = {one.name: one.former for one in detail.fields}
    return page(request, "order_edit.html", {
        "row": detail.row, "values": values, "typed": typed or {}, "theirs": theirs or {},
        "message": message, "former": former, "names": detail.names, "long": LONG,
        "yes_no": YES_NO, "kinds": labels.KINDS, "urgencies": labels.URGENCIES,
        "label_of": labels.field, "hidden": detail.hidden,
        "departments": tuple(one.name for one in site.city.departments),
        "codes": tuple((leaf.code, leaf.name) for leaf in site.city.classes.leaves()),
    }, status)  # fmt: skip
