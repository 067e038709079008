"""Short words that steer a dialogue: yes, no, the second one, I do not know. Pure."""

from __future__ import annotations

import re

from language.corrections import corrected
from language.normal import clean, for_matching

_YES = re.compile(
    r"(?:对|是|嗯|好|行|可以|没错|正确|确认|确定|没问题|中|成|要得|ok|OK|就是)"
    r"(?:的|啊|呀|吧|了|嘞|滴|头|对|是|这样|这个|没错|都对|全对|没问题|可以|好|行|登记|提交|你|谢谢)*"
)
_NO = re.compile(
    r"(?:不对|不是|不|错了|没有|没对|都不是|不行|不好|不正确|有问题|不准|有错|[说记听弄搞]错|哪儿?啊)"
)
_WANTS = re.compile(
    r"(?:嗯|好|对|行|那|就|我|也)*(?:要|想听|想|听听|听|说说|说|讲讲|讲|继续|需要|登记|记下来|记|麻烦)"
    r"(?:的|要|吧|一下|下来|呗|啊|呀|了|听|说|讲|你|您|给我|我|登记)*"
)
_ENOUGH = re.compile(
    r"(?:嗯|好|行|那|哦|对)*(?:不用|不要|不需要|不必|不了|不听|没有|没事|没了|行了|够了|可以了|清楚了|知道了|明白了)"
    r"(?:了|啦|啊|哈|吧|谢谢|别的|其他|问题|事|听|你|您)*"
)
_THANKS = re.compile(
    r"(?:嗯|好|好的|行|对|哦|那|知道了|明白了|清楚了|可以了|了|啊)*(?:谢谢|多谢|感谢|谢了|谢谢啦|辛苦)"
    r"(?:你们?|您|啊|了|啦|哈|哦|同志|师傅|姑娘|小姑娘|谢谢|感谢|麻烦)*"
)
_OPENS = re.compile(
    r"(?:你好|您好|喂|哎|那个|这个|同志|师傅|请问|麻烦|打扰|跟你们?|向你们?|[，,])*"
    r"(?:我|俺)?是?(?:这样的?)?(?:就是)?(?:想|要)?"
    r"(?:请?问|打听|咨询|请教|了解)(?:一下|下|一?个|点|件|些)*(?:事儿?|问题|政策|情况)?情?(?:可以吗|行吗|行不)?"
)
_BACK = re.compile(
    r"^(?:我|俺)?(?:其实)?(?:是(?:问|说|指|讲)|(?:想|要)?(?:问|说|指|讲|咨询)的(?:其实)?(?:是|那个)?)"
    r"(?=.{2})|^(?:而|应该)?是(?=.{2})"
)
_BUT = re.compile(r"但是?|不过|就是.{0,6}(?:错|不对)")
_ORDINAL = re.compile(
    r"(?:第|选|要|就|是)*(?P<n>[一二三四两1-4])(?:个|项|种|号)?(?:那个|的|吧|啊|问题)*"
)
_NUMBERS = {"一": 0, "1": 0, "二": 1, "两": 1, "2": 1, "三": 2, "3": 2, "四": 3, "4": 3}
_FIRST = re.compile(r"(?:前面|前边|头|上面)(?:那|一)?个")
_LAST = re.compile(r"(?:后面|后边|最后|下面)(?:那|一)?个")
_NONE_OF_THEM = re.compile(r"都不[是对]|一个都不|哪个都不|不是这[些个两]|全不是|^none$")
_UNKNOWN = re.compile(
    r"不(?:太)?(?:知道|清楚|记得|晓得|想说|方便|愿意|用|需要|确定)|没(?:有|记住|看清|留)|忘了|记不[得清]|"
    r"说不(?:上来|清|好)|无可奉告|跳过|不留"
)
_QUESTION = re.compile(
    r"[吗么嘛？?]|怎么|咋|怎样|如何|多少|几[天个次点号年]|哪[儿里个些]|什么|啥|能不能|可不可以|是不是|有没有|"
    r"要不要|行不行|用不用|需不需要|多久|多长时间|为什么|谁"
)
_DIGIT = re.compile(r"[0-9一二三四五六七八九零〇幺两]")


def yes_no(text: str) -> bool | None:
    """Whether ``text`` as a whole says yes (True) or begins with a no (False); else None."""
    bare = for_matching(text)
    if _NO.match(bare):
        return False
    if _YES.fullmatch(bare):
        return True
    return False if _BUT.search(bare) and _YES.match(bare) else None


def wants(text: str) -> bool:
    """Whether ``text`` as a whole takes up an offer: 要, 听听, 对."""
    return bool(_WANTS.fullmatch(for_matching(text))) or yes_no(text) is True


def needs_nothing(text: str) -> bool:
    """Whether ``text`` as a whole declines with thanks: 不用了, 没别的事了, 知道了."""
    return bool(_ENOUGH.fullmatch(for_matching(text)))


def thanks(text: str) -> bool:
    """Whether ``text`` only thanks: 好的谢谢."""
    return bool(_THANKS.fullmatch(for_matching(text)))


def opens_only(text: str) -> bool:
    """Whether ``text`` only says that a question is coming: 你好，我想咨询个事."""
    return bool(_OPENS.fullmatch(clean(text).rstrip("，,。？?啊呢哈 ")))


def meant(text: str) -> str:
    """What a citizen means after taking something back: 买房 of 不对，我问的是买房; '' without."""
    cleaned = clean(text)
    earlier, later = corrected(cleaned)
    said = later if later != cleaned or earlier else cleaned
    stripped = _BACK.sub("", said.strip("，,。 "))
    return "" if stripped == cleaned else stripped


def ordinal(text: str, count: int) -> int | None:
    """The place (from 0) that 第二个, 后面那个 or a bare 2 means among ``count`` options."""
    bare = for_matching(text)
    match = _ORDINAL.fullmatch(bare)
    if match:
        place = _NUMBERS[match["n"]]
        return place if place < count else None
    if _FIRST.search(bare):
        return 0
    return count - 1 if count and _LAST.search(bare) else None


def none_of_them(text: str) -> bool:
    """Whether ``text`` refuses all that was offered."""
    return bool(_NONE_OF_THEM.search(clean(text)))


def unknown(text: str) -> bool:
    """Whether ``text`` says that the citizen cannot or will not tell."""
    return bool(_UNKNOWN.search(for_matching(text)))


def question(text: str) -> bool:
    """Whether ``text`` is put as a question."""
    return bool(_QUESTION.search(clean(text)))


def digits_tried(text: str) -> bool:
    """Whether ``text`` looks like an attempt at a number."""
    return len(_DIGIT.findall(text)) >= 5  # fewer than half a number is none


def behind_correction(text: str) -> str:
    """What is said to be right: the words behind 不对，是…; the whole text without such words."""
    return corrected(clean(text))[1]


def put_right(text: str) -> tuple[str, str]:
    """What stands before and what behind 不对，是…; ('', '') where nothing is taken back."""
    text = clean(text)
    before, later = corrected(text)
    return (before, later) if later != text else ("", "")
