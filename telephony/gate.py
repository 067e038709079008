"""What a caller must hear to its end is heard before anybody is joined with them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class Gate:
    """Closed while something is said that must be heard; who has been called waits behind it."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._closed_by = 0

    @property
    def is_open(self) -> bool:
        """Whether the caller may hear something else."""
        return self._open.is_set()

    async def opened(self) -> None:
        """Return once it is open."""
        await self._open.wait()

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Closed while inside."""
        self._closed_by += 1
        self._open.clear()
        try:
            yield
        finally:
            self._closed_by -= 1
            if not self._closed_by:
                self._open.set()
