"""Whether a turn plainly hands in a complaint, whatever it is about. Pure."""

from __future__ import annotations

import re

from language.normal import clean
from language.numbers import phone
from language.questions import asks

_LABEL = re.compile(
    r"(?:^|[，,。；;、\s])(?:事发|发生|投诉|联系|反映|诉求|工单)?(?:地点|地址|位置|时间|日期|电话|手机号?|联系方式|"
    r"事由|诉求|内容|问题|情况|对象|金额|类型|姓名|联系人)[：:]"
)
_SUGGESTS = re.compile(
    r"^(?:你好|您好|喂|那个|同志|[，,。])*(?:我|我们|俺)?(?:想|要|来)?(?:给你们|给政府|跟你们|给市里|向市里)?"
    r"(?:提一?[个点条]?(?:小)?(?:意见|建议)|建议(?!书|零售))[，,：:。]?(?=.{6})"
)
_STORY = 14  # characters beside the number; fewer only say whom to call
_LABELS = 2


def hands_in(text: str) -> bool:
    """Whether ``text`` is a typed form with its labels (地点：… 电话：…), a story that ends in
    the teller's own number and asks nothing, or one that begins with 我想提个建议.
    """
    text = clean(text)
    if len(_LABEL.findall(text)) >= _LABELS or _SUGGESTS.search(text):
        return True
    told = len(re.sub(r"[0-9]", "", text))
    return told >= _STORY and not asks(text) and phone(text) is not None


def labelled(text: str, names: str) -> str:
    """What stands behind a label, up to the next mark; '' without one.

    ``names``: a pattern of the label's words (地点|地址).
    """
    found = re.search(
        rf"(?:^|[，,。；;、\s])(?:事发|发生|投诉|联系|反映|具体)?(?:{names})(?:[：:]|就?是在?|在)\s?"
        rf"(?P<said>(?:[^，,。；;：:]|(?<=[0-9])[：:](?=[0-9])){{2,40}})",
        clean(text),
    )
    return found["said"].strip() if found else ""
