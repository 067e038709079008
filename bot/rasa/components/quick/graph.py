"""Runs a graph of components without dask.

Rasa builds a dask graph anew at each run, and dask orders it, starts a pool of no threads and a
queue, and runs the nodes one after the other. A model's graph never changes: here the order is
found once, and the same nodes are called with the same arguments, each once, after those it needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner

_PLANS = "_qianmen_plans"


def install() -> None:
    """Take dask's place."""
    DaskGraphRunner.run = run


def run(
    self: DaskGraphRunner,
    inputs: dict[str, Any] | None = None,
    targets: list[str] | None = None,
) -> dict[str, Any]:
    """Each target's output by its name; raises GraphRunError as Rasa's own does."""
    given = inputs or {}
    wanted = tuple(targets or self._graph_schema.target_names)
    plans = self.__dict__.setdefault(_PLANS, {})
    if wanted not in plans:
        plans[wanted] = ordered(self._graph_schema, wanted)
    plan = plans[wanted]
    for value in given.values():
        if isinstance(value, str) and value in plan:
            raise GraphRunError(f"Input value '{value}' clashes with a node name.")
    # What a node gets is a (name, output) of each that it needs, or the bare name of what is not
    # there: it raises then, as it does with dask.
    done: dict[str, Any] = {name: (name, value) for name, value in given.items()}
    try:
        for name, needs in plan.items():
            if name not in given:
                done[name] = self._instantiated_nodes[name](*(done.get(n, n) for n in needs))
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return dict(done[name] for name in wanted)


def ordered(schema: GraphSchema, targets: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The nodes that ``targets`` are made of, each after all it needs, and what each one needs."""
    found: dict[str, tuple[str, ...]] = {}

    def visit(name: str) -> None:
        if name in found or name not in schema.nodes:  # a placeholder's value is given
            return
        needs = tuple(schema.nodes[name].needs.values())
        for need in needs:
            visit(need)
        found[name] = needs

    for target in targets:
        visit(target)
    return found
