"""docker-compose.yml as the programs in the containers would see it: variables filled in."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

import yaml

from config.settings import ROOT

FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\$|\$\{([A-Z_]+)(?:(:?-)([^}]*))?\}")


def document() -> dict[str, Any]:
    """The file, its variables as they stand."""
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return loaded


def filled(value: Any) -> Any:
    """Every variable replaced by its default; one without is None as a whole (not set)."""
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one) for one in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: "$" if found[0] == "$$" else found[3] or "", value)
    return value


def variables() -> dict[str, str | None]:
    """Each variable of the file and its default; None where it has none."""
    text = FILE.read_text("utf-8")
    found: dict[str, str | None] = {}
    for match in _VARIABLE.finditer(text):
        if match[1]:
            found[match[1]] = match[3] if match[2] else None
    for service in document()["services"].values():
        for name, value in service.get("environment", {}).items():
            if value is None:
                found.setdefault(name, None)
    return found


@dataclass(frozen=True)
class Service:
    """One service, with its defaults filled in."""

    name: str
    spec: dict[str, Any]

    @property
    def command(self) -> list[str]:
        return list(self.spec["command"])

    @property
    def environment(self) -> dict[str, str]:
        given = self.spec.get("environment", {})
        return {name: str(value) for name, value in given.items() if value is not None}

    @property
    def secrets(self) -> list[str]:
        return list(self.spec.get("secrets", []))

    @property
    def check(self) -> list[str]:
        """The health check's command."""
        kind, *words = self.spec["healthcheck"]["test"]
        return ["sh", "-c", *words] if kind == "CMD-SHELL" else words

    @property
    def grace_s(self) -> float:
        """How long a stop may take; Compose's own default is 10 s."""
        return float(str(self.spec.get("stop_grace_period", "10s")).removesuffix("s"))

    @property
    def ours(self) -> bool:
        """Whether it runs an image that we build."""
        return str(self.spec["image"]).startswith("qianmen")


def services() -> dict[str, Service]:
    """All of them, by name."""
    return {name: Service(name, filled(spec)) for name, spec in document()["services"].items()}


def dockerfile_steps(text: str) -> list[tuple[str, str]]:
    """(instruction, rest) of a Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = (line.strip() for line in joined.splitlines())
    wanted = (line for line in lines if line and not line.startswith("#"))
    return [(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in wanted)]


def copied(rest: str) -> tuple[str, list[str]]:
    """The stage (empty: the build's folder) and the sources of a COPY."""
    words = shlex.split(rest)
    stage = next((word.partition("=")[2] for word in words if word.startswith("--from=")), "")
    return stage, [word for word in words if not word.startswith("--")][:-1]
