"""RulePolicy without the whole history.

At each of its two or three looks a turn, Rasa's RulePolicy replays the conversation, makes a state
of each action in it, and goes back through all of them with every rule. Rules are short (ours two
states): a state further back than the longest rule changes nothing, since ``_is_rule_applicable``
is true for it whatever it holds. And what rules say depends on the last states only, of which
there are a few dozen: each is looked up once.

Only policies that were loaded do this; one in training goes Rasa's way, its rules still change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rasa.core.policies import rule_policy
from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import ACTION_LISTEN_NAME, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import ActionExecuted
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import TEXT

_OURS = "_qianmen_rules"
_MOST = 4096  # remembered findings
_Found = tuple[str | None, str | None, bool]


@dataclass(slots=True)
class Known:
    """Of one loaded policy: how many states its rules can tell apart, and what they said.

    ``by_text``: some rule asks for a text.
    """

    length: int
    by_text: bool
    found: dict[tuple[Any, ...], _Found] = field(default_factory=dict)


def install() -> None:
    """Take the place of RulePolicy's look at its rules."""
    rasas_load = RulePolicy.load.__func__
    rasas_states = RulePolicy._prediction_states
    rasas_find = RulePolicy._find_action_from_rules

    def load(cls: type[RulePolicy], *args: Any, **kwargs: Any) -> RulePolicy:
        policy = rasas_load(cls, *args, **kwargs)
        if not policy.finetune_mode and policy.featurizer.max_history is None:
            setattr(policy, _OURS, known(policy.lookup))
        return policy

    def prediction_states(
        self: RulePolicy,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        ours = getattr(self, _OURS, None)
        if ours is None:
            return rasas_states(self, tracker, domain, use_text_for_last_user_input, rule_only_data)
        states = last_states(tracker, domain, ours.length)
        self.featurizer._choose_last_user_input([states], use_text_for_last_user_input)
        return states

    def find(
        self: RulePolicy,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool,
    ) -> _Found:
        ours = getattr(self, _OURS, None)
        by_text = use_text_for_last_user_input
        if ours is None or (by_text and tracker.latest_action_name != ACTION_LISTEN_NAME):
            return rasas_find(self, tracker, domain, by_text)
        states = self._prediction_states(tracker, domain, by_text)
        key = (by_text, tracker.active_loop_name, shown(states, ours))
        if key not in ours.found:
            if len(ours.found) >= _MOST:
                ours.found.clear()
            ours.found[key] = rasas_find(self, tracker, domain, by_text)
        return ours.found[key]

    RulePolicy.load = classmethod(load)
    RulePolicy._prediction_states = prediction_states
    RulePolicy._find_action_from_rules = find


def known(lookup: dict[str, Any]) -> Known:
    """What ``lookup``, a trained policy's rules, can tell apart.

    One state more than the longest rule has: the key that Rasa makes of states without a rule is
    compared with the rules' own, and must not become one by being cut.
    """
    keys = [key for name in _KEYED for key in lookup.get(name, ())]
    rules = [json.loads(key) for key in keys if key.startswith("[")]
    texts = any(TEXT in state.get(USER, {}) for rule in rules for state in rule)
    return Known(1 + max((len(rule) for rule in rules), default=0), texts)


_KEYED = (
    rule_policy.RULES, rule_policy.RULES_FOR_LOOP_UNHAPPY_PATH, rule_policy.RULES_NOT_IN_STORIES,
)  # fmt: skip


def last_states(tracker: DialogueStateTracker, domain: Domain, length: int) -> list[State]:
    """The last ``length`` of ``tracker.past_states(domain)``.

    Rasa's replays the same events and makes a state before each action, and one at the end.
    """
    events = tracker.applied_events()
    before = _actions(events) + 1 - length  # so many states are not looked at
    replayed = tracker.init_copy()
    states: list[State] = []
    for event in events:
        if isinstance(event, ActionExecuted):
            if before <= 0:
                states.append(domain.get_active_state(replayed))
            before -= 1
        replayed.update(event)
    return [*states, domain.get_active_state(replayed)]


def _actions(events: Iterable[Any]) -> int:
    return sum(isinstance(event, ActionExecuted) for event in events)


def shown(states: list[State], ours: Known) -> str:
    """What the rules can see of ``states``; a text only where some rule asks for one."""
    if not ours.by_text and TEXT in states[-1].get(USER, {}):
        states = [*states[:-1], states[-1] | {USER: states[-1][USER] | {TEXT: ""}}]
    return repr(states)
