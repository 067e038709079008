"""Words that steer how we speak: 再说一遍, 慢点, 大声点, 接着说, 等一下. Pure.

Only what is said for this alone counts: 慢一点到可以吗 and 等一下公交车来吗 steer nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from language.normal import for_matching

Step = Literal["slower", "faster", "louder", "softer"]

_LITTLE = "(?:一?[点些]儿?|一下|滴|着)"
_CAN = "(?:可以不|可以吗|可不可以|行吗|行不行?|好吗|好不好|好伐|成不|吧|吗|呗|嘛|啊|呀|哈|嘞|来)"
_TELL = "(?:说话|说|讲|念|读|播|报)"
_VOICE = "(?:声音?|音量|嗓门|音)"
_LEAD = (
    "(?:你|您|恁|侬|请你?|麻烦你?|劳驾|同志|师傅|姑娘|小姐|那个|这|等一?[下等]|别急|莫急|不要急|"
    "不好意思|对不起|能不能|可不可以|可以|能|给我|帮我|再|稍微?|我(?:老伴|妈|爸)?|就|先|老头子|老太太|"
    "(?:老?年纪|岁数)大了?(?:反应慢)?|上了?年纪了?|耳朵(?:不好|不行|背|聋|有点背)了?|耳背|"
    "(?:听|记|写|跟)(?:不太|不)?(?:清楚?|见|到|上|下来|过来|住|太清)?了?|听得不(?:太)?清楚?|"
    "没(?:太)?(?:听|记)(?:清楚?|见|到|着|住|下来)|写字慢|在(?:写|记)|拿(?:纸|笔)(?:记|写)?(?:一下)?|"
    "(?:信号|网|线路)(?:不好|不行|差)|断断续续的?|[啊呀的了])*"
)
_SLOW = (
    f"(?:{_TELL}?(?:得|的|地)?(?:慢慢|慢|放慢|缓|放缓|悠着){_LITTLE}?{_TELL}?(?:得|的)?|"
    f"{_TELL}?(?:得|的)?(?:太|忒|有点|这么|那么)快了?|(?:调慢|放慢|降低)(?:一下|点)?(?:语速|速度)|"
    f"(?:语速|速度)(?:放|调)?(?:慢|太快)(?:{_LITTLE}|了)?|"
    f"(?:别|不要){_TELL}?(?:得)?(?:这么|那么|太)?(?:快|急|赶)|"
    f"(?:慢慢|慢){_LITTLE}?{_TELL}|一[条项句]一[条项句](?:慢慢)?(?:地|的)?{_TELL})"
)
_FAST = (
    f"(?:{_TELL}?(?:得|的)?(?:快|加快){_LITTLE}{_TELL}?|{_TELL}?(?:得|的)?(?:太|有点)慢了?|"
    f"(?:语速|速度)(?:加|调)?快{_LITTLE}|正常(?:语速|速度)|恢复(?:正常)?(?:语速|速度))"
)
_LOUD = (
    f"(?:{_TELL}?(?:得)?大{_LITTLE}?声{_LITTLE}?{_TELL}?|{_VOICE}(?:再)?(?:放|调|开)?大{_LITTLE}?|"
    f"{_VOICE}(?:太|有点|好|忒)小了?|(?:太|有点)小声了?|(?:调|放|开)大{_LITTLE}?{_VOICE}|"
    f"{_TELL}?响{_LITTLE}|高{_LITTLE}声)"
)
_SOFT = (
    f"(?:小{_LITTLE}?声{_LITTLE}?{_TELL}?|{_VOICE}(?:再)?(?:放|调)?小{_LITTLE}|"
    f"{_VOICE}(?:太|有点|忒)(?:大|响)了?|(?:太|有点)(?:大声|吵|响)了?|(?:轻|低){_LITTLE}(?:声|{_TELL})?)"
)
_AGAIN = (
    "(?:再?(?:说|讲|念|报|重复|复述|来|听|播|放)(?:一?[遍次回]|一下|下|一哈|说|讲)|重(?:复|新)?"
    "(?:说|讲|念|报|播|来)?(?:一?[遍次]|一下)?|从头(?:再)?(?:说|讲|来|念)(?:一?[遍次])?|"
    "没听(?:太)?(?:清楚?|见|到|着|明白)|听不(?:太)?(?:清楚?|见|到)|刚才?没听(?:清楚?|见|到)|"
    "(?:你)?(?:刚才?|刚刚|前面)?说(?:的)?(?:什么|啥)|再说说|再讲讲|在说一[遍次])"
)
_ON = (
    f"(?:(?:继续|接着|往下|接下去|接下来)(?:{_TELL}|来|讲下去|说下去|往下说)?|(?:说|讲)下去|{_TELL}吧|"
    "你(?:继续|接着|说)(?:说|讲)?|说完|把话说完)"
)
_MOMENT = "(?:一?(?:下|等|会儿?|哈|歇)|[等下着]|片刻|几秒钟?|一分钟|两分钟)"
_WAIT = (
    f"(?:(?:等|稍|稍等|等等|等我|等俺|先等){_MOMENT}|等等|稍等|慢着|且慢|打住|"
    "停(?:一?下|一?停|下来?|住)?|(?:先)?(?:别|不要|莫)(?:说|讲|念|报)(?:了|话)?|(?:先)?暂停)"
)
_BUSY = (
    "(?:我|俺)?(?:先)?(?:去)?(?:(?:找|拿|取)(?:一?下|个|支|张)?(?:纸和?笔|笔和?纸|纸|笔|本子|眼镜|老花镜|证|身份证|合同|单子|材料)|"
    "(?:接|听)(?:一?下|个)?(?:门|电话)|关(?:一?下)?(?:门|火|电视)|看(?:一?下|看)|记(?:一?下)|想(?:一?下|想)|"
    "问(?:一?下|问)(?:我)?(?:老伴|家里人?|儿子|女儿|老公|老婆|孩子)?|找(?:找|一?下|一找))"
)


@dataclass(frozen=True, slots=True)
class Steering:
    """``steps`` change how we speak; ``again``: from the start, the cut sentence or the place.

    ``start``: all of the last answer; ``sentence``: from the sentence in which we were cut off;
    ``place``: from the word. ``pause``: nothing is said now, the caller is waited for.
    """

    steps: tuple[Step, ...] = ()
    again: Literal["start", "sentence", "place"] = "start"
    pause: bool = False


_STEPS: tuple[tuple[Step, str], ...] = (
    ("slower", _SLOW),
    ("faster", _FAST),
    ("louder", _LOUD),
    ("softer", _SOFT),
)
_STEP = {
    step: re.compile(f"{_LEAD}{words}(?:{_CAN}|{_LEAD}|{words}|{_AGAIN})*")
    for step, words in _STEPS
}
_TWO = re.compile(
    f"{_LEAD}(?P<first>{_SLOW}|{_LOUD}){_LEAD}(?P<second>{_LOUD}|{_SLOW})(?:{_CAN}|{_AGAIN})*"
)
_ONCE_MORE = re.compile(f"{_LEAD}{_AGAIN}(?:{_CAN}|{_AGAIN}|{_LEAD})*")
_GO_ON = re.compile(f"(?:好的?|嗯|哦|行|没事|对|是|那|{_CAN})*{_ON}(?:{_CAN}|{_ON})*")
_SOFTLY = (
    "(?:你|您|请你?|麻烦你?|不好意思|对不起|好的?|行|嗯|哎|喂|那|那个|先|同志|师傅|姑娘|再|就|我)*"
)
_PAUSE = re.compile(
    f"{_SOFTLY}{_WAIT}(?:{_SOFTLY}{_WAIT})*(?:{_SOFTLY}{_BUSY})?(?:{_CAN}|哦|噢|喔|了)*"
    f"|{_SOFTLY}(?:等|让)(?:我|俺){_BUSY}(?:{_CAN}|哦|噢|喔|了)*"
)
_LONGEST = 24  # characters: what is longer tells something beside


def steering(text: str) -> Steering | None:
    """How ``text`` steers our speech, None where it says anything else."""
    said = for_matching(text)
    if not said or len(said) > _LONGEST:
        return None
    both = _TWO.fullmatch(said)
    if both:
        steps = [step for step in (_step(both["first"]), _step(both["second"])) if step]
        return Steering(tuple(dict.fromkeys(steps)), "sentence")
    step = _step(said)
    if step:
        return Steering((step,), "sentence")
    if _ONCE_MORE.fullmatch(said):
        return Steering()
    if _PAUSE.fullmatch(said):
        return Steering(pause=True)
    return Steering((), "place") if _GO_ON.fullmatch(said) else None


def _step(said: str) -> Step | None:
    return next((step for step, pattern in _STEP.items() if pattern.fullmatch(said)), None)
