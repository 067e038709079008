"""What follows from each try: pure, with the time and the jitter given."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.links.deliver import Patience, Step, after_danger, after_delivery
from handoff.links.outcome import (
    Acknowledged,
    Failed,
    HttpReply,
    Outcome,
    Refused,
    Sent,
    of_reply,
    of_status,
)
from handoff.links.signing import signed

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
PATIENCE = Patience((5, 30, 120), give_up_h=1)
KEY = b"k" * 32


def news(outcome: Outcome, tries: int = 1, *, since: datetime = NOW, jitter: float = 0.5) -> Step:
    return after_delivery(outcome, tries, since, NOW, PATIENCE, jitter)


@pytest.mark.parametrize(("tries", "wait"), [(1, 5), (2, 30), (3, 120), (9, 120)])
def test_waits_grow_and_stay(tries: int, wait: float) -> None:
    step = news(Failed("timeout"), tries)
    assert step == Step("waiting", NOW + timedelta(seconds=wait), 0, "timeout")


def test_jitter_spreads_by_a_fifth() -> None:
    waits = [news(Failed("x"), 2, jitter=j).next_at for j in (0.0, 0.5, 0.999999)]
    seconds = [round((at - NOW).total_seconds(), 2) for at in waits if at]
    assert seconds == [24.0, 30.0, 36.0]


def test_given_up_when_it_has_been_tried_long_enough() -> None:
    assert news(Failed("http_500", 500), 3, since=NOW - timedelta(minutes=57)).state == "waiting"
    late = news(Failed("http_500", 500), 3, since=NOW - timedelta(minutes=59))
    assert late == Step("given_up", None, 500, "http_500")


def test_a_target_may_ask_for_more_time() -> None:
    step = news(Failed("http_429", 429, 600))
    assert step.next_at == NOW + timedelta(seconds=600)


@pytest.mark.parametrize("outcome", [Sent(204), Acknowledged("1"), Refused("no")])
def test_a_webhook_is_content_with_any_2xx(outcome: Outcome) -> None:
    assert news(outcome).state == "sent"


@pytest.mark.parametrize(("outcome", "state", "again"), [
    (Acknowledged("P1"), "acknowledged", False), (Refused("not_ours"), "refused", False),
    (Sent(), "sent", True), (Sent(200, "reply_signature_wrong"), "sent", True),
    (Failed("connect_failed"), "waiting", True),
])  # fmt: skip
def test_danger_goes_on_until_somebody_answers_for_it(
    outcome: Outcome, state: str, again: bool
) -> None:
    step = after_danger(outcome, 1, NOW, NOW, PATIENCE, 0.5)
    assert (step.state, step.next_at is not None) == (state, again)
    end = after_danger(outcome, 9, NOW - timedelta(hours=1), NOW, PATIENCE, 0.5)
    assert end.state == (state if not again else "failed")


def test_what_was_taken_is_given_time_to_be_acknowledged() -> None:
    taken, doubtful = Sent(202), Sent(200, "reply_signature_missing")
    waits = [
        after_danger(outcome, 1, NOW, NOW, PATIENCE, 0.5).next_at for outcome in (taken, doubtful)
    ]
    assert waits == [NOW + timedelta(seconds=15), NOW + timedelta(seconds=5)]


def reply(said: object, *, status: int = 200, key: bytes = KEY, at: datetime = NOW) -> HttpReply:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return HttpReply(status, signed((key,), "d1", at, body), body)


def told(answer: HttpReply) -> Outcome:
    return of_reply(answer, (KEY,), "d1", now=NOW, window_s=300)


OURS = {"id": "d1", "acknowledged": True, "reference": "P\n2026-7"}


def test_only_a_signed_reply_of_this_very_message_acknowledges() -> None:
    assert told(reply(OURS)) == Acknowledged("P2026-7")
    assert told(reply(OURS, key=b"x" * 32)) == Sent(200, "reply_signature_wrong")
    assert told(reply(OURS, at=NOW - timedelta(hours=1))) == Sent(200, "reply_signature_stale")
    assert told(HttpReply(200, {}, json.dumps(OURS).encode())) == Sent(
        200, "reply_signature_missing"
    )
    assert told(reply({**OURS, "id": "d2"})) == Sent(200, "reply_of_another")
    assert told(reply({"id": "d1", "acknowledged": "yes"})) == Sent(200)
    assert told(reply(b"<html>ok</html>")) == Sent(200, "reply_malformed")
    assert told(reply(b"[" * 100_000)) == Sent(200, "reply_malformed")
    assert told(reply([1])) == Sent(200, "reply_of_another")


def test_a_refusal_is_one_only_when_signed() -> None:
    assert told(reply({"id": "d1", "refused": "not ours!"})) == Refused("notours")
    assert told(HttpReply(403, {}, b'{"refused":"x"}')) == Failed("http_403", 403)


@pytest.mark.parametrize(("status", "outcome"), [
    (204, Sent(204)), (301, Failed("redirected", 301)), (404, Failed("http_404", 404)),
    (503, Failed("http_503", 503, 7.0)),
])  # fmt: skip
def test_statuses(status: int, outcome: Outcome) -> None:
    headers = {"Retry-After": "7"} if status == 503 else {}
    assert of_status(HttpReply(status, headers, b"")) == outcome


@given(st.integers(100, 599), st.binary(), st.text())
def test_no_reply_does_harm(status: int, body: bytes, stamp: str) -> None:
    answer = HttpReply(status, {"Qianmen-Timestamp": stamp, "Retry-After": stamp}, body)
    assert not isinstance(told(answer), Acknowledged)
