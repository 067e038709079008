"""Written Chinese made ready for the ear: what a synthesiser would stumble over, in words."""

from __future__ import annotations

import re
from collections.abc import Callable

from language.counting import number_words, year_digits
from language.notations import NOTATIONS, Rule
from language.telephone import group_phone, spoken_digits

_N = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_TO = r"\s?(?:[-~～—–－]{1,2}|至|到)\s?"
_MEASURES = (
    "个|名|位|人|元|块|万|千|亿|年|天|周|小时|分钟|秒|次|份|张|套|种|件|项|家|户|条|间|"
    "平方米|平米|米|公里|公斤|吨|倍|类|步|本|岁|辆|部|处|寸|页|遍|趟|笔|台|所|斤|批|科目"
)


def _both(low: str, high: str, measure: bool) -> str:
    return f"{number_words(low, measure)}到{number_words(high, measure)}"


def _phone_words(match: re.Match[str]) -> str:
    return "，".join(spoken_digits(g) for g in group_phone(match.group()).split("-"))


def _money(match: re.Match[str]) -> str:
    return f"{number_words(match[1], measure=True)}元"


def _date(match: re.Match[str]) -> str:
    day = f"{number_words(str(int(match[3])))}日" if match[3] else ""
    return f"{year_digits(match[1])}年{number_words(str(int(match[2])))}月{day}"


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    spoken = "两点" if hour == 2 else f"{number_words(str(hour))}点"
    if minute == 0:
        return spoken
    if minute == 30:
        return f"{spoken}半"
    return spoken + ("零" if minute < 10 else "") + number_words(str(minute)) + "分"


def _percent(match: re.Match[str]) -> str:
    whole = "百" if match[3] == "%" else "千"
    high = f"到百分之{number_words(match[2])}" if match[2] else ""
    return f"{whole}分之{number_words(match[1])}" + high.replace("百", whole)


def _standard(match: re.Match[str]) -> str:
    year = f"，{year_digits(match[2])}年" if match[2] else ""
    return f"国标{spoken_digits(match[1].replace('.', '点'))}{year}"


def _letters_and_digits(match: re.Match[str]) -> str:
    return match[1] + spoken_digits(match[2])


def _quantity(match: re.Match[str]) -> str:
    return number_words(match[1], measure=match[2] is not None) + (match[2] or "")


def _r(pattern: str, to: str | Callable[[re.Match[str]], str]) -> Rule:
    return re.compile(pattern), to


_WIDE = {0xFF10 + i: str(i) for i in range(10)} | {
    ord(w): n for w, n in zip("％／－＋", "%/-+", strict=True)
}
_EVEN: tuple[Rule, ...] = (  # runs of blanks and commas would cost the later rules dear
    _r(r"[\r\n\u2028\u2029]\s*", "\n"),
    _r(r"[^\S\n]+", " "),
    _r(r"([，、；：:,;])[，、；：:,; ]+", r"\1"),
)
_ADDRESSES: tuple[Rule, ...] = (
    _r(r"(?:https?://|www\.)[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", "官方网站"),
    _r(
        r"(?<![A-Za-z0-9])[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,4}",
        "电子邮箱",
    ),
    _r(r"(?:官方网站|官网|网址|网站)[：:\s（(]{0,3}官方网站[）)]?", "官方网站"),
)
_MARKS: tuple[Rule, ...] = (
    _r(r"(?m)^\s*(?:-(?![0-9])|[*•·●◆■▪#>])+\s*", ""),
    _r(
        r"(?m)^\s*[（(]?([0-9]{1,2})(?:[)）]|[.．、](?![0-9]))\s*",
        lambda m: f"第{number_words(m[1])}，",
    ),
    _r(r"[（(]([0-9]{1,2})[)）]", lambda m: f"，第{number_words(m[1])}，"),
    _r(r"[（(]([一二三四五六七八九十]{1,3})[)）]", r"，第\1，"),
    _r(r"[①-⑳]", lambda m: f"，第{number_words(str(ord(m.group()) - 0x245F))}，"),
    _r(
        r"(?<=[。；;：:，,！!？?])\s*([0-9]{1,2})(?:[.．](?![0-9])|、)\s*",
        lambda m: f"第{number_words(m[1])}，",
    ),
    _r(r"[。；！？，：、]?\s*[\r\n]+\s*", "。"),
    _r(r"[〔\[【〈]\s*((?:19|20)[0-9]{2})\s*[〕\]】〉]", lambda m: f"{year_digits(m[1])}年"),
    _r(r"[*_`#|“”‘’\"「」『』《》〈〉]+", ""),
    _r(r"[【〔\[]\s*([^】〕\]\n]{0,80})[】〕\]]\s*", r"\1，"),
    _r(r"\s*[（(]\s*([^（）()\n]{0,120}?)\s*[）)]", r"，\1，"),
    _r(r"[（）()\[\]【】〔〕{}]+", "，"),
    _r(r"—{2,}|-{2,}|…+|\.{3,}|→|⇒", "，"),
)

_DIGITS: tuple[Rule, ...] = (
    _r(
        (
            r"GB\s?(?:/\s?T)?\s?([0-9]{3,5}(?:\.[0-9]{1,2})?)(?:[-—–]((?:19|20)"
            r"[0-9]{2}))?(?![0-9])"
        ),
        _standard,
    ),
    _r(r"(?<![0-9.,])(?:[¥￥]\s?)(" + _N + r")(?:\s?元)?", _money),
    _r(
        r"(?<![0-9.])(?:\+?86[-\s]?)?(1[3-9][0-9][-\s]?[0-9]{4}[-\s]?[0-9]{4})(?![0-9])",
        lambda m: "，".join(spoken_digits(g) for g in group_phone(m[1]).split("-")),
    ),
    _r(r"(?<![0-9.])0(?:10|2[0-9]|[3-9][0-9]{2})[-\s][0-9]{7,8}(?![0-9])", _phone_words),
    _r(r"(?<![0-9.])[48]00[-\s]?[0-9]{3}[-\s]?[0-9]{4}(?![0-9])", _phone_words),
    _r(
        r"(?<![0-9.,])(?:12[0-9]{3}|9[56][0-9]{3,4}|10010|10086|11[0-9]{3})"
        r"(?![0-9.,]*[0-9]|\s?(?:" + _MEASURES + r"|%|㎡|m|k))",
        lambda m: spoken_digits(m.group()),
    ),
    _r(
        r"(?<![0-9.,第])(?:11[0-9]|12[0-2])(?![0-9.,]*[0-9]|\s?(?:"
        + _MEASURES
        + r"|%|㎡|m|k|号|路|室|楼|日|月|多|余|平|栋))",
        lambda m: spoken_digits(m.group()),
    ),
    _r(
        (
            r"(?<![0-9])((?:19|20)[0-9]{2})\s?[-/.]\s?(0?[1-9]|1[0-2])\s?[-/.]\s?(0?[1-9]|"
            r"[12][0-9]|3[01])(?![0-9])"
        ),
        _date,
    ),
    _r(
        (
            r"(?<![0-9])((?:19|20)[0-9]{2})\s?年\s?(0?[1-9]|1[0-2])\s?月(?:\s?(0?[1-9]|"
            r"[12][0-9]|3[01])\s?日)?"
        ),
        _date,
    ),
    _r(
        r"(?<![0-9])((?:19|20)[0-9]{2})" + _TO + r"((?:19|20)[0-9]{2})(?=\s?年)",
        lambda m: f"{year_digits(m[1])}到{year_digits(m[2])}",
    ),
    _r(r"(?<![0-9.,])((?:19|20)[0-9]{2})\s?(?=年|届|版)", lambda m: year_digits(m[1])),
    _r(
        r"(?<![0-9:])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?::[0-5][0-9])?"
        + _TO
        + r"(?=[0-9]{1,2}[:：][0-5][0-9])",
        lambda m: _clock(m) + "到",
    ),
    _r(r"(?<![0-9:])([01]?[0-9]|2[0-4])[:：]([0-5][0-9])(?::[0-5][0-9])?(?![0-9])", _clock),
    _r(r"(?<![0-9.,])(" + _N + r")%?(?:" + _TO + "(" + _N + r"))?\s?([%‰])", _percent),
    _r(r"㎡|m²|m2(?![0-9A-Za-z])", "平方米"),
    _r(r"m³|m3(?![0-9A-Za-z])", "立方米"),
    _r(r"(?<=[0-9])\s?km(?![A-Za-z])", "公里"),
    _r(r"(?<=[0-9])\s?kg(?![A-Za-z])", "公斤"),
    _r(r"(?<=[0-9])\s?cm(?![A-Za-z])", "厘米"),
    _r(r"(?<=[0-9])\s?m(?![A-Za-z])", "米"),
    _r(r"(?<=[0-9])\s?(?:kWh|kwh|千瓦时)(?![A-Za-z])", "度"),
    _r(r"(?<=[0-9])\s?(?:°C|℃)", "摄氏度"),
    _r(r"(?<=[元次人度吨米])\s?/\s?(?=人|月|年|天|日|次|吨|度|平|立|户|小时|公里|米)", "每"),
    _r(
        r"([0-9]{1,4})-([0-9]{1,4})-([0-9]{1,4})(?![0-9-])",
        lambda m: f"{number_words(m[1])}杠{number_words(m[2])}杠{year_digits(m[3])}",
    ),
    _r(
        (
            r"(?<![0-9])([0-9]{3,4})(?=室|房间|房(?!屋|产|本|贷)|路(?:公交|车)?(?![0-9])"
            r")"
        ),
        lambda m: spoken_digits(m[1]),
    ),
    _r(r"([A-Za-z])[-—]?([0-9]{2,30})(?![0-9])", _letters_and_digits),
    _r(
        r"(?<![0-9.,])(" + _N + r")" + _TO + "(" + _N + r")(?=\s?(?:" + _MEASURES + "))",
        lambda m: _both(m[1], m[2], True),
    ),
    _r(
        r"(?<![0-9.,\-])(" + _N + r")" + _TO + "(" + _N + r")(?![0-9.\-])",
        lambda m: _both(m[1], m[2], False),
    ),
    _r(r"(?<![0-9.,])-(?=[0-9.]{1,6}\s?(?:摄氏)?度)", "零下"),
    _r(r"(?<![0-9.,])-(?=[0-9])", "负"),
    _r(
        r"(?<![0-9/.])([0-9]{1,3})/([0-9]{1,3})(?![0-9/.])",
        lambda m: f"{number_words(m[2])}分之{number_words(m[1])}",
    ),
    _r(r"(?<![0-9])[0-9]{9,}(?![0-9]|\.[0-9])", lambda m: "，".join(_fours(m.group()))),
    _r(r"第([0-9]{1,12})", lambda m: f"第{number_words(m[1])}"),
    _r(r"(" + _N + r")(?:\s?(" + _MEASURES + "))?", _quantity),
)

_SIGNS: tuple[Rule, ...] = (
    _r(r"\s*\+\s*", "加"),
    _r(r"\s*&\s*", "和"),
    _r(r"\s*=\s*", "等于"),
    _r(r"\s*[×✕]\s*", "乘"),
    _r(r"(?<=[\u4e00-\u9fff])\s*/\s*(?=[\u4e00-\u9fff])", "或"),
    _r(r"(?<=[\u4e00-\u9fff])\s*[~～–—-]+\s*(?=[\u4e00-\u9fff])", "到"),
    _r(r"[,;]", "，"),
    _r(r"[^\w\s，。！？；：、.!?:'-]+", ""),
    _r(r"(?<=[\u3001-\u9fff\uff01-\uff5e])\s+|\s+(?=[\u3001-\u9fff\uff01-\uff5e])", ""),
    _r(r"[，、；：:\s]*([。！？!?；])[，、；：。！？!?\s]*", r"\1"),
    _r(r"[，、：:\s]*，[，、；：:\s]*", "，"),
    _r(r"^[，、；：。！？\s]+|[，、；：:\s]+$", ""),
)


def speakable(text: str) -> str:
    """``text`` as it is to be spoken: no digit, address or mark that the ear cannot use.

    Telephone numbers go digit by digit in 3-4-4 with 幺 (12345 → 幺二三四五), years digit by
    digit, dates, times, money, percentages, ranges and quantities in words; web addresses become
    官方网站; list markers become 第一，…; brackets become pauses.
    """
    text = text.translate(_WIDE)
    for pattern, to in (*_EVEN, *_ADDRESSES, *NOTATIONS, *_MARKS, *_DIGITS, *_SIGNS):
        text = pattern.sub(to, text)
    return text.strip()


def _fours(digits: str) -> list[str]:
    """A long number to be read out, in groups of four from the left."""
    return [spoken_digits(digits[i : i + 4]) for i in range(0, len(digits), 4)]
