"""One front door for all scenarios that leave it running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


@pytest.hookimpl(tryfirst=True)  # before the workers read the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Scenarios first and on one worker: they wait in real time while the others compute.

    Two front doors at once would also be more than a small machine holds.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("front-door"))
    items.sort(key=lambda item: here not in item.path.parents)
