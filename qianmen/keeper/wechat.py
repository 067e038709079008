"""Answers that are kept for WeChat's retries: it asks three times within a quarter of a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from chat.wechat.citizens import forget_replies
from qianmen.keeper.duty import Duty, Keeping

EVERY = timedelta(hours=1)
KEPT = timedelta(hours=6)


def _duty(keeping: Keeping, now: datetime) -> None:
    forget_replies(keeping.engine, now - KEPT)


DUTIES = (Duty("wechat_replies", EVERY, _duty, deletes=True),)
