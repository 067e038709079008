"""Who commanded what of a call, written into the audit by the process that did it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from store import audit
from store.engine import writing
from turns.calls import CallCommand, CallEvent


def call_audit(engine: Engine, key: str) -> Callable[[CallCommand, CallEvent], None]:
    """Writes one line a command that came to its end; ``key`` is the installation's secret.

    The line holds the call's id, the verb, the target and the outcome, nothing that was said.
    """

    def write(command: CallCommand, event: CallEvent) -> None:
        data = {"target": command.target[:64], "result": event.cause or event.state}
        with writing(engine) as session:
            audit.write(
                session, key, at=event.at, actor=command.by or "system",
                action=f"call_{command.verb}", target=command.call, data=data,
            )  # fmt: skip

    return write
