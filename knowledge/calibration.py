"""A city's calibration as a data file: a command writes it, it is read at start.

One that another version of the program wrote names other weights. It is no fault of the city's,
so it stops nothing: the built-in calibration is used until the command is run again.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import structlog
import yaml
from pydantic import BaseModel, ConfigDict, Field

from config.wholefile import write_whole
from config.yamlfile import read
from knowledge.decision import (
    ASPECT_WORTHS,
    MATTER_WORTHS,
    NONE_WORTHS,
    NOTHING_WORTHS,
    Calibration,
    Thresholds,
)  # fmt: skip

_log = structlog.get_logger(__name__)

FILE = "calibration.yaml"

_Chance = Annotated[float, Field(ge=0.0, le=1.0)]
_Weights = dict[str, Annotated[float, Field(ge=-100.0, le=100.0)]]
_HEAD = """\
# Written by `qianmen knowledge calibrate` from the labelled questions of this city's matters.
# Weights of what speaks for a matter, for none, for an aspect and for no aspect; least chances.
"""


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: _Chance
    offer: _Chance
    matter: _Chance
    aspect: _Chance
    follow_matter: _Chance
    carried: _Chance
    telling: float = Field(ge=0.0, le=100.0)
    strange: _Chance
    nothing: _Chance


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    matter: _Weights
    none: _Weights
    aspect: _Weights
    nothing: _Weights
    thresholds: _Limits


def read_calibration(folder: Path) -> Calibration:
    """The calibration of the city in ``folder``; the built-in one where it has no such file, or
    one of another version of the program (logged as ``calibration_outdated``).

    Raises :class:`ConfigError`: ``config_broken`` or ``config_invalid``.
    """
    path = folder / FILE
    if not path.exists():
        return Calibration()
    given = read(path, _File)
    parts = (
        (given.matter, MATTER_WORTHS), (given.none, NONE_WORTHS), (given.aspect, ASPECT_WORTHS),
        (given.nothing, NOTHING_WORTHS),
    )  # fmt: skip
    strange = sorted({name for has, names in parts for name in set(has) ^ set(names)})
    if strange:
        _log.warning("calibration_outdated", code="calibration_outdated", names=strange[:20])
        return Calibration()
    limits = Thresholds(**given.thresholds.model_dump())
    matter, none, aspect, nothing = (tuple(has[name] for name in names) for has, names in parts)
    return Calibration(matter, none, aspect, nothing, limits)


def write_calibration(folder: Path, calibration: Calibration) -> Path:
    """Put ``calibration`` in place of the city's; returns its path. Raises OSError."""
    content = {
        "matter": dict(zip(MATTER_WORTHS, calibration.matter, strict=True)),
        "none": dict(zip(NONE_WORTHS, calibration.none, strict=True)),
        "aspect": dict(zip(ASPECT_WORTHS, calibration.aspect, strict=True)),
        "nothing": dict(zip(NOTHING_WORTHS, calibration.nothing, strict=True)),
        "thresholds": asdict(calibration.thresholds),
    }
    path = folder / FILE
    text = _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    write_whole(path, text.encode())
    path.chmod(0o644)  # no secret: a file of the city's configuration
    return path
