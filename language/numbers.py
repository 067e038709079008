"""What citizens say in numbers: telephone and identity numbers, money, how many people.

Rasa's old environment may load this module: standard library only.
"""

from __future__ import annotations

import re
from decimal import Decimal

from language.corrections import corrected
from language.normal import clean
from language.numerals import NUMERAL, value
from language.telephone import group_phone, id_number, phone, spoken_digits, spoken_phone

__all__ = [
    "amount", "group_phone", "id_number", "people", "phone", "spoken_digits", "spoken_phone",
]  # fmt: skip

_ESTIMATE = "多几来余"
_BEFORE_MONEY = r"(?<![第号楼])"
_YUAN = r"(?:块钱|块|元钱|元整|元|圆|人民币)"
_MONEY = re.compile(
    rf"(?:[¥￥]\s*(?P<sign>{NUMERAL}))|"
    rf"{_BEFORE_MONEY}(?P<yuan>{NUMERAL})(?P<more>[{_ESTIMATE}]{{0,2}}){_YUAN}(?!地|儿地)"
    rf"(?:(?P<half>半)|零?(?P<jiao>[一二两三四五六七八九0-9])(?:[毛角](?:(?P<fen>[一二两三四五六七八九0-9])分?)?)?"
    rf"(?!(?!一(?:度|斤|个|张|份|瓶|次|吨|方|公斤|小时|天|平|盒|袋|"
    rf"条))[一二三四五六七八九十百千万0-9个点月号天年]))?|"
    rf"(?P<mao>[一二两三四五六七八九0-9])[毛角](?P<cent>[一二两三四五六七八九0-9])?(?:分|钱|$|(?=[，。,]))"
)
_BARE = re.compile(
    rf"(?<![好几数第])(?P<bare>{NUMERAL})(?![几来余]|多[个人天年月]|[0-9点]|个|人|名|位|口|户|"
    rf"平|米|天|年|月|日|号|辆|次|斤|吨|度|公里|里|栋|"
    r"字|张|件|家|岁|分|小时|亩|条|套|层|楼|元|块)"
)
_MONEY_CUES = re.compile(
    r"钱|工资|薪|欠|差|扣|押金|定金|罚|收|要[了我他]|赔|款|费|花了|交|退|一共|总共|合计|价|买|卖|租|骗|"
    r"充|贷|补贴|补助|低保|低 ?保|借|办.{0,10}卡|检查|看病|转了|该给|给了|偿|值|修了"
)
# The sum in dispute goes before what something cost: 充了一千，剩下七百不退.
_OWED_BEFORE = re.compile(
    r"(?:欠了?|欠着|差了?|少发|少给|少了|多收|多扣|多要|扣了?|克扣|骗了?|骗走|剩下?|还差|没给|"
    r"没还|没发|余额|赔|涨到|涨成)"
    r"(?:我|我们|了|俺|咱|他|大家|工友|工人|老人|的|还有|"
    r"还)*[^，。0-9零一二两三四五六七八九十百千万]{0,6}$"
)
_OWED_AFTER = re.compile(
    r"(?:块钱|块|元|钱)?(?:的)?(?:押金|定金|工资|钱|余额)?(?:现在|也|都|一分|就是|就)*(?:不退|没退|不给退|没给|不给|不还|没还|要不回来|退不了)"
)
_TOTAL = re.compile(
    r"(?:一共|总共|共计|合计|加起来|总计|加一块儿?|拢共|统共)"
    r"(?:是|有|欠了?我?们?|要)?[^，。0-9]{0,6}$"
)

_PEOPLE = re.compile(
    rf"(?<![第几好])(?P<n>{NUMERAL})(?:多|几|来|余)?(?P<word>个?(?:人(?![民工次才气家行事品]|个)|人(?=工资|工钱)|家长|"
    rf"工人|工友|农民工|民工|同事|员工|业主|老乡|兄弟|姐妹|同学|学生|老人|孩子|师傅|乘客|"
    rf"伙计)|名|位|口人|口子|口(?=$|[，。人]))"
)
_SMALL_WORDS = {"俩": 2, "仨": 3}
_WE = re.compile(r"(?:我们|咱们|他们|她们|你们|夫妻|两口子|姐妹|兄弟|哥)(俩|仨)")
_BEHIND = re.compile(
    rf"(?:工友|工人|家长|业主|老人|同学|学生|同事|员工|受害者|受骗的|被欠的|住户|村民|人数|"
    rf"人)(?:们)?"
    rf"(?:一共|总共|大概|大约|差不多|也?有|得有|是)*(?P<n>{NUMERAL})(?:多|来)?(?:个|户|名|"
    rf"位)(?=$|[，。,.了呢吧])"
)
_ALTOGETHER = re.compile(rf"(?:一共|总共|加起来|共)(?:是|有)?(?P<n>{NUMERAL})个(?:$|[，。,.])")
_PRICED = re.compile("[^百千万].*[百千万].*")
_TWO_DIGITS = re.compile("[一二两三四五六七八九]{2,}")
_TWO_VALUES = re.compile("(?P<low>[一二两三四五六七八九])[二两三四五六七八九](?P<unit>[十百千万]+)")
_ONLY = re.compile(
    rf"(?:[嗯呃额]|大概|差不多|大约|就|一共|总共|有|是|应该是|得)*(?P<n>{NUMERAL})(?:左右|吧|"
    rf"钱|这样|的样子|[了啊呀。，.])*"
)
_MOST_PEOPLE = 10**6


def amount(text: str) -> Decimal | None:
    """The sum of money in yuan that ``text`` speaks of: 一万三千块钱 = 13000, 三块五 = 3.5.

    Of several, the one called the total (一共…), else the first; what follows a correction
    (不对，是…) counts before what it corrects. Of an estimate the lower end (三千多块, 三四千块 =
    3000); 几万块 and 好几千 are none. A rate (一个月五千，欠了三个月) stays as it was told.
    """
    earlier, later = corrected(clean(text))
    found = _amount(later)
    bare = re.match(rf"(?:应该)?是?(?P<n>{NUMERAL})", later)
    if found is None and bare and earlier and _amount(earlier) is not None:
        mended = _least(bare["n"])  # 给了3500，不对，是3600，他人不见了
        follows = later[bare.end() : bare.end() + 1]
        found = mended if mended and mended >= 100 and follows in ("", "，", ",", "。") else None
    return _amount(earlier) if found is None and earlier else found


_NO_SUM = re.compile("(?:退一|假一|缺一)[赔罚][一二两三四五六七八九十百]+")
_NOT_A_CENT = re.compile("(?<=[百千万])一分(?=钱|[不没也都]|未)")  # 押金两千一分不退


def _amount(text: str) -> Decimal | None:
    text = _NOT_A_CENT.sub("块，一分", _NO_SUM.sub("赔偿", text))
    sums = [(m.start(), yuan) for m in _MONEY.finditer(text) if (yuan := _yuan(m)) is not None]
    if _MONEY_CUES.search(text):
        taken = [m.span() for m in _MONEY.finditer(text)]
        sums += [
            (m.start(), yuan)
            for m in _BARE.finditer(text)
            if not any(a <= m.start() < b for a, b in taken)
            and (yuan := _bare(m["bare"]) or _paid(text, m)) is not None
        ]
    sums.sort()
    if not sums and (only := _ONLY.fullmatch(text)) and len(only["n"]) < 10:
        return _count(only["n"])
    totals = [yuan for at, yuan in sums if _TOTAL.search(text[max(0, at - 12) : at])]
    owed = [yuan for at, yuan in sums if _owed(text, at)]
    return next(iter([*totals, *owed, *(yuan for _, yuan in sums)]), None)


def _owed(text: str, at: int) -> bool:
    """Whether the sum at ``at`` is what is owed or kept: 欠我三千, 五百不退."""
    number = re.compile(NUMERAL).match(text, at)
    behind = number.end() if number else at
    return bool(_OWED_BEFORE.search(text[max(0, at - 12) : at]) or _OWED_AFTER.match(text, behind))


def _yuan(match: re.Match[str]) -> Decimal | None:
    if match["sign"]:
        return value(match["sign"])
    if match["mao"]:
        return _digit(match["mao"]) / 10 + _digit(match["cent"]) / 100
    said = match["yuan"]
    if said == "一" and not match["half"] and not match["jiao"] and "钱" not in match.group():
        return None  # 塌了一块
    before = match.string[max(0, match.start() - 1) : match.start()]
    whole = None if before and before in "好几数" else _least(said)
    if whole is None or match["more"] == "几":
        return None
    part = Decimal("0.5") if match["half"] else _digit(match["jiao"]) / 10
    return whole + part + _digit(match["fen"]) / 100


_PAYING = re.compile(r"(?:要|收|花|罚|赔|付|扣|退|交|充|卖|掏|给|转)(?:了|我|们|他|俺|人家)*$")


def _paid(text: str, match: re.Match[str]) -> Decimal | None:
    """A small sum by the verb before it: 要我九十八."""
    alone = text[match.end() : match.end() + 1] in ("", "，", "。", ",", "！", "到")
    paid = alone and _PAYING.search(text[: match.start()])
    kept = _KEPT_BACK.search(text[: match.start()]) and _OWED_AFTER.match(text, match.end())
    return _count(match["bare"]) if paid or kept else None


_KEPT_BACK = re.compile(
    "(?:押金|定金|订金|保证金|预付款|余额|工资|会费|卡里)(?:还有|还剩|剩|是|有)*$"
)


def _count(numeral: str) -> Decimal | None:
    """A number that counts something; 两三 is an estimate."""
    return None if _TWO_DIGITS.fullmatch(numeral) else value(numeral)


def _least(numeral: str) -> Decimal | None:
    """A number, or the lower end of an estimate: 三四千 = 3000, 二三十万 = 200000."""
    estimate = _TWO_VALUES.fullmatch(numeral)
    if estimate is None:
        return _count(numeral)
    return value(estimate["low"] + estimate["unit"])


def _digit(char: str | None) -> Decimal:
    return (value(char) if char else None) or Decimal(0)


def _bare(numeral: str) -> Decimal | None:
    """A sum said without 块: only with a unit that prices have (一万三, 八千, 5万)."""
    return _least(numeral) if _PRICED.fullmatch(numeral) else None


def people(text: str) -> int | None:
    """How many people ``text`` speaks of: 三个人 = 3, 我们俩 = 2, 三十多个人 = 30 (at least); None
    for 十几个人, 第三个人.
    """
    earlier, later = corrected(clean(text))
    found = _people(later)
    return _people(earlier) if found is None and earlier else found


def _people(text: str) -> int | None:
    pair = _WE.search(text)
    if pair:
        return _SMALL_WORDS[pair[1]]
    counts = [m for m in _PEOPLE.finditer(text) if m.group()[len(m["n"])] != "几"]
    first = [m for m in (_BEHIND.search(text), _ALTOGETHER.search(text)) if m]
    for match in (*first, *counts):
        count = _least(match["n"])
        rate = match["n"] == "一" and first == []  # 一人交了六千, 有一个人
        if rate and "个人" not in match.group():
            continue
        if count is not None and 0 < count <= _MOST_PEOPLE and count == int(count):
            return int(count)
    return None
