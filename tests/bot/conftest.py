"""What the tests of the actions share."""

from __future__ import annotations

import pytest

from knowledge.search import Search
from tests.bot.calling import published


@pytest.fixture(scope="session")
def search() -> Search:
    """A small knowledge, built once."""
    return published()
