"""A request by its idempotency key is carried out once, and asked again it is told again."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from store.engine import writing
from store.locks import one_at_a_time
from store.tables import ApiRequest
from web.errors import ProblemError

KEPT = timedelta(days=7)
"""How long the same key is known; after that it would be a new request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it; ``repeated``: it was carried out before."""

    status: int
    body: Mapping[str, Any]
    repeated: bool = False


def once(
    engine: Engine, client: str, key: str, asked: Mapping[str, Any], now: datetime,
    work: Callable[[Session], Answer], *, secret: str,
) -> Answer:  # fmt: skip
    """Do ``work``, in one transaction with the note that it was done; without ``key`` just do it.

    ``asked`` is what the request wants, kept as an HMAC by ``secret``: a telephone number alone
    could be tried out of a plain hash. The answer must hold no personal data. Raises
    :class:`ProblemError` ``key_reused`` for the key of another request, and what ``work`` raises:
    then nothing was done.
    """
    told = json.dumps(asked, ensure_ascii=False, sort_keys=True, default=str)
    digest = hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()
    with writing(engine) as session:
        if not key:
            return work(session)
        one_at_a_time(session, f"api.{client}.{key}")
        found = session.scalar(
            select(ApiRequest).where(ApiRequest.client == client, ApiRequest.key == key)
        )
        if found is not None and found.at > now - KEPT:
            if found.digest != digest:
                raise ProblemError(409, "key_reused")
            return Answer(found.status, found.answer, repeated=True)
        session.execute(delete(ApiRequest).where(ApiRequest.at <= now - KEPT))
        answer = work(session)
        session.add(ApiRequest(client=client, key=key, digest=digest, status=answer.status,
                               answer=dict(answer.body), at=now))  # fmt: skip
        return answer
