"""What buttons of the account's menu and scanned codes mean: the city's ``wechat.yaml``.

::

    menu:                       # key of a button (type click) → what it stands for, as if written
      rent: 租房提取公积金要什么材料？
    scenes:                     # scene of a code with a parameter (带参数二维码) → where it hangs
      hall-3: {region: "152531", department: 住房公积金管理中心}
      market: {text: 我要投诉}   # what scanning it stands for, as if written
    buttons:                    # the account's own menu, put in place by `qianmen wechat menu`
      - {name: 办事指南, buttons: [{name: 租房提取, key: rent}, {name: 网上办事, url: "https://…"}]}
      - {name: 转人工, key: person}
    notices:                    # what an order's citizen is told of, whatever window is open
      created:                  # or a step of its life: dispatch, sign, answer, close …
        template: tMpLaTe-Id
        fields: {character_string1: "{number}", phrase2: 已受理, time3: "{time}"}

All of it is optional, the file too.
"""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from config.errors import ConfigError
from config.orders import VERBS

CREATED = "created"
"""The step before all others: the order was taken (受理)."""
NOTICE_WORDS = frozenset({"number", "kind", "department", "deadline", "time", "city"})

_Key = Annotated[str, BeforeValidator(str), Field(min_length=1, max_length=128)]
_Words = Annotated[str, Field(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scene(_Part):
    """Where a code hangs: the ``region`` (code) and the ``department`` (name) of who scans it."""

    region: Annotated[str, BeforeValidator(str)] = ""
    department: str = ""
    text: str = Field(default="", max_length=500)


class Button(_Part):
    """A button of the account's menu: it means ``menu``'s ``key``, opens ``url``, or unfolds.

    The platform's bounds (自定义菜单): three buttons, of five each; names of 16 and 60 bytes.
    """

    name: str = Field(min_length=1)
    key: str = Field(default="", max_length=128)
    url: str = Field(default="", max_length=1024, pattern=r"^(https?://\S+)?$")
    buttons: tuple[Button, ...] = Field(default=(), max_length=5)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Button:
        if sum(map(bool, (self.key, self.url, self.buttons))) != 1:
            raise ValueError(f"{self.name}: one of key, url, buttons")
        if any(button.buttons for button in self.buttons):
            raise ValueError(f"{self.name}: buttons unfold once only")
        if len(self.name.encode()) > 60:
            raise ValueError(f"{self.name}: the name is too long")
        return self


class NoticeTemplate(_Part):
    """How an order's citizen is told of a step: the account's template, and what fills its fields.

    ``kind``: a template message (模板消息), or a subscription notice (订阅通知), which each citizen
    must have agreed to. Between braces: number, kind, department, deadline, time, city.
    """

    template: str = Field(min_length=1, max_length=128)
    kind: Literal["template", "subscription"] = "template"
    fields: dict[str, Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1)
    url: str = Field(default="", max_length=1024, pattern=r"^(https?://\S+)?$")

    @field_validator("fields")
    @classmethod
    def _known_words(cls, fields: dict[str, str]) -> dict[str, str]:
        for name, text in fields.items():
            try:
                used = {word for _, word, _, _ in Formatter().parse(text) if word is not None}
            except ValueError:
                raise ValueError(f"{name}: braces do not match") from None
            if used - NOTICE_WORDS:
                raise ValueError(f"{name}: unknown {{{'} {'.join(sorted(used - NOTICE_WORDS))}}}")
        return fields


class WechatFile(_Part):
    """The file."""

    menu: dict[_Key, _Words] = {}
    scenes: dict[_Key, Scene] = {}
    buttons: tuple[Button, ...] = Field(default=(), max_length=3)
    notices: dict[str, NoticeTemplate] = {}

    @field_validator("buttons")
    @classmethod
    def _short_names(cls, buttons: tuple[Button, ...]) -> tuple[Button, ...]:
        if long := [button.name for button in buttons if len(button.name.encode()) > 16]:
            raise ValueError(f"{long[0]}: the name is too long")
        return buttons

    @field_validator("notices")
    @classmethod
    def _known_steps(cls, notices: dict[str, NoticeTemplate]) -> dict[str, NoticeTemplate]:
        if unknown := sorted(set(notices) - {CREATED, *VERBS}):
            raise ValueError(f"{', '.join(unknown)}: no step of an order")
        return notices

    def with_templates(self, text: str) -> WechatFile:
        """The file with the template ids of ``text`` (``EVENT=ID``, by spaces) in its notices.

        Ids are the account's, the rest is the city's. Raises ``ConfigError`` ``settings_invalid``.
        """
        notices = dict(self.notices)
        for part in text.split():
            event, _, template = part.partition("=")
            if event not in notices or not template:
                raise ConfigError(
                    "settings_invalid",
                    f"QIANMEN_WECHAT_TEMPLATES: {event[:20]}: EVENT=ID, of wechat.yaml's notices",
                )
            notices[event] = notices[event].model_copy(update={"template": template})
        return self.model_copy(update={"notices": notices})
