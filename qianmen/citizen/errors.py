"""What can go wrong for a simulated citizen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from qianmen.citizen.report import CallReport, ChatReport

CitizenCode = Literal[
    "unreachable",  # nothing answered there at all
    "rejected",  # the call or the chat was refused
    "busy",  # 486, 600
    "no_answer",  # it rang, nobody answered
    "silent",  # answered, but nothing was ever heard
    "lost",  # the call or the chat ended before the citizen had finished
    "bad_input",  # what the citizen was asked to do makes no sense
]


class CitizenError(Exception):
    """The citizen did not get through; ``code`` is stable, the text one sentence for people.

    ``report`` holds what there was until then, where a call or a chat had begun.
    """

    def __init__(self, code: CitizenCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.report: CallReport | ChatReport | None = None
