from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.telephony.virtual import Exchange


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    exchange = Exchange()
    yield exchange
    exchange.close()
    assert exchange.ports.held == 0
