"""What buttons of the account's menu and scanned codes mean: the city's ``wechat.yaml``.

::

    menu:                       # key of a button (type click) → what it stands for, as if written
      rent: 租房提取公积金要什么材料？
    scenes:                     # scene of a code with a parameter (带参数二维码) → where it hangs
      hall-3: {region: "152531", department: 住房公积金管理中心}
      market: {text: 我要投诉}   # what scanning it stands for, as if written

All of it is optional, the file too.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_Key = Annotated[str, BeforeValidator(str), Field(min_length=1, max_length=128)]
_Words = Annotated[str, Field(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scene(_Part):
    """Where a code hangs: the ``region`` (code) and the ``department`` (name) of who scans it."""

    region: Annotated[str, BeforeValidator(str)] = ""
    department: str = ""
    text: str = Field(default="", max_length=500)


class WechatFile(_Part):
    """The file."""

    menu: dict[_Key, _Words] = {}
    scenes: dict[_Key, Scene] = {}
