"""References and what was heard, brought to one form, so that only hearing is compared."""

from __future__ import annotations

from language.normal import clean
from language.speakable import speakable

_LONGEST = 100_000
_ONE_FORM = str.maketrans({"两": "二", "幺": "一", "〇": "零", "○": "零"})
STATED = (
    "全角半角统一、字母小写、去掉标点和空格；数字、日期、金额、电话等写法按读法展开成汉字；"
    "两和二、幺和一、〇和零不算错；繁体不转简体；字母逐个算"
)
"""What `comparable` does, said to people."""


def comparable(text: str) -> str:
    """``text`` as it is spoken, without marks and spaces: 1500元 and 一千五百元 become one."""
    spoken = speakable(clean(text, _LONGEST))
    kept = "".join(sign for sign in spoken.lower() if sign.isalnum())
    return kept.translate(_ONE_FORM)
