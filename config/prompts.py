"""The fixed sentences a city's front door says; ``{…}`` marks what is filled in."""

from __future__ import annotations

import string

from pydantic import BaseModel, ConfigDict, field_validator

# Which names each prompt may use between braces; anything else is refused at start.
_FIELDS = {
    "greeting_call": {"city"},
    "greeting_chat": {"city"},
    "handoff_call": {"number"},
    "handoff_chat": {"number"},
    "danger_call": {"number"},
    "danger_chat": {"number"},
    "danger_acknowledged": {"party", "number"},
    "digits_short": {"count"},
    "order_done": {"number"},
    "brief": {"city", "order"},
    "brief_danger": {"city", "order"},
    "brief_desk": {"order"},
    "brief_desk_danger": {"order"},
    "read_back": {"summary"},
    "offer": {"options"},
    "offer_spoken": {"options"},
    "more_asked": {"options"},
    "in_city": {"text"},
    "elsewhere": {"regions"},
    "other_city": {"city", "other"},
    "ours_instead": {"city"},
    "heard_as": {"words"},
    "waiting_place": {"ahead"},
    "waiting_place_wait": {"ahead", "wait"},
    "callback_sure": {"number"},
    "callback_told": {"number"},
    "mend_not_understood": {"field"},
    "place_kept": {"place"},
    "too_fast": {"wait"},
    "progress_one": {"number", "what", "state"},
    "progress_due": {"day"},
    "progress_department": {"department"},
    "link_code": {"code"},
}


class Prompts(BaseModel):
    """Every fixed sentence; an unknown or empty one is an error at start, not in a call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    greeting_call: str
    greeting_chat: str
    miss: str
    miss_again: str
    silence: str
    offer: str
    offer_spoken: str
    none_of_these: str
    more_asked: str
    in_city: str
    elsewhere: str
    region_noted: str
    region_same: str
    other_city: str
    ours_instead: str
    take_down_too: str
    take_down: str
    private: str
    no_opinion: str
    repeat_nothing: str
    slower: str
    faster: str
    louder: str
    softer: str
    pause: str
    hearing_slow: str
    say_again: str
    heard_as: str
    anything_else: str
    complaint_start: str
    read_back: str
    correct_what: str
    digits_go_on: str
    digits_short: str
    cancelled: str
    order_done: str
    order_follows: str
    praise: str
    insult: str
    greet: str
    status: str
    other: str
    bye: str
    machine: str
    handoff_call: str
    handoff_chat: str
    danger_call: str
    danger_chat: str
    danger_acknowledged: str
    connecting: str
    waiting_first: str
    waiting_place: str
    waiting_place_wait: str
    waiting_nobody: str
    waiting_busy: str
    waiting_taken: str
    waiting_choice_call: str
    waiting_choice_chat: str
    waiting_long: str
    waiting_again: str
    waiting_passed_on: str
    waiting_left: str
    waiting_noted: str
    callback_number: str
    callback_again: str
    callback_sure: str
    callback_told: str
    callback_no_more: str
    survey: str
    survey_call: str
    survey_why: str
    survey_solved: str
    survey_solved_call: str
    survey_thanks: str
    survey_bye: str
    number_follows: str
    apology_kept: str
    nobody_answers: str
    next_person: str
    person_left: str
    back_to_bot: str
    back_to_bot_chat: str
    on_hold: str
    other_on_hold: str
    brief: str
    brief_danger: str
    brief_desk: str
    brief_desk_danger: str
    brief_accept: str
    brief_joining: str
    apology_call: str
    apology_chat: str
    too_long: str
    slow_down: str
    wechat_more: str
    wechat_pick: str
    wechat_last: str
    wechat_ask: str
    wechat_not_kept: str
    sticker: str
    voice_unclear: str
    too_fast: str
    mend_not_understood: str
    file_kept: str
    place_kept: str
    progress_number: str
    progress_phone: str
    progress_one: str
    progress_department: str
    progress_due: str
    progress_unknown: str
    link_code: str
    link_joined: str
    link_unknown: str

    @field_validator("*")
    @classmethod
    def _checked(cls, value: str, info: object) -> str:
        name = getattr(info, "field_name", "")
        if not value.strip():
            raise ValueError("is empty")
        allowed = _FIELDS.get(name, set())
        try:
            used = {part for _, part, _, _ in string.Formatter().parse(value) if part is not None}
        except ValueError:
            raise ValueError("braces do not match") from None
        if used - allowed:
            raise ValueError(f"unknown {{{'} {'.join(sorted(used - allowed))}}}")
        return value

    def fill(self, name: str, **values: str) -> str:
        """The prompt ``name`` with its braces filled."""
        text: str = getattr(self, name)
        return text.format(**values)
