"""The grammar of spoken time: patterns for days, hours and spans, and what each stands for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from language.clock import Span
from language.holidays import holiday, lunar_day
from language.numerals import value

_N = "[0-9零一二两三四五六七八九十]{1,3}"
_YEAR = "(?:19|20)[0-9]{2}|[一二][零〇九][零〇一二三四五六七八九]{2}|二[0-9]{3}"
_HOLIDAYS = (
    "国庆节?|十一(?=期间|假期|长假|放假|黄金周|那几天)|"
    "(?<![0-9零一二三四五六七八九十块点幺])五一(?![0-9零一二三四五六七八九十幺])|劳动节|春节|过年|"
    "元旦|中秋节?|端午节?|清明节?|除夕|年三十|元宵节?|正月十五|大年初一"
)
_UNITS = {
    "年": 365,
    "个月": 30,
    "月": 30,
    "个星期": 7,
    "个礼拜": 7,
    "星期": 7,
    "礼拜": 7,
    "周": 7,
    "个周": 7,
    "个多月": 30,
    "个多星期": 7,
    "个多礼拜": 7,
    "拉月": 30,
    "天": 1,
    "日": 1,
}
_SHORT = {"个小时": 3600, "小时": 3600, "个钟头": 3600, "个多小时": 3600, "钟头": 3600, "分钟": 60}
_UNIT_WORDS = "|".join(sorted({**_UNITS, **_SHORT}, key=len, reverse=True))

DAY = re.compile(
    rf"(?P<day>大前天|大前儿个?|前天|前日|前儿个?|前(?=晚(?!上?饭))|昨天|昨儿个?|昨日|昨(?=晚|"
    rf"夜)|今天|"
    rf"今儿个?|今日|当天|今(?=早|晚|晨)|明天|明儿|后天|大后天)|"
    rf"(?P<rel>上上|上|这|本|下)?(?:个)?(?:周|星期|礼拜)(?P<week>[一二三四五六日天末])|"
    rf"(?P<wrel>上上|上|这|本|下)(?:个)?(?:周|星期|礼拜)|"
    rf"(?P<iso>(?:19|20)[0-9]{{2}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}})|"
    rf"(?P<mrel>上上|上|这|本|下)(?:个)?月(?:份)?(?:(?P<mday>{_N})[号日]|"
    rf"(?P<mpart>初|底|末|中旬|上旬|下旬))?|"
    rf"(?<![0-9])(?:(?P<year>{_YEAR})年|(?P<yrel>去年|前年|今年|"
    rf"明年))?(?:的)?(?P<month>{_N})月(?:份)?"
    rf"(?:(?P<date>{_N})(?:[号日](?!楼|院|线|路)|(?![0-9一二三四五六七八九十个点])"
    rf")|(?P<part>初|底|末|中旬|上旬|下旬))?|"
    rf"(?:(?P<hyear>{_YEAR})年|(?P<hrel>去年|前年|今年))?(?:的)?(?P<holiday>{_HOLIDAYS})"
    rf"(?:期间|假期|长假|放假|那天|当天|前后|那几天|那会儿|的时候)?|"
    rf"(?P<lunar>(?<!月)(?<!大年)初(?:[四五六七八九十](?![学年班级生])|[一二三](?=那天|早|晚|"
    rf"上午|下午|中午|夜|半夜|就|开始|停)))|"
    rf"(?P<sonly>(?:夏|冬|秋|春)天|入[冬夏]|开春|暑假|寒假)(?!里?的|天|花)|"
    rf"(?P<yonly>去年|前年|今年)(?:的)?(?P<season>春天|夏天|秋天|冬天|"
    rf"年初|年底|初|底|上半年|下半年|冬季|夏季)?|(?:(?P<ynum>{_YEAR})年)"
    rf"|"
    rf"(?<![第月0-9零一二三四五六七八九十])(?P<num>{_N})号(?!楼|院|线|门|"
    rf"店|馆|公|桌|窗|码|房|栋|库|地|井|厅|机|路|单元|车|文|令|工|床|仓|"
    rf"幢|小区|商铺|铺|检|大街|那个|家|段|桥|柜|台|信|岗|卡|"
    rf"出口|入口|出站口|进站口|摊|档口|宿舍|病房|病区|别墅|航站)"
)
LENGTH = re.compile(
    rf"(?P<whole>[一两二三四五六七八九十])个半(?P<wunit>月|小时|钟头|星期)"
    rf"|(?P<half>半)(?:个|拉)?(?:多)?(?P<hunit>年|月|小时|钟头|天)|(?P<n>{_N}|俩|仨)来?"
    rf"(?:多)?(?P<unit>{_UNIT_WORDS})(?P<tail>半)?(?:多)?"
)


_ESTIMATE = re.compile("[一二两三四五六七八九]{2}")  # 三四天: at least three


def midnight(at: datetime) -> datetime:
    """The beginning of ``at``'s day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def length(match: re.Match[str]) -> timedelta | None:
    """How long ``LENGTH`` says: 半个月 is 15 days, 两个月 60, 一年半 547."""
    if match["whole"]:
        hours = {"月": 30 * 24, "星期": 7 * 24}.get(match["wunit"], 1)
        return timedelta(hours=(float(value(match["whole"]) or 0) + 0.5) * hours)
    if match["half"]:
        return {
            "年": timedelta(days=182), "月": timedelta(days=15), "天": timedelta(hours=12),
        }.get(match["hunit"], timedelta(minutes=30))  # fmt: skip
    said = match["n"][:1] if _ESTIMATE.fullmatch(match["n"]) else match["n"]
    number = value({"俩": "两", "仨": "三"}.get(said, said))
    if number is None:
        return None
    count = float(number) + (0.5 if match["tail"] else 0)
    unit = match["unit"]
    if unit in _SHORT:
        return timedelta(seconds=count * _SHORT[unit])
    return timedelta(days=count * _UNITS[unit])


def day_span(match: re.Match[str], now: datetime) -> Span | None:
    """The days that a ``DAY`` match names, seen from ``now``; None when there is no such day."""
    try:
        return _day_span(match, now)
    except (ValueError, OverflowError):  # the 30th of February, the year 0
        return None


_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "明": 1, "后": 2, "大后": 3}
_STEPS = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, None: 0}
_YEARS = {"去年": -1, "前年": -2, "今年": 0, "明年": 1, None: 0}
_SEASONS = {
    "春": (3, 3), "夏": (6, 3), "秋": (9, 3), "冬": (11, 4), "年初": (1, 2),
    "初": (1, 2), "年底": (11, 2),
    "底": (11, 2), "上半年": (1, 6), "下半年": (7, 6),
}  # fmt: skip


def _day_span(m: re.Match[str], now: datetime) -> Span | None:
    today = midnight(now)
    if m["day"]:
        name = re.sub("[天儿个日晚]", "", m["day"])
        return _days(today + timedelta(days=_DAYS[name]))
    if m["week"] or m["wrel"]:
        return _week(m, today)
    if m["iso"]:
        year, month, day = map(int, re.split("[-/.]", m["iso"]))
        return _days(today.replace(year=year, month=month, day=day))
    if m["mrel"]:
        first = _add_months(today.replace(day=1), _STEPS[m["mrel"]])
        return _in_month(first, m["mday"], m["mpart"])
    if m["month"]:
        return _month(m, today)
    if m["holiday"]:
        return _holiday(m, today)
    if m["lunar"]:
        return _lunar(m["lunar"], today)
    if m["sonly"]:
        return _season(m["sonly"], today)
    if m["num"]:
        return _nearest_date(today, _int(m["num"]))
    return _year(m, today)


def _days(start: datetime, count: int = 1) -> Span:
    return Span(start, start + timedelta(days=count))


def _week(m: re.Match[str], today: datetime) -> Span:
    monday = today - timedelta(days=today.weekday())
    step = timedelta(weeks=_STEPS[m["rel"] or m["wrel"]])
    if not m["week"]:
        return _days(monday + step, 7)
    if m["week"] == "末":
        saturday = monday + step + timedelta(days=5)
        return _days(
            saturday if m["rel"] or saturday <= today else saturday - timedelta(weeks=1), 2
        )
    index = 6 if m["week"] in "日天" else "一二三四五六".index(m["week"])
    day = monday + step + timedelta(days=index)
    # A bare 周三 in a complaint is the last one that was.
    return _days(day if m["rel"] or day <= today else day - timedelta(weeks=1))


def _month(m: re.Match[str], today: datetime) -> Span | None:
    month = _int(m["month"])
    if not 1 <= month <= 12:
        return None
    year = _year_of(m["year"], m["yrel"], today)
    first = today.replace(year=year, month=month, day=1)
    far_ahead = first - today > timedelta(days=31)
    if not m["year"] and not m["yrel"] and far_ahead:
        first = first.replace(year=year - 1)
    return _in_month(first, m["date"], m["part"])


def _holiday(m: re.Match[str], today: datetime) -> Span | None:
    year = _year_of(m["hyear"], m["hrel"], today)
    found = holiday(m["holiday"], year)
    if (
        found
        and not m["hyear"]
        and not m["hrel"]
        and found[0] > (today + timedelta(days=31)).date()
    ):
        found = holiday(m["holiday"], year - 1)
    if not found:
        return None
    first, days = found
    return _days(today.replace(year=first.year, month=first.month, day=first.day), days)


def _year(m: re.Match[str], today: datetime) -> Span:
    year = _year_of(m["ynum"], m["yonly"], today)
    season = m["season"]
    start, months = _SEASONS.get(season or "", (1, 12))
    if season and season[0] in "春夏秋冬":
        start, months = _SEASONS[season[0]]
    first = today.replace(year=year, month=start, day=1)
    return Span(first, _add_months(first, months))


def _lunar(said: str, today: datetime) -> Span | None:
    day = lunar_day(said, today.date())
    return (
        None if day is None else _days(today.replace(year=day.year, month=day.month, day=day.day))
    )


_STARTS = {"夏": (6, 3), "冬": (11, 4), "秋": (9, 3), "春": (3, 3), "暑": (7, 2), "寒": (1, 2)}


def _season(said: str, today: datetime) -> Span:
    """The last summer that began; 入冬 and 开春 are their first month."""
    month, months = _STARTS[next(char for char in said if char in _STARTS)]
    first = today.replace(month=month, day=1)
    if first > today:
        first = first.replace(year=first.year - 1)
    return Span(first, _add_months(first, 1 if said[0] in "入开" else months))


def _in_month(first: datetime, day: str | None, part: str | None) -> Span:
    after = _add_months(first, 1)
    if day:
        return _days(first.replace(day=_int(day)))
    thirds = {"初": (0, 7), "上旬": (0, 10), "中旬": (10, 10)}
    if part in thirds:
        offset, count = thirds[part]
        return _days(first + timedelta(days=offset), count)
    if part:  # 底, 末, 下旬
        return Span(first + timedelta(days=20), after)
    return Span(first, after)


def _nearest_date(today: datetime, day: int) -> Span:
    this = today.replace(day=day)
    return _days(this if this <= today else _add_months(today.replace(day=1), -1).replace(day=day))


def _year_of(spoken: str | None, relative: str | None, today: datetime) -> int:
    if spoken:
        return _int(spoken)
    return today.year + _YEARS[relative]


def _add_months(first: datetime, months: int) -> datetime:
    index = first.year * 12 + first.month - 1 + months
    return first.replace(year=index // 12, month=index % 12 + 1)


def _int(text: str) -> int:
    number = value(text)
    if number is None:
        raise ValueError(text)
    return int(number)
