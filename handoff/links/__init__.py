"""Links to 110, departments and other systems: what must reach them, and what became of it."""

from __future__ import annotations

from handoff.links.linkage import Ack, Link, acknowledged, links_of, push, transferred, write

__all__ = ["Ack", "Link", "acknowledged", "links_of", "push", "transferred", "write"]
