"""One front door for all scenarios that leave it running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.settings import Settings
from tests.scenarios.front_door import FrontDoor, front_door_on


@pytest.fixture(scope="session")
def front_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDoor]:
    """The whole front door, started once."""
    if not Settings().rasa_python.is_file():
        pytest.skip("Rasa's environment is not set up: run `make setup`")
    with front_door_on(tmp_path_factory.mktemp("front-door")) as running:
        yield running
