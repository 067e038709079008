"""The HTTP app: the citizen's page, the staff's pages, the API, and what they load."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from bot.bus import Bus
from bot.conversation import Conversations
from chat.door import Door
from chat.files import Files
from chat.limits import Limits
from chat.session import Sessions
from chat.sharing import Sharing
from config.city import City
from config.errors import ConfigError
from config.secret import secret_key
from config.settings import Settings
from handoff.classify import LazyRules
from handoff.links.keys import read_keys
from store import audit_anchor
from store.seal import keys_of
from web import errors, health
from web.agents.floor import Floor
from web.agents.parts import DeskParts, Joints
from web.chatsocket import ChatFirst
from web.danger import DangerTold
from web.deps import Open, recall
from web.desk.room import Desk, make_desk
from web.health import Probe
from web.oidc import sign_on_from
from web.routes import (
    account,
    agents,
    api,
    attachments,
    audit,
    citizen,
    knowledge,
    knowledge_answer,
    knowledge_card,
    knowledge_import,
    knowledge_inbox,
    knowledge_publish,
    knowledge_try,
    linkage,
    order_api,
    order_deeds,
    order_export,
    orders,
    people,
    recordings,
    signon,
    staff,
    wall,
    wechat,
)
from web.routes import health as health_routes
from web.security import LastResort, SafeHeaders, is_host
from web.sharing import shared_limits
from web.site import Site
from web.templating import STATIC, make_environment, static_version
from web.wechat import Wechat, make_wechat

MIN_KEY_CHARS = 16
_ROOMS = (
    agents, citizen, attachments, staff, signon, account, order_deeds, order_export, orders, wall,
    recordings, people, audit, api, order_api, health_routes, linkage, knowledge, knowledge_try,
    knowledge_inbox, knowledge_publish, knowledge_import, knowledge_card, knowledge_answer, wechat,
)  # fmt: skip
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    city: City,
    engine: Engine,
    conversations: Conversations,
    *,
    probes: tuple[Probe, ...] | None = None,
    limits: Limits | None = None,
    now: Callable[[], datetime] = _now,
    lifespan: Lifespan | None = None,
    joints: Joints | None = None,
) -> FastAPI:
    """The app over an upgraded database; raises ``ConfigError`` for an unusable secret.

    ``lifespan`` starts and stops what the conversations need, and the site's ``floor`` where there
    are to be agents' desks; ``joints`` is what those are joined to; ``now`` is aware.
    """
    key = secret_key(settings)
    if len(key) < MIN_KEY_CHARS:
        raise ConfigError(
            "settings_invalid", f"QIANMEN_SECRET_KEY: needs at least {MIN_KEY_CHARS} characters"
        )
    version = static_version()
    origin = public_origin(settings.public_url)
    https = origin.startswith("https:")
    embedders = _embedders(settings.embed_origins)
    desk = make_desk(settings, city, engine)
    joints = joints or Joints(Bus(settings.redis))
    bus = joints.bus if isinstance(joints.bus, Bus) else Bus(settings.redis)
    account = make_wechat(settings, city, engine, conversations, bus, now,
                          lambda: citizen.quick_questions(app.state.site))  # fmt: skip
    limits = limits or Limits()
    sharing = shared_limits(settings, key, limits, account)
    app = ChatFirst(
        title="Qianmen",
        description="The front door of a 12345 hotline: work orders and transcripts.",
        docs_url=None,  # Swagger's page loads from a CDN; /openapi.json is all it would show
        redoc_url=None,
        lifespan=_closing(desk, account, sharing, lifespan or _nothing),
    )
    door = Door(
        conversations, engine, Sessions(key), city, limits,
        files=Files(settings.recordings_dir, keys_of(engine)), asr=settings.asr_address,
        origins=frozenset({origin} - {""}), now=now,
    )  # fmt: skip
    floor = Floor(
        DeskParts(
            engine=engine, city=city, conversations=conversations, key=key, now=now,
            joints=joints, origins=door.origins,
            idle=timedelta(minutes=settings.session_idle_minutes),
        )
    )  # fmt: skip
    app.state.site = Site(
        city=city,
        engine=engine,
        conversations=conversations,
        recordings=settings.recordings_dir,
        key=key,
        door=door,
        templates=make_environment(city.zone, city.name, version),
        probes=health.probes(settings, engine) if probes is None else probes,
        desk=desk,
        floor=floor,
        rules=LazyRules(city, settings.data_dir / "learned"),
        danger=DangerTold(city),
        now=now,
        idle=timedelta(minutes=settings.session_idle_minutes),
        https=https,
        anchor=settings.data_dir / audit_anchor.FILE,
        sign_on=sign_on_from(settings, origin),
        wechat=account,
        link_keys=read_keys(settings.link_keys),
    )
    _add_routes(app, version)
    errors.install(app, recall)
    app.add_middleware(LastResort)
    app.add_middleware(SafeHeaders, https=https, embedders=embedders)
    return app


def public_origin(url: str, variable: str = "QIANMEN_PUBLIC_URL") -> str:
    """Scheme, host and port of the address that visitors use; '' where none is set.

    ``variable`` is the setting that says so. Raises ``ConfigError`` ``settings_invalid``.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.username:
        raise ConfigError(
            "settings_invalid", f"{variable}: an address like https://12345.example.gov.cn"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _embedders(sites: tuple[str, ...]) -> tuple[str, ...]:
    """The origins that may embed the citizen's page: they go into a header as they are."""
    variable = "QIANMEN_EMBED_ORIGINS"
    origins = tuple(public_origin(site, variable) for site in sites)
    if not all(is_host(origin.partition("://")[2]) for origin in origins):
        raise ConfigError("settings_invalid", f"{variable}: addresses like https://www.example.cn")
    return origins


def _add_routes(app: FastAPI, version: str) -> None:
    for room in _ROOMS:
        app.include_router(room.router)

    @app.get("/favicon.ico", include_in_schema=False, dependencies=[Open])
    def _icon() -> Response:
        return RedirectResponse(f"/static/{version}/door.svg", 307)

    # Under its own version a file never changes. Compressed here only: a compressed page that
    # holds a form's token would leak it (BREACH).
    app.mount(f"/static/{version}", _KeptForEver(GZipMiddleware(StaticFiles(directory=STATIC))))


class _KeptForEver:
    """Lets browsers keep what they got."""

    def __init__(self, app: GZipMiddleware) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""

        async def send_kept(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 206, 304):
                kept = (b"cache-control", b"public, max-age=31536000, immutable")
                message["headers"] = [*message["headers"], kept]
            await send(message)

        await self._app(scope, receive, send_kept)


def _closing(desk: Desk, account: Wechat | None, sharing: Sharing, lifespan: Lifespan) -> Lifespan:
    """``lifespan``, and around it what the desk, the account and the limits begin and end."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(app):
            if account is not None:
                account.start()
            sharing.start()
            try:
                yield
            finally:
                await sharing.stop()
                if account is not None:
                    await account.stop()
        await desk.sound.close()

    return run


@asynccontextmanager
async def _nothing(_app: FastAPI) -> AsyncIterator[None]:
    yield
