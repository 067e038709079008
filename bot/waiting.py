"""What who waits for a person is told, and what they may want instead. Pure."""

from __future__ import annotations

import re

from config.prompts import Prompts
from language.telephone import group_phone, spoken_phone
from turns.replies import Ask, Option, Say
from turns.standing import Standing

CALLBACK_KEY = "1"
ASKED_NUMBER = ".callback"
"""The end of the id of a question for the number to call back."""
ASKED_SURE = ".callback_sure"
"""The end of the id of a question whether the caller's own number will do."""
_MINUTE_S = 60.0

# Who would rather be called back, or waits no longer. 不用回电 and a question about a call that
# never came are neither.
_CALLBACK = re.compile(
    r"(?:给|帮|跟)我(?:再|们)?(?:回|打)(?:个|一个)?电?话?|(?:你们?|您)?(?:回头|稍后|晚点|等会儿?|一会儿?|"
    r"待会儿?)(?:再)?(?:回|打)(?:个|一个)?电?话?(?:给我)?|留(?:个|一个|下)?(?:我的)?(?:电话|号码|手机)|"
    r"(?:打|回)(?:个|一个)?电话(?:给|过来)|回个?电话?吧?$|^(?:稍后)?回电|"
    r"(?:我|就|那|先)?不(?:想|能|再)?(?:等|排)(?:了|下去|队)|(?:我)?等不(?:了|及|起)(?:了)?"
)
_NOT = re.compile(r"(?:不用|不要|不必|别|没有?人?|从来不)(?:再|给|人|你们|跟我|给我)*(?:回|打|留)")
_YES = re.compile(r"^(?:1|对|是|好|行|可以|嗯|没错|没问题|就这个|就打这个|正确|要的)")
_NO = re.compile(r"^(?:2|不对|不是|错|不行|换|别的|另外|不要这个)")


def wants_callback(text: str) -> bool:
    """Whether who waits would rather be called back: 回电吧, 不等了, 留个电话."""
    return bool(_CALLBACK.search(text)) and not _NOT.search(text)


def agrees(text: str) -> bool | None:
    """Yes or no to a question of ours (keys 1 and 2 too); None for neither."""
    words = text.strip("，。！？ #")
    if _NO.search(words):
        return False
    return True if _YES.search(words) else None


def wait_words(seconds: float) -> str:
    """A wait as people say it; never shorter than it is."""
    minutes = -(-seconds // _MINUTE_S)
    return "不到1分钟" if minutes <= 1 else f"{minutes:.0f}分钟左右"


def standing_words(prompts: Prompts, standing: Standing) -> str:
    """Where they stand, and how long it may take where that is known."""
    if not standing.waits:
        return prompts.waiting_taken
    if not standing.staffed:
        return prompts.waiting_busy if standing.attended else prompts.waiting_nobody
    if standing.position <= 1:
        return prompts.waiting_first
    ahead = str(standing.position - 1)
    if standing.estimate_s is None:
        return prompts.fill("waiting_place", ahead=ahead)
    wait = wait_words(standing.estimate_s)
    return prompts.fill("waiting_place_wait", ahead=ahead, wait=wait)


def standing_told(prompts: Prompts, standing: Standing, *, voice: bool) -> str:
    """Where they stand, and what they may do meanwhile."""
    text = standing_words(prompts, standing)
    if not standing.waits:
        return text
    return text + (prompts.waiting_choice_call if voice else prompts.waiting_choice_chat)


def ask_number(prompts: Prompts, turn: str, *, again: bool = False) -> Ask:
    """For the number to call back."""
    text = prompts.callback_again if again else prompts.callback_number
    return Ask(f"{turn}{ASKED_NUMBER}", text, expects="digits")


def ask_sure(prompts: Prompts, turn: str, number: str) -> Ask:
    """Whether the number they call from will do, read back in groups."""
    return Ask(
        f"{turn}{ASKED_SURE}",
        prompts.fill("callback_sure", number=group_phone(number)),
        (Option("可以", "可以"), Option("换个号码", "换个号码")),
        expects="yes_no",
        speech=prompts.fill("callback_sure", number=spoken_phone(number)),
    )


def callback_told(prompts: Prompts, turn: str, number: str) -> Say:
    """That they will be called back, on which number."""
    return Say(
        f"{turn}.callback_told",
        prompts.fill("callback_told", number=group_phone(number)),
        speech=prompts.fill("callback_told", number=spoken_phone(number)),
        interruptible=False,
    )
