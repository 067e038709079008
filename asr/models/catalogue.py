"""The models that are known by name: ours, and the city's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from asr.models.errors import ModelError
from config.settings import Settings
from config.yamlfile import read

STARTER = "starter"
"""The name of the model that ships."""
OWN_FILE = "models.yaml"
_BUNDLED = Path(__file__).with_name("catalogue.yaml")
_UNPACKED_LIMIT = 6 * 10**9


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Published(_Part):
    """An error rate that the model's makers published, in percent of characters."""

    cer_percent: float
    test: str


class Entry(_Part):
    """One model. ``bytes`` and ``sha256`` are the archive's; None where nobody told.

    ``unpacked_at_most`` bounds what the archive may hold, in bytes; ``sample_rate`` is in Hz.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
    title: str
    url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    good_for: str = ""
    licence: str = "未注明"
    language: str = "zh-CN"
    sample_rate: Annotated[int, Field(ge=8000, le=48000)] = 16000
    bytes: Annotated[int, Field(gt=0)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    checksum_source: str = ""
    unpacked_at_most: Annotated[int, Field(gt=0)] = _UNPACKED_LIMIT
    published: tuple[Published, ...] = ()
    published_source: str = ""

    @field_validator("name")
    @classmethod
    def _is_not_ours(cls, name: str) -> str:
        if name == STARTER:
            message = f"{STARTER} is the model that ships"
            raise ValueError(message)
        return name

    @property
    def file_name(self) -> str:
        """What the archive is called in a mirror."""
        return f"{self.name}.zip"


class _File(_Part):
    models: tuple[Entry, ...]


def load_catalogue(settings: Settings) -> dict[str, Entry]:
    """Name → entry, the city's own among them.

    Raises :class:`config.errors.ConfigError` that names file, line and key.
    """
    own = (folder / OWN_FILE for folder in (settings.city, settings.data_dir))
    return read_entries([_BUNDLED, *(path for path in own if path.is_file())])


def read_entries(paths: Iterable[Path]) -> dict[str, Entry]:
    """Name → entry of these files; of two with one name the later counts."""
    return {entry.name: entry for path in paths for entry in read(path, _File).models}


def entry_of(catalogue: dict[str, Entry], name: str) -> Entry:
    """The entry called ``name``; raises `ModelError` ``model_unknown``."""
    try:
        return catalogue[name]
    except KeyError:
        known = "、".join((STARTER, *catalogue))
        raise ModelError("model_unknown", f"没有叫 {name} 的模型；有：{known}") from None
