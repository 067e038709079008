"""Addresses of the desk: ``{code:matter}`` takes a matter's code (``gjj.rent``) and nothing else.

So no matter can stand in the way of ``/knowledge/publish`` and its like.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.convertors import Convertor, register_url_convertor

from knowledge.editing import AnswerKey
from knowledge.matters import CITY


class _MatterCode(Convertor[str]):
    regex = r"[a-z]{1,30}(?:\.[a-z]{1,30}){1,3}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("matter", _MatterCode())


def matter_path(code: str) -> str:
    """A matter's card."""
    return f"/knowledge/{code}"


def answer_path(key: AnswerKey, done: str = "") -> str:
    """An answer's page; ``done`` names what was just done."""
    more = {} if key.region == CITY else {"region": key.region}
    if done:
        more["done"] = done
    return f"/knowledge/{key.matter}/{key.aspect}" + (f"?{urlencode(more)}" if more else "")
