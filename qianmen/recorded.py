"""The recordings that lie in a city's folder, beside the prompts that they say."""

from __future__ import annotations

from config.city import City
from tts.recordings import FOLDER, Recordings, load_recordings


def city_recordings(city: City) -> Recordings:
    """What is recorded for ``city``; slow for many files, never raises."""
    prompts = {
        name: text.replace("{city}", city.name) for name, text in city.prompts.model_dump().items()
    }
    try:
        changed = (city.folder / "prompts.yaml").stat().st_mtime
    except OSError:
        changed = 0.0
    return load_recordings(city.folder / FOLDER, prompts, changed)
