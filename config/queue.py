"""The queue for a person: skills, order of serving, hours, time limits, codes and texts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from config.orders import Calendar
from config.workdays import MADE_UP, served_as

Seconds = Annotated[int, Field(ge=0, le=86_400)]
SomeSeconds = Annotated[int, Field(ge=1, le=86_400)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(min_length=1, max_length=500)]
_DAY_MIN = 24 * 60
PHONE = "phone"
"""The channel of calls; every other channel is a chat."""


def _clock_time(value: object) -> object:
    """YAML 1.1 reads 17:30 without quotes as a number to the base of 60: minutes of the day."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not isinstance(value, int) or not 0 <= value <= _DAY_MIN:
        raise ValueError("a time of the day, as 17:30")
    return time(*divmod(value % _DAY_MIN, 60))


ClockTime = Annotated[time, BeforeValidator(_clock_time)]


class _Part(BaseModel):
    """Strict and frozen: an unknown key is a typing error of the city's, not a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Skill(_Part):
    """Something that not every agent can: a topic, a dialect, a language.

    ``name`` is what stands in an agent's profile. The wish for it is dropped after
    ``relax_after_s``, so that nobody waits for ever.
    """

    name: Text
    label: str = ""
    words: tuple[Text, ...] = ()
    matters: tuple[Text, ...] = ()
    departments: tuple[Text, ...] = ()
    relax_after_s: Seconds = 60


class Priorities(_Part):
    """Points on arrival; whoever has more is served first. Danger goes before any points.

    ``ageing``: points for each full ``ageing_step_s`` that somebody has waited.
    """

    urgent: int = Field(default=30, ge=0, le=1000)
    old_age: int = Field(default=20, ge=0, le=1000)
    repeat: int = Field(default=10, ge=0, le=1000)
    ageing: int = Field(default=5, ge=0, le=1000)
    ageing_step_s: SomeSeconds = 60
    repeat_within_s: SomeSeconds = 86_400
    old_age_words: tuple[Text, ...] = (
        "老年人", "老人家", "年纪大", "岁数大", "上岁数", "上了年纪", "耳朵背", "耳背",
        "七十多岁", "八十多岁", "九十多岁", "七十岁了", "八十岁了", "九十岁了",
        "七十多了", "八十多了", "九十多了",
    )  # fmt: skip


_WORKING_WEEK = {1, 2, 3, 4, 5}


class Window(_Part):
    """A time of the week at which a channel is served; days 1 (Monday) to 7.

    ``end`` not after ``begin`` lasts into the next day; the same time is the whole day. A public
    holiday in the week is served as a Sunday, a Saturday or Sunday that is worked instead (调休) as
    any day of a window from Monday to Friday.
    """

    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)
    begin: ClockTime = time(0)
    end: ClockTime = time(0)

    def holds(self, moment: datetime, calendar: Calendar) -> bool:
        """Whether ``moment`` (in the city's zone) lies in it."""
        at, today = moment.timetz().replace(tzinfo=None), self._serves(moment.date(), calendar)
        if self.begin < self.end:
            return today and self.begin <= at < self.end
        yesterday = self._serves(moment.date() - timedelta(days=1), calendar)
        return (today and at >= self.begin) or (yesterday and at < self.end)

    def _serves(self, day: date, calendar: Calendar) -> bool:
        lived = served_as(day, calendar)
        return lived in self.days or (lived == MADE_UP and {*self.days} >= _WORKING_WEEK)


class Result(_Part):
    """How a talk with a person may end."""

    code: Code
    label: Text


class Canned(_Part):
    """A text that an agent sends with one key."""

    label: Annotated[str, Field(min_length=1, max_length=30)]
    text: Text


class Callbacks(_Part):
    """Calling back: when, how often, when somebody else takes it."""

    offer_after_s: Seconds = 60
    within_s: SomeSeconds = 1800
    danger_within_s: SomeSeconds = 60
    retry_s: SomeSeconds = 900
    tries: int = Field(default=3, ge=1, le=20)
    taken_s: SomeSeconds = 900


class Announcements(_Part):
    """What who waits hears or sees: where they stand, every ``every_s`` s, 0 never.

    ``hold``: music, silence, or a WAV file of the city's folder. ``whisper``: an agent who takes a
    call hears the order in one sentence before they are joined.
    """

    every_s: Seconds = 30
    first_s: Seconds = 5
    hold: Annotated[str, Field(pattern=r"^(music|silence|[\w.-]+\.wav)$")] = "music"
    whisper: bool = True


_RESULTS = (
    Result(code="answered", label="已解答"),
    Result(code="transferred", label="已转办"),
    Result(code="linked", label="已转110等联动"),
    Result(code="no_need", label="无需办理"),
    Result(code="silent", label="无声或无法沟通"),
    Result(code="hung_up", label="市民先挂断"),
    Result(code="harassing", label="骚扰电话"),
)
_CANNED = (
    Canned(label="您好", text="您好，我是人工坐席，您之前说的我都看到了，不用重复。"),
    Canned(label="请稍等", text="请您稍等，我正在为您查询。"),
    Canned(label="核对地点", text="请您告诉我发生的地点，最好具体到小区和楼号。"),
    Canned(label="已登记", text="您的诉求已经登记，我们会转给承办单位办理。"),
    Canned(label="还有别的吗", text="请问还有其他需要帮助的吗？"),
    Canned(label="再见", text="感谢您的来访，再见。"),
)
Presence = Literal["online", "busy", "break", "offline"]


class QueueRules(_Part):
    """How citizens get to a person. Times in seconds.

    ``answer_goal_s`` of calls, ``chat_goal_s`` of new media: 15 s and 3 minutes (GB/T 33358-2016).
    ``vanish_s`` without a sign from their desk, an agent has vanished; after ``sign_off_s`` they
    are offline. ``connect_s``: an accepted call that is not connected within it was lost on the
    way; within ``ring_s`` where the agent's desk is gone too: their telephone may still ring.
    ``hunt_after_s``: danger that nobody at a desk has taken by then goes to the line's hunt group.
    ``rest_s``: how long nobody is offered again whom they declined or let lapse; ``wanted_s``: how
    long one agent alone is waited for. ``handling_…``: what a talk takes before there is
    experience. ``reasons``: what an agent may give for a status. ``calendar``: the city's own days
    off and make-up days, as orders.yaml has them.
    """

    timezone: str = "Asia/Shanghai"
    calendar: Calendar = Calendar()
    skills: tuple[Skill, ...] = ()
    priorities: Priorities = Priorities()
    hours: dict[str, tuple[Window, ...]] = {}
    offer_s: SomeSeconds = 20
    ring_s: SomeSeconds = 30
    connect_s: SomeSeconds = 75
    vanish_s: SomeSeconds = 15
    sign_off_s: SomeSeconds = 900
    answer_goal_s: SomeSeconds = 15
    chat_goal_s: SomeSeconds = 180
    hunt_after_s: Seconds = 20
    rest_s: Seconds = 30
    wanted_s: Seconds = 60
    busy_after_lapse: bool = True
    chats_beside_call: bool = False
    calls_beside_chats: bool = False
    wrapup_call_s: Seconds = 30
    wrapup_chat_s: Seconds = 10
    handling_call_s: SomeSeconds = 240
    handling_chat_s: SomeSeconds = 480
    callbacks: Callbacks = Callbacks()
    announcements: Announcements = Announcements()
    results: tuple[Result, ...] = Field(default=_RESULTS, min_length=1)
    canned: tuple[Canned, ...] = _CANNED
    reasons: dict[Presence, tuple[Text, ...]] = {
        "break": ("用餐", "休息"),
        "busy": ("培训", "开会"),
    }

    @field_validator("skills", "results")
    @classmethod
    def _named_once(
        cls, parts: tuple[Skill, ...] | tuple[Result, ...]
    ) -> tuple[Skill, ...] | tuple[Result, ...]:
        names = [part.name if isinstance(part, Skill) else part.code for part in parts]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]}: given twice")
        return parts

    @model_validator(mode="after")
    def _vanishes_before_signing_off(self) -> Self:
        if self.sign_off_s < self.vanish_s:
            raise ValueError("sign_off_s: not less than vanish_s")
        return self

    def is_open(self, channel: str, now: datetime) -> bool:
        """Whether people serve ``channel`` at ``now``; always where no hours are set.

        Day and night is what the State Council asks of a hotline (国办发〔2020〕53号).
        """
        windows = self.hours.get(channel, ())
        moment = now.astimezone(ZoneInfo(self.timezone))
        return not windows or any(window.holds(moment, self.calendar) for window in windows)

    def goal_s(self, channel: str, urgency: str = "normal") -> int:
        """Within how many seconds a person must have answered; in danger as fast as a call."""
        if urgency == "danger":
            return min(self.answer_goal_s, self.chat_goal_s)
        return self.answer_goal_s if channel == PHONE else self.chat_goal_s

    def wrapup_s(self, channel: str) -> int:
        """How long an agent has after a talk."""
        return self.wrapup_call_s if channel == PHONE else self.wrapup_chat_s

    def handling_s(self, channel: str) -> int:
        """What a talk takes, wrap-up included, before there is experience."""
        return self.handling_call_s if channel == PHONE else self.handling_chat_s

    def relax_after_s(self, skill: str) -> int:
        """After how long a wish for ``skill`` is dropped."""
        return next((each.relax_after_s for each in self.skills if each.name == skill), 60)

    def result_label(self, code: str) -> str:
        """What people call a result; an unknown code as it is."""
        return next((each.label for each in self.results if each.code == code), code)
