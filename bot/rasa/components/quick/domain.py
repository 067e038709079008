"""An empty domain is made once.

With each message Rasa makes an empty domain, 40 default actions and all, to compare its own with.
"""

from __future__ import annotations

from rasa.shared.core.domain import Domain


def install() -> None:
    """Compare with one that was made before."""
    empty = Domain.empty().as_dict()

    def is_empty(self: Domain) -> bool:
        return bool(self.as_dict() == empty)

    Domain.is_empty = is_empty
