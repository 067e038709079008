"""What the tests of the actions share."""

from __future__ import annotations

import pytest

from config.city import City
from knowledge.calibration import read_calibration
from knowledge.files import read_folder
from knowledge.search import Search
from tests.bot.calling import published
from tests.conftest import LEARNED
from tests.knowledge.conftest import as_published


@pytest.fixture(scope="session")
def search() -> Search:
    """A small knowledge, built once."""
    return published()


@pytest.fixture(scope="session")
def sample_search(city: City) -> Search:
    """Everything that the sample city publishes, as it is searched."""
    contents = read_folder(city.folder / "knowledge")
    return Search.build(
        contents.matters, [as_published(contents.matters, entry) for entry in contents.answers],
        parents={region.code: region.parent for region in city.regions if region.parent},
        regions={region.code: region.name for region in city.regions}, zone=city.zone,
        calibration=read_calibration(city.folder), cache=LEARNED,
    )  # fmt: skip
