"""The links to 110 and others: configured, with keys, and acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from config.errors import ConfigError
from config.links import Links, Party, Target
from handoff.links.keys import read_keys
from handoff.links.linkage import OPEN
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.doctor.stores import sqlite_file
from store.engine import open_store, reading
from store.tables import Delivery, Linkage

_LATE = timedelta(minutes=1)
_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """``keys``: names with a key; ``fault``: why they cannot be read, or ''.

    ``acknowledged``: when each party did last; ``late``: orders in danger that wait for it longer
    than a minute; ``given_up``: webhooks given up within a day, by target.
    """

    links: Links
    keys: frozenset[str] = frozenset()
    fault: str = ""
    acknowledged: dict[str, datetime] | None = None
    late: dict[str, int] | None = None
    given_up: dict[str, int] | None = None


def collect_links(patient: Patient) -> LinkFacts:
    """Read the keys' names, and what the database has of links."""
    links = patient.city.links if patient.city else Links()
    try:
        keys = frozenset(read_keys(patient.settings.link_keys))
    except ConfigError as unreadable:
        return LinkFacts(links, fault=str(unreadable))
    file = sqlite_file(patient.settings)
    if file and not file.exists():
        return LinkFacts(links, keys)
    try:
        engine = open_store(patient.settings)
    except Exception:  # noqa: BLE001  # the database's own check says what is wrong with it
        return LinkFacts(links, keys)
    try:
        return LinkFacts(links, keys, "", *_asked(engine, datetime.now(UTC)))
    except Exception:  # noqa: BLE001  # as above
        return LinkFacts(links, keys)
    finally:
        engine.dispose()


def _asked(
    engine: Engine, now: datetime
) -> tuple[dict[str, datetime], dict[str, int], dict[str, int]]:
    out = Linkage.direction == "out"
    last = (
        select(Linkage.party, func.max(Linkage.acknowledged_at))
        .where(out, Linkage.acknowledged_at.is_not(None)).group_by(Linkage.party)
    )  # fmt: skip
    late = (
        select(Linkage.party, func.count())
        .where(out, Linkage.state.in_(OPEN), Linkage.created_at < now - _LATE)
        .group_by(Linkage.party)
    )
    given_up = (
        select(Delivery.target, func.count())
        .where(Delivery.state == "given_up", Delivery.created_at > now - _LATELY)
        .group_by(Delivery.target)
    )
    with reading(engine) as session:
        return (
            {row[0]: row[1] for row in session.execute(last) if row[1] is not None},
            {row[0]: row[1] for row in session.execute(late)},
            {row[0]: row[1] for row in session.execute(given_up)},
        )


def judge_links(facts: LinkFacts) -> Iterator[Finding]:
    """Danger can be told to somebody, and they answer."""
    links = facts.links
    if facts.fault:
        yield error(
            "link_keys_invalid", "联动密钥", facts.fault,
            "写成：110=密钥 erp=密钥；密钥用 qianmen link new-key 生成。",
        )  # fmt: skip
        return
    if not links.parties:
        yield warning(
            "links_none", "110联动", "没有配置，危险工单只转人工，并提醒坐席电话通报",
            "和110约好接口后，写进城市文件夹的 links.yaml（里面有说明）。",
        )  # fmt: skip
    ends: tuple[Party | Target, ...] = (*links.parties, *links.targets)
    for end in ends:
        if end.name not in facts.keys:
            yield error(
                "link_key_missing", f"联动 {end.name}", "没有密钥，什么都发不出去",
                "qianmen link new-key 生成一把，写进 QIANMEN_LINK_KEYS"
                f"（{end.name}=密钥），并交给对方。",
            )  # fmt: skip
        if end.url.startswith("http://") and not end.allow_private:
            yield warning(
                "link_plain", f"联动 {end.name}", "用 http 走公网，内容不加密",
                "让对方提供 https 地址。",
            )  # fmt: skip
    yield from _judge_answers(facts)


def _judge_answers(facts: LinkFacts) -> Iterator[Finding]:
    for name, count in (facts.late or {}).items():
        yield error(
            "link_unacknowledged", f"联动 {name}", f"{count} 件危险工单还没有确认",
            "马上电话通报；看 courier.log 里 link_tried 的 fault。",
        )  # fmt: skip
    for name, count in (facts.given_up or {}).items():
        yield warning(
            "webhook_given_up", f"推送 {name}", f"一天内放弃了 {count} 条",
            "看 courier.log 里 link_tried 的 fault，和对方核对地址、密钥、时钟。",
        )  # fmt: skip
    for party in facts.links.parties:
        if party.name in facts.keys and party.name not in (facts.late or {}):
            last = (facts.acknowledged or {}).get(party.name)
            seen = f"上次确认 {last:%Y-%m-%d %H:%M} UTC" if last else "还没有用过"
            yield ok("link_ok", f"联动 {party.label}", seen)


CHECKS = (check("联动", collect_links, judge_links),)
