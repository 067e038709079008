"""What all requests of one web process share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment
from sqlalchemy import Engine

from chat.core import Conversations
from chat.door import Door
from chat.limits import Limiter, Rate
from chat.uploads import Uploads
from config.city import City
from handoff.classify import LazyRules
from handoff.links.keys import Keys
from web.agents.floor import Floor
from web.danger import DangerTold
from web.desk.room import Desk
from web.health import Probe
from web.lockout import Addresses
from web.oidc import SignOn
from web.wechat import Wechat

API_RATE = Rate(burst=120, per_s=30)
"""How fast one system, or one member, may use the API."""


@dataclass(frozen=True, slots=True)
class Site:
    """``key`` signs; ``probes`` tell whether the parts behind the pages are ready.

    ``rules`` classify orders that other systems write, ``danger`` hears it in them. ``https``: the
    city says that visitors come by https; ``idle``: how long a session may rest.
    """

    city: City
    engine: Engine
    conversations: Conversations
    recordings: Path
    key: str
    door: Door
    templates: Environment
    probes: tuple[Probe, ...]
    desk: Desk
    floor: Floor
    rules: LazyRules
    danger: DangerTold
    now: Callable[[], datetime]
    idle: timedelta = timedelta(minutes=30)
    https: bool = False
    anchor: Path = Path()
    sign_on: SignOn | None = None
    wechat: Wechat | None = None
    link_keys: Mapping[str, Keys] = field(default_factory=dict)
    uploads: Uploads = field(init=False)
    addresses: Addresses = field(default_factory=Addresses)
    api_limit: Limiter = field(default_factory=lambda: Limiter(API_RATE))

    def __post_init__(self) -> None:
        object.__setattr__(self, "uploads", Uploads(self.door))
