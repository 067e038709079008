"""Is the process alive, and is everything behind it ready."""

from __future__ import annotations

from fastapi import APIRouter, Response

from web.deps import Open, SiteDep
from web.health import check
from web.models import ReadyOut

router = APIRouter(tags=["health"])


@router.get("/livez", dependencies=[Open])
async def live() -> dict[str, str]:
    """This process serves."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[Open], responses={503: {"model": ReadyOut}})
async def ready(site: SiteDep, response: Response) -> ReadyOut:
    """All parts are ready (200), or which are not (503)."""
    parts = await check(site.probes)
    everything = all(state == "ok" for state in parts.values())
    response.status_code = 200 if everything else 503
    return ReadyOut(ready=everything, parts=parts)
