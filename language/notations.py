"""Ways of writing that mean more than their digits: 12345-2, （0475）8212345, 9-2号, 1:2, 5·1.

Applied before `language.speakable` turns numbers into words: what a rule leaves in digits is read
as a number there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from language.counting import number_words, year_digits
from language.telephone import group_phone, spoken_digits

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]
_DASH = "[-~～—–－]"
_YEAR = "(?:19|20)[0-9]{2}"
_ROAD = "[路街巷道里弄村屯组]|胡同|大道"
_COUNTED = "个|天|年|周|月|日|元|人|次|名|份|张|岁|户|家|项|小时|分钟"
_UNITS = {
    "kwh": "度", "kw": "千瓦", "mbps": "兆", "mb": "兆", "m": "兆", "ml": "毫升", "mg": "毫克",
    "mm": "毫米", "g": "克", "l": "升", "v": "伏", "w": "瓦", "h": "小时", "min": "分钟",
    "usd": "美元", "rmb": "元", "cny": "元",
}  # fmt: skip
_CASED = "Mbps|MB|M|V|W|L|kW|KW|kw"  # in small letters these mean something else, or nothing
_PLAIN = "[mM][lLgGmM]|g|h|min|USD|RMB|CNY"


def _area_code(match: re.Match[str]) -> str:
    return "，".join(spoken_digits(part) for part in group_phone(match[1] + match[2]).split("-"))


def _identity(match: re.Match[str]) -> str:
    """An identity number as people say it: place, date of birth, the last four."""
    return "，".join(spoken_digits(part.upper()) for part in match.groups())


def _code(match: re.Match[str]) -> str:
    return "，".join(spoken_digits(part) for part in re.split("-", match[0]))


def _house(match: re.Match[str]) -> str:
    """9-2号 behind a road, or falling, is house 9, entrance 2; 3-5号 are days or a range."""
    road, first, second = match[1], match[2], match[3]
    if road or int(first) > int(second):
        return f"{road}{number_words(first)}杠{number_words(second)}号"
    return match[0]


def _sum(match: re.Match[str]) -> str:
    """3,000.50元 as 三千元五角; below one 元 the point stays (0.52元 a 度)."""
    whole, jiao, fen = match[1], match[2], match[3]
    small = (f"{number_words(jiao)}角" if jiao != "0" else "零" if fen != "0" else "") + (
        f"{number_words(fen)}分" if fen != "0" else ""
    )
    return f"{number_words(whole, measure=True)}元{small}"


def _years(match: re.Match[str]) -> str:
    if int(match[2]) != int(match[1]) + 1:
        return match[0]
    return f"{year_digits(match[1])}到{year_digits(match[2])}"


def _estimate(match: re.Match[str]) -> str:
    low = "两" if match[1] == "2" else number_words(match[1])
    return f"{low}{number_words(match[2])}"


def _unit(match: re.Match[str]) -> str:
    return match[1] + _UNITS[match[2].lower()]


def _r(pattern: str, to: str | Callable[[re.Match[str]], str]) -> Rule:
    return re.compile(pattern), to


NOTATIONS: tuple[Rule, ...] = (
    # keys of the telephone
    _r(r"(?<=按)\s?[*＊✱](?:号)?键?|[*＊✱]号?键", "星号键"),
    _r(r"(?<=按)\s?#(?:号)?键?|#号?键", "井号键"),
    _r(r"(?<=[0-9])\s?#\s?(?=楼|栋|座|单元)", "号"),
    _r(r"(?<=[0-9])\s?[*＊xX]\s?(?=[0-9])", "×"),
    # telephone numbers
    _r(r"[（(](0(?:10|2[0-9]|[3-9][0-9]{2}))[)）]\s?([0-9]{7,8})(?![0-9])", _area_code),
    _r(
        r"(?<![0-9.,])(12[0-9]{3}|9[56][0-9]{3})\s?[-转]\s?([0-9])(?![0-9])",
        lambda m: f"{spoken_digits(m[1])}转{spoken_digits(m[2])}",
    ),
    _r(
        r"(?<![0-9-])(0[0-9]{2,3})[-\s]([0-9]{3,4})[-\s]([0-9]{3,4})(?![0-9-])",
        lambda m: "，".join(spoken_digits(part) for part in m.groups()),
    ),
    _r(
        r"(?<![0-9-])(0[0-9]{2,3})-(1[0-9]{4}|9[0-9]{4})(?![0-9-])",
        lambda m: "，".join(spoken_digits(part) for part in m.groups()),
    ),
    # what is read digit by digit
    _r(
        r"(?<![0-9A-Za-z])([1-9][0-9]{5})((?:19|20)[0-9]{6})([0-9]{3}[0-9Xx])(?![0-9A-Za-z])",
        _identity,
    ),
    _r(
        r"((?:尾号|末[四三]位|后[四三六]位|验证码|密码|卡号|账号|代码|邮编|邮政编码|编码)[为是：:\s]{0,3})"
        r"([0-9]{3,8})(?![0-9.])",
        lambda m: m[1] + spoken_digits(m[2]),
    ),
    _r(r"(?<![0-9A-Za-z])[A-Z]{1,6}(?:-[0-9]{1,8}){2,4}(?![0-9A-Za-z-])", _code),
    _r(
        r"([栋座幢]|号楼|单元)\s?([0-9]{3,4})(?![0-9.,]|[年元平])",
        lambda m: m[1] + spoken_digits(m[2]),
    ),
    _r(
        r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){2,3}(?![0-9.]|元)",
        lambda m: spoken_digits(m[0].replace(".", "点")),
    ),
    _r(
        r"(?<![0-9.])([0-9]{1,2})·([0-9]{1,2})(?![0-9·])",
        lambda m: (
            year_digits(m[0].replace("·", ""))
            if m[0] == "5·1"
            else spoken_digits(m[0].replace("·", ""))
        ),
    ),
    # years
    _r(rf"(?<![0-9.])({_YEAR})\s?{_DASH}\s?({_YEAR})(?![0-9.])", _years),
    _r(
        rf"(?<![0-9.,])({_YEAR})(?=春节|元旦|国庆|清明|中秋|款|级|[春夏秋冬]季|新版|供暖|采暖)",
        lambda m: year_digits(m[1]),
    ),
    _r(
        r"(?<![0-9])([89][0-9])年(?=出生|生[人的]|建|入学|毕业|参加)",
        lambda m: f"{year_digits(m[1])}年",
    ),
    _r(rf"(?<![0-9.,])({_YEAR})\.(0[1-9]|1[0-2])(?![0-9.元万%])", r"\1年\2月"),
    # sums, shares, bounds
    _r(r"(?<![0-9.,])([1-9][0-9]{0,2}) ([0-9]{3})(?=\s?[元万人户])", r"\1\2"),
    _r(r"(?<![0-9.,])([1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,11})\.([0-9])([0-9])元", _sum),
    _r(
        r"[¥￥]\s?([1-9][0-9]{0,2}(?:,[0-9]{3})+|[1-9][0-9]{0,11})\.([0-9])([0-9])(?![0-9万亿])元?",
        _sum,
    ),
    _r(r"\$\s?([0-9][0-9,.]{0,15})(?![0-9])", r"\1美元"),
    _r(r"(?<![0-9:：.])([0-9]{1,3})\s?[:：]\s?([0-9])(?![0-9:：.])", r"\1比\2"),
    _r(r"≥\s?(?=[0-9])", "不低于"),
    _r(r"≤\s?(?=[0-9])", "不超过"),
    _r(r">\s?(?=[0-9])", "大于"),
    _r(r"<\s?(?=[0-9])", "小于"),
    _r(r"±\s?(?=[0-9])", "正负"),
    _r(r"(?<=[0-9])\.0(?![0-9]|\s?(?:元|万|亿|%|米|倍|平))", "点零"),
    # ranges and estimates
    _r(rf"(?<=[年月日号点时分天周岁元万千百度级楼层%])\s?{_DASH}\s?(?=[0-9])", "到"),
    _r(rf"({_ROAD}|^)([0-9]{{1,4}})-([0-9]{{1,3}})号", _house),
    _r(r"()(?<![0-9.,第月-])([0-9]{1,4})-([0-9]{1,3})号", _house),
    _r(rf"(?<![0-9第.,、])([1-9])、([1-9])(?=(?:{_COUNTED})(?!、))", _estimate),
    # units, clock, lists
    _r(r"(?<=元)\s?/\s?(?:kWh|kwh|KWh|度)(?![A-Za-z])", "每度"),
    _r(
        rf"(?<![0-9A-Za-z.])([0-9]{{1,9}}(?:\.[0-9]{{1,6}})?)\s?({_CASED}|{_PLAIN})(?![A-Za-z0-9²³])",
        _unit,
    ),
    _r("㎥", "立方米"),
    _r(r"(?<![0-9.第])2(?=点(?!零|[0-9])(?:半|钟|整|前|后|到|至|，|。|$|[^\d]))", "两"),
    _r(r"(?<=[\u4e00-\u9fff）)])\s+([0-9]{1,2})[.．、](?![0-9])", r"。\1."),
    _r(r"(?<=[\u4e00-\u9fff）)])\s+(?=[二三四五六七八九十]{1,2}、)", "。"),
    _r("和/或", "和或者"),
    _r(r"第[（(]([一二三四五六七八九十0-9]{1,3})[)）](?=[项目款条])", r"第\1"),
    _r(
        r"(?<=[\u4e00-\u9fff])[（(]([\u4e00-\u9fff])[)）](?=[\u4e00-\u9fff])(?<!(?:[一二三四五六七八九十])[)）])",
        r"\1",
    ),
)
"""In the order in which they are applied."""
