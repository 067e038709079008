"""What takes the place of Rasa's own pieces does what they did: compared in Rasa's environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bot.rasa.classifier import classifier, margins
from bot.rasa.weights import Weights
from config.settings import ROOT
from tests.bot.rasa_rig import RASA_PYTHON

SAID = {
    "policy": ["租房怎么提取公积金", "社保卡丢了怎么补办", "办居住证要什么条件"],
    "complaint": ["楼下烧烤摊的油烟太呛人", "老板欠我三个月工资不给", "小区停水一天了没人管"],
    "greet": ["你好", "喂你好", "在吗"],
}
ASKED = [
    *(text for said in SAID.values() for text in said), "公积金", "", " ", "。", "🙂", "zq", "\x00",
    "我租房子住老板不给工资楼下又停水没人管我想问问到底应该去哪里投诉才有人给我办",
    "啊" * 3000, "1" * 500,
]  # fmt: skip


def test_the_weights_give_the_pipelines_margins() -> None:
    trained = classifier()
    trained.fit([t for said in SAID.values() for t in said], [a for a in SAID for _ in SAID[a]])
    weights = Weights.of(trained)
    assert list(weights.classes) == sorted(SAID)
    for text in ASKED:
        told, meant = margins(weights, [text]), margins(trained, [text])
        assert np.allclose(told, meant, rtol=0, atol=1e-9), text
    together = margins(weights, ASKED)
    assert together.shape == (len(ASKED), len(SAID))


def test_a_pipeline_made_otherwise_is_refused() -> None:
    trained = classifier()
    trained.set_params(tfidfvectorizer__norm="l1")
    trained.fit([t for said in SAID.values() for t in said], [a for a in SAID for _ in SAID[a]])
    with pytest.raises(ValueError, match="not a classifier"):
        Weights.of(trained)


COMPARED = r"""
import ast, asyncio, copy, inspect, json
import jsonschema
from aiohttp import web
from rasa.core import processor
from rasa.core.actions import forms
from rasa.core.actions.action import ActionExtractSlots, RemoteAction
from rasa.core.lock_store import LockError, RedisLockStore
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.tracker_store import InMemoryTrackerStore, SerializedTrackerAsText
from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import *
from rasa.shared.core.slots import *
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

rasas_run, rasas_resolve = DaskGraphRunner.run, Event.resolve_by_type
rasas_extract = ActionExtractSlots.run
rasas_find = RulePolicy._find_action_from_rules
rasas_dump = SerializedTrackerAsText.serialise_tracker
from bot.rasa.components import quick
from bot.rasa.components.quick import actions, memory, rules, slots
quick.install()
quick.install()
assert len(quick._installed) == len(quick._PIECES), "not the version these pieces stand in for"

# Only what is logged is copied in these modules.
for module in (processor, forms):
    tree = ast.parse(inspect.getsource(module))
    logged = {
        id(node) for call in ast.walk(tree) if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "structlogger.debug" for node in ast.walk(call)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "copy":
            assert id(node) in logged, (module.__name__, node.lineno)

# The action's answer: plain is what the schema takes, and what it refuses is refused.
schema = jsonschema.Draft202012Validator(RemoteAction.action_response_format_spec())
slot = {"event": "slot", "timestamp": None, "name": "what", "value": {"a": [1]}}
follow = {"event": "followup", "timestamp": None, "name": "complaint_form"}
for events, plain, valid in (
    ([], True, True), ([slot, follow], True, True), ([{"event": "rewind"}], False, True),
    ([{**slot, "timestamp": 1.5}], False, True), ([{**slot, "metadata": {}}], False, True),
    ([{**slot, "timestamp": "now"}], False, False), ([{"event": "?"}], False, False),
    ([{"event": "slot", "name": "what"}], False, False), ([None], False, False),
    ([{**slot, "name": 1}], False, False), ([{"name": "x"}], False, False), ("slot", False, False),
    ([{**follow, "metadata": 1}], False, False),
):
    for responses, fits in (([], True), ([{"custom": {}}], True), ([1], False), ({}, False)):
        told = {"events": events, "responses": responses}
        assert actions.is_plain(told) == (plain and fits), told
        assert schema.is_valid(told) == (valid and fits), told
        try:
            assert RemoteAction("x", None)._validate_action_result(told) and valid and fits, told
        except jsonschema.ValidationError:
            assert not (valid and fits), told
for told in (None, [], "x"):
    assert not actions.is_plain(told)

# Kinds of events, and copies of slots.
for kind in ("user", "slot", "action", "session_started", "followup", "bot", "topic"):
    assert [Event.resolve_by_type(kind) for _ in "ab"] == [rasas_resolve(kind)] * 2, kind
for given in ((), (SlotSet,)):
    try:
        assert Event.resolve_by_type("nothing", *given) is SlotSet and given
    except ValueError:
        assert not given
for kind in (AnySlot, TextSlot, FloatSlot, ListSlot, BooleanSlot):
    made = kind("s", [{"type": "custom"}])
    made.value = ["x"]
    again = copy.copy(made)
    assert type(again) is kind and again.__dict__ == made.__dict__ and again.value is made.value
    again.value = None
    assert made.value == ["x"]

# A domain that is empty, and one that is not.
assert Domain.empty().is_empty() and Domain.from_dict({}).is_empty()
domain = Domain.from_dict({
    "intents": ["policy", "complaint"], "actions": ["action_turn", "action_close"],
    "slots": {"what": {"type": "any", "mappings": [{"type": "custom"}]},
              "mood": {"type": "text", "mappings": [{"type": "custom"}]}},
    "forms": {"complaint_form": {"required_slots": []}},
})
assert not domain.is_empty()

# Nothing is taken from a message where no slot asks for it.
said = DialogueStateTracker.from_events("x", [UserUttered("hello")], domain.slots)
other = {"slots": {"mood": {"type": "text", "mappings": [{"type": "from_text"}]}}}
for given, nothing in (
    (domain, True), (Domain.empty(), True), (Domain.from_dict(other), False),
    (Domain.from_dict({"actions": ["action_validate_slot_mappings"]}), False),
):
    assert slots.finds_nothing(given) == nothing
    runs = [rasas_extract, ActionExtractSlots.run] if "mood" in str(given.slots) or nothing else []
    found = [asyncio.run(run(ActionExtractSlots(None), None, None, said, given)) for run in runs]
    assert all(events == ([] if nothing else [SlotSet("mood", "hello")]) for events in found), found


# The graph: the same outputs and refusals as with dask, each node run once.
class Node(GraphComponent):
    ran = []

    @classmethod
    def create(cls, config, model_storage, resource, execution_context):
        return cls()

    def begin(self, given):
        self.ran.append("begin")
        return given + 1

    def double(self, number):
        self.ran.append("double")
        return number * 2

    def add(self, left, right):
        self.ran.append("add")
        if left == 2:
            raise RuntimeError("two")
        return left + right


def node(needs, fn):
    return SchemaNode(needs=needs, uses=Node, constructor_name="create", fn=fn, config={})


graph = GraphSchema({
    "c": node({"left": "a", "right": "b"}, "add"), "b": node({"number": "a"}, "double"),
    "a": node({"given": "__in__"}, "begin"), "lone": node({"number": "__in__"}, "double"),
})
runner = DaskGraphRunner(graph, None, ExecutionContext(graph))


def outcome(run, inputs, targets):
    Node.ran.clear()
    try:
        return run(runner, inputs=inputs, targets=targets), sorted(Node.ran)
    except Exception as error:
        return type(error).__name__, sorted(Node.ran)


for inputs in ({"__in__": 3}, {"__in__": 1}, {}, {"__in__": 3, "a": 7}, {"__in__": "a"}, None):
    for targets in (["c"], ["b", "lone"], ["a"], ["c", "b"]):
        told, meant = (outcome(run, inputs, targets) for run in (DaskGraphRunner.run, rasas_run))
        assert told == meant, (inputs, targets, told, meant)

# Rules: the same findings, whatever was said before; and the memory's text.
state = {"prev_action": {"action_name": "action_listen"}, "user": {"intent": "policy"}}
turned = {"prev_action": {"action_name": "action_turn"}, "user": {"intent": "policy"}}
over = {"active_loop": {"name": "should_not_be_set"},
        "prev_action": {"action_name": "complaint_form"}}
lookup = {
    "rules": {json.dumps([state]): "action_turn", json.dumps([state, turned]): "action_listen",
              json.dumps([over]): "action_close"},
    "rules_for_loop_unhappy_path": {}, "rule_only_slots": [], "rule_only_loops": ["complaint_form"],
    "rules_not_in_stories": [json.dumps([state], sort_keys=True), "a default"],
}
policy = RulePolicy(
    RulePolicy.get_default_config(), None, Resource("rules"), ExecutionContext(graph), lookup=lookup
)


def turn(intent, *done):
    return [ActionExecuted("action_listen"),
            UserUttered(f"说{intent}", {"name": intent, "confidence": 0.9}), *done]


begun = [SlotSet("what", 1), ActionExecuted("action_session_start"), SessionStarted()]
in_form = [ActionExecuted("complaint_form"), ActiveLoop("complaint_form"), SlotSet("mood", "x")]
talks = [
    [*begun, *turn("policy")], [*begun, *turn("policy", ActionExecuted("action_turn"))],
    [*begun, *turn("policy", ActionExecuted("action_turn")), *turn("complaint")],
    [*begun, *turn("complaint", *in_form)], [*begun, *turn("complaint", *in_form), *turn("policy")],
    # A state before the last one decides: no rule here.
    [*begun, *turn("policy", ActionExecuted("action_close"), ActionExecuted("action_turn"))],
    [*begun, *turn("complaint", *in_form), *turn("policy", ActionExecuted("complaint_form"),
     ActiveLoop(None))],
    [*begun, *turn("complaint", *in_form),
     *turn("policy", ActionExecutionRejected("complaint_form"))],
    [*begun, *turn("policy", ActionExecuted("action_turn")),
     *turn("policy"), UserUtteranceReverted()],
    [*begun, *turn("policy", ActionExecuted("action_turn"), FollowupAction("complaint_form"))],
    [*begun, *turn("policy"), Restarted(), *turn("policy")], [], turn("policy"), begun,
    [*begun, *turn("policy", ActionExecuted("action_turn")) * 9, *turn("unheard of")],
]
store = InMemoryTrackerStore(domain)
for talk in talks:
    tracker = DialogueStateTracker.from_events('某"人', copy.deepcopy(talk), domain.slots)
    for length in (1, 2, 3, 50):
        assert rules.last_states(tracker, domain, length) == tracker.past_states(domain)[-length:]
    for by_text in (True, False):
        policy.__dict__.pop(rules._OURS, None)
        meant = rasas_find(policy, tracker, domain, by_text)
        setattr(policy, rules._OURS, rules.known(lookup))
        for _ in "ab":
            told = RulePolicy._find_action_from_rules(policy, tracker, domain, by_text)
            assert (told[0], told[2]) == (meant[0], meant[2]), (talk, told, meant)
            hidden = [source in lookup["rules_not_in_stories"] for _, source, _ in (told, meant)]
            assert hidden[0] == hidden[1]
    text = SerializedTrackerAsText.serialise_tracker(tracker)
    assert text == rasas_dump(tracker)
    read = store.deserialise_tracker('某"人', text)
    assert SerializedTrackerAsText.serialise_tracker(read) == text
    for event in turn("complaint", *in_form):
        read.update(event)
    assert SerializedTrackerAsText.serialise_tracker(read) == rasas_dump(read)
    read.events.popleft()  # no longer what was stored
    assert SerializedTrackerAsText.serialise_tracker(read) == rasas_dump(read)
    sessions = memory.get_trackers_for_conversation_sessions(tracker)
    assert memory.is_one_session(tracker) == (len(sessions) <= 1)


# The lock: three words to Redis where nobody else is, and everybody's turn where somebody is.
class Red:
    def __init__(self):
        self.kept, self.asked = {}, []

    def get(self, key):
        self.asked.append("get")
        return self.kept.get(key)

    def set(self, key, value, nx=False):
        self.asked.append("set")
        if nx and key in self.kept:
            return None
        self.kept[key] = value
        return True

    def delete(self, key):
        self.asked.append("delete")
        return self.kept.pop(key, None)


async def locked():
    locks = RedisLockStore.__new__(RedisLockStore)
    locks.red, locks.key_prefix, order = Red(), "lock:", []

    async def one(number):
        async with locks.lock("who", wait_time_in_seconds=0):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await one(0)
    assert locks.red.asked == ["set", "get", "delete"] and not locks.red.kept
    await asyncio.gather(*(one(number) for number in range(1, 5)))
    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and not locks.red.kept, order
    try:
        async with locks.lock("who"):
            raise KeyError
    except KeyError:
        assert not locks.red.kept
    async with locks.lock("who", lock_lifetime=-1):  # expired at once: the next one goes on
        async with locks.lock("who"):
            assert len(json.loads(locks.red.kept["lock:who"])["tickets"]) == 1
    assert not locks.red.kept
    locks.red = None
    try:
        async with locks.lock("who"):
            raise AssertionError
    except LockError:
        pass


asyncio.run(locked())


# One connection for all calls, and a new one where it was closed.
async def called():
    ports = []

    async def answer(request):
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({"got": await request.json()})

    app = web.Application()
    app.router.add_post("/webhook", answer)
    for port in (0, None):
        served = web.AppRunner(app)
        await served.setup()
        site = web.TCPSite(served, "127.0.0.1", port or called.port)
        await site.start()
        called.port = site._server.sockets[0].getsockname()[1]
        endpoint = called.endpoint = called.endpoint or EndpointConfig(
            f"http://127.0.0.1:{called.port}/webhook")
        for number in range(3):
            assert await endpoint.request(json={"n": number}) == {"got": {"n": number}}
        await served.cleanup()
    assert len(set(ports)) == 2 and len(ports) == 6, ports


called.endpoint, called.port = None, 0
asyncio.run(called())
print("as Rasa's")
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not RASA_PYTHON.is_file(), reason="Rasa's environment is not installed")
def test_every_piece_does_what_rasas_does(tmp_path: Path) -> None:
    done = subprocess.run(
        [RASA_PYTHON, "-c", COMPARED], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore",
                          "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert done.stdout.endswith("as Rasa's\n"), done.stderr[-3000:]
