"""What is due for a caller in the queue, second by second, without a clock."""

from __future__ import annotations

from dataclasses import replace

from config.queue import Announcements, Callbacks, QueueRules
from telephony.queue_patience import ABSENT_S, QueuePatience
from turns.standing import Standing

RULES = QueueRules(
    hunt_after_s=20,
    announcements=Announcements(first_s=5, every_s=30),
    callbacks=Callbacks(offer_after_s=60),
)
THIRD = Standing("h", "waiting", position=3, estimate_s=300)


def deeds(patience: QueuePatience, standing: Standing | None, *seconds: int) -> dict[int, str]:
    """What was due at which of these seconds."""
    found: dict[int, str] = {}
    for second in seconds:
        stands = standing and replace(standing, waited_s=float(second))
        deed = patience.step(stands, second)
        if deed:
            found[second] = deed
    return found


def test_told_after_a_moment_then_only_what_has_changed() -> None:
    patience = QueuePatience(RULES, 0)
    assert deeds(patience, THIRD, *range(50)) == {5: "tell"}
    second = replace(THIRD, position=2)
    assert deeds(patience, second, *range(50, 55)) == {50: "tell"}
    assert deeds(patience, replace(THIRD, position=1), *range(55, 59)) == {}


def test_an_estimate_that_wanders_by_seconds_is_not_told_anew() -> None:
    patience = QueuePatience(RULES, 0)
    assert deeds(patience, THIRD, *range(6)) == {5: "tell"}
    assert deeds(patience, replace(THIRD, estimate_s=290), *range(35, 58)) == {}
    assert deeds(patience, replace(THIRD, estimate_s=200), 58) == {58: "tell"}


def test_a_call_back_is_offered_once_to_who_waits_long() -> None:
    patience = QueuePatience(RULES, 0)
    assert deeds(patience, THIRD, *range(300)) == {5: "tell", 60: "offer"}


def test_with_nobody_there_any_more_the_hunt_group_is_tried() -> None:
    patience = QueuePatience(RULES, 0)
    alone = replace(THIRD, staffed=False)
    assert deeds(patience, THIRD, *range(10)) == {5: "tell"}
    assert deeds(patience, alone, *range(10, 32)) == {29: "hunt", 30: "hunt", 31: "hunt"}


def test_who_comes_back_in_time_keeps_the_queue() -> None:
    patience = QueuePatience(RULES, 0)
    alone = replace(THIRD, staffed=False)
    deeds(patience, THIRD, 0)
    assert "hunt" not in deeds(patience, alone, *range(1, 19)).values()
    assert "hunt" not in deeds(patience, THIRD, *range(19, 40)).values()


def test_danger_that_nobody_takes_goes_to_the_hunt_group_again_and_again() -> None:
    patience = QueuePatience(RULES, 0)
    danger = replace(THIRD, position=1, urgency="danger")
    found = deeds(patience, danger, *range(45))
    assert {second for second, deed in found.items() if deed == "hunt_beside"} == {20, 40}


def test_danger_that_somebody_has_accepted_is_left_to_them() -> None:
    patience = QueuePatience(RULES, 0)
    accepted = replace(THIRD, state="accepted", position=0, urgency="danger")
    assert deeds(patience, accepted, *range(60)) == {}


def test_who_is_in_no_queue_any_more_has_left_it() -> None:
    patience = QueuePatience(RULES, 0)
    assert deeds(patience, None, 0, 1, 2) == {}
    assert deeds(patience, THIRD, 2, 3) == {}
    assert patience.step(None, 3 + ABSENT_S) == "left"


def test_where_nothing_is_known_for_long_the_hunt_group_is_tried() -> None:
    patience = QueuePatience(RULES, 0)
    patience.step(THIRD, 10)
    assert patience.unknown(29) == ""
    assert patience.unknown(30) == "hunt"


def test_silence_is_kept_where_the_city_wants_no_announcements() -> None:
    rules = RULES.model_copy(update={"announcements": Announcements(every_s=0, first_s=5)})
    patience = QueuePatience(rules, 0)
    found = deeds(patience, THIRD, *range(10))
    found |= deeds(patience, replace(THIRD, position=2), *range(10, 200))
    assert list(found.values()) == ["tell", "offer"]
