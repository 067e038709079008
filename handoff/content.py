"""The content of an order as a talk with a person goes on telling it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handoff.told import Spoken, asked_for
from turns.orders import OrderField, Provenance

_LEAST_STORY, _MOST_STORY = 10, 400  # characters of a turn, and of all of the content


def content(turns: Sequence[Spoken], stands: OrderField | None) -> OrderField | None:
    """The content with what is told to the agent beside answers; None where nothing is new.

    ``stands``: the content as nobody decided on it, None where there is none yet.
    """
    stories = [turn for turn, asked in _with_question(turns) if not asked and _tells(turn, stands)]
    if not stories:
        return None
    told = [stands.value] if stands is not None else []
    for turn in stories:
        if all(turn.text not in one for one in told):
            told.append(turn.text)
    value = "；".join(told)
    if stands is not None and (value == stands.value or len(value) > _MOST_STORY):
        return None
    last = stories[-1] if stands is not None else stories[0]
    source = Provenance(last.id, last.text, last.at, last.confidence, "said.content")
    return OrderField("what", value[:_MOST_STORY], source)


def _with_question(turns: Sequence[Spoken]) -> Iterable[tuple[Spoken, bool]]:
    """Each turn of the citizen, and whether it answers a question for a field."""
    asked = False
    for turn in turns:
        if turn.speaker == "citizen":
            yield turn, asked
            asked = False
        else:
            asked = bool(asked_for(turn.text))


def _tells(turn: Spoken, stands: OrderField | None) -> bool:
    """Whether a turn that no dialogue understood tells a piece of the story."""
    if turn.act or len(turn.text) < _LEAST_STORY:
        return False
    known = stands is not None and (turn.text in stands.value or turn.id == stands.provenance.turn)
    letters = sum("\u4e00" <= char <= "\u9fff" for char in turn.text)
    return not known and letters >= _LEAST_STORY
