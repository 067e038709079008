"""The citizen's page and its WebSocket."""

from __future__ import annotations

from fastapi import APIRouter, Request, WebSocket
from fastapi.responses import FileResponse, Response
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from chat.protocol import MAX_TEXT_CHARS
from chat.socket import serve
from store.engine import reading
from store.tables import Answer, Matter
from web.chatsocket import PATH
from web.deps import Open, SiteDep
from web.security import EMBED_SCRIPT
from web.site import Site
from web.templating import STATIC, page

router = APIRouter(include_in_schema=False)
QUICK_QUESTIONS = 4
EMBED_SCRIPT_KEPT_S = 3600
_CLASSIC = {"display", "embed", "main"}  # loaded by their own element, or by other sites
MODULES = tuple(
    sorted(path.stem for path in (STATIC / "chat").glob("*.js") if path.stem not in _CLASSIC)
)
"""What ``main.js`` imports: named in the page, a slow line fetches them side by side."""
_ASKED = {"条件": "{name}要符合什么条件？", "材料": "{name}要带什么材料？",
          "流程": "{name}怎么办理？", "时限": "{name}多久能办好？"}  # fmt: skip


@router.get("/", dependencies=[Open])
def chat_page(request: Request, site: SiteDep, line: str = "") -> Response:
    """The web chat; ``line`` names one of the city's lines."""
    chosen = site.city.line(line)
    return page(
        request,
        "chat.html",
        {
            "line": chosen,
            "questions": quick_questions(site),
            "max_chars": MAX_TEXT_CHARS,
            "modules": MODULES,
        },
    )


@router.get(EMBED_SCRIPT, dependencies=[Open])
def embed_script() -> Response:
    """The one script that a site of the city loads to offer the chat on its own pages."""
    kept = {"Cache-Control": f"public, max-age={EMBED_SCRIPT_KEPT_S}"}
    return FileResponse(STATIC / "chat" / "embed.js", media_type="text/javascript", headers=kept)


# Declares the right; `web.chatsocket` serves the socket before routing comes to it.
@router.websocket(PATH, dependencies=[Open])
async def chat_socket(socket: WebSocket) -> None:
    """The web chat's WebSocket; `chat.protocol` says what goes over it."""
    site: Site = socket.app.state.site
    await serve(socket, site.door)


def quick_questions(site: Site) -> tuple[str, ...]:
    """Questions that the city has published an answer to, one a matter; none without a database.

    Aspects take turns, so that a citizen sees what kinds of question can be asked.
    """
    today = site.now().astimezone(site.city.zone).date()
    try:
        with reading(site.engine) as session:
            known = session.execute(
                select(Matter.code, Matter.name, Answer.aspect, Matter.position)
                .join(Answer, Answer.matter_code == Matter.code)
                .where(Answer.state == "published", Answer.aspect.in_(_ASKED))
                .where(Answer.valid_from <= today)
                .where(or_(Answer.valid_to.is_(None), Answer.valid_to >= today))
                .distinct()
                .order_by(Matter.position, Matter.code)
            ).all()
    except SQLAlchemyError:
        return ()
    aspects: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for code, name, aspect, _ in known:
        aspects.setdefault(code, set()).add(aspect)
        names[code] = name
    chosen = tuple(aspects)[:QUICK_QUESTIONS]
    return tuple(_question(names[c], aspects[c], turn) for turn, c in enumerate(chosen))


def _question(name: str, known: set[str], turn: int) -> str:
    order = list(_ASKED)
    order = order[turn % len(order) :] + order[: turn % len(order)]
    aspect = next(aspect for aspect in order if aspect in known)
    return _ASKED[aspect].format(name=name)
