"""Who the matter is for, and what the caller is called."""

from __future__ import annotations

import re

from language.corrections import corrected
from language.normal import clean

_MY = (
    "(?:我家|我们家|我的|我们|我|俺家|俺|咱家|咱|家里的?|家中|家里有个?|"
    "帮|替|给|代)(?:[一二两三大小老]|个|位|那|这|个)?"
)
_NOT_FOR = "(?!打了?我|和我|跟我|都说|告诉|让我打)"
_FOR: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "agent",
        re.compile(
            "代办|代领|代缴|代理人|(?:帮|替|代)(?:别人|人家|朋友|同事|邻居|客户|"
            "亲戚|他|她)|受(?:人)?委托"
        ),
    ),
    (
        "parents",
        re.compile(
            f"{_MY}(?:爸妈|父母|爸爸|妈妈|爸|妈|父亲|母亲|老爸|老妈|爹|娘(?!家)"
            f"|老人|老父亲|老母亲|双亲|岳父|岳母|公公|婆婆|丈母娘|老丈人){_NOT_FOR}"
        ),
    ),
    ("grandparents", re.compile(f"{_MY}(?:爷爷|奶奶|姥姥|姥爷|外公|外婆){_NOT_FOR}")),
    (
        "spouse",
        re.compile(
            f"{_MY}(?:老婆|老公|爱人|媳妇|丈夫|妻子|对象|老伴|那口子|先生(?!说)|太太){_NOT_FOR}"
        ),
    ),
    (
        "child",
        re.compile(
            f"{_MY}(?:孩子|儿子|女儿|闺女|娃|宝宝|小孩|姑娘|外孙|孙子|孙女|新生儿)"
            f"|孩子的|给(?:新生儿|宝宝)|未成年子女|(?:^|，)(?:孩子|小孩|娃|宝宝)"
        ),
    ),
    ("sibling", re.compile(f"{_MY}(?:哥|弟|姐|妹|哥哥|弟弟|姐姐|妹妹|兄弟|姐妹)(?:们)?{_NOT_FOR}")),
    (
        "employees",
        re.compile(
            "(?:我们?|我|本|俺)(?:们)?(?:单位|公司|厂|企业|店)(?:的)?(?:员工|"
            "职工|工人)|给(?:员工|职工)"
        ),
    ),
    (
        "deceased",
        re.compile(
            "(?:过世|去世|死者|亡故|已故|不在了的?)(?:的)?(?:人|亲人|家人|老人|父|母|爸|妈)"
        ),
    ),
    ("self", re.compile("(?:我自己|我本人|本人|给自己|自己(?:办|用|提|取|领))")),
)

_COMPOUND = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|夏侯|端木|呼延|南宫|长孙|宇文|独孤|拓跋"
)
_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马胡朱郭何罗高林郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆汪范金石廖贾"
    "夏韦付傅方邹熊孟秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申"
    "欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁"
    "蒲房滕屈饶解牟艾尤阳穆农卓古吉缪简项连芦麦褚窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬边卞"
    "姬师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝封官谈匡鞠惠荆乐冀胥储栗燕楚鄢劳谌奚冼蔺"
    "楼盘闻伊仝郜阚权帅屠豆朴"
)
_SURNAME = re.compile(
    f"(?<!不)(?:我|本人|免贵|敝人|鄙人|我家|先生|女士)?(?<!不)(?:姓|免贵姓|"
    f"贵姓)(?P<s>{_COMPOUND}|[{_SURNAMES}])(?!名|什么|啥)(?:[，, ]?(?:我)?(?:叫|"
    f"名叫|名字叫|名字是)(?P<full>[\u4e00-\u9fff]{{1,4}}))?"
)
_FULL = re.compile(
    "(?:我(?:的)?(?:名字)?(?:叫|是叫|名叫)|我的?(?:名字|姓名)(?:是|叫)?|"
    "本人(?:叫)?|姓名(?:是|叫)?[：:]?|名字(?:是|叫)[：:]?)"
    f"(?P<name>(?:{_COMPOUND})[\u4e00-\u9fff]{{1,2}}|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})"
    f"(?P<next>[\u4e00-\u9fff]?)"
)
_TITLED = re.compile(
    f"(?:我是|这边是|叫我|称呼我)(?:小|老)?(?P<s>{_COMPOUND}|[{_SURNAMES}])"
    f"(?P<t>先生|女士|小姐|师傅|老师|大爷|阿姨|姐|哥)"
)
_NO_NAME = frozenset(
    {"马上", "时候", "方便", "安排", "于是", "全部", "明天", "司机", "车来", "毛病"}
)
_ENDS_NAME = "的住在是，。我电手家就今年想要呢啊吧了地咱有来身这那"


def for_whom(text: str) -> str:
    """Whom the matter is for: agent, parents, grandparents, spouse, child, sibling, employees,
    deceased, self; '' when it is not said.
    """
    text = clean(text)
    for code, pattern in _FOR:
        if pattern.search(text):
            return code
    return ""


def caller_name(text: str) -> str | None:
    """What the caller says they are called: 我叫张三 → 张三, 我姓王 → 王; None when not said."""
    earlier, later = corrected(clean(text))
    return _name(later) or (_name(earlier) if earlier else None)


def _name(text: str) -> str | None:
    surnames = list(_SURNAME.finditer(text))
    if surnames:
        surname = surnames[-1]
        full = surname["full"]
        if full and full.startswith(surname["s"]):
            return _trimmed(full)
        return surname["s"] + (_trimmed(full) if full else "")
    full_name = _FULL.search(text)
    if full_name and full_name["name"][:2] not in _NO_NAME:
        return _trimmed(full_name["name"])
    titled = _TITLED.search(text)
    return titled["s"] + titled["t"] if titled else None


def _trimmed(name: str) -> str:
    """``name`` without what follows it in a sentence: 张三的电话 → 张三."""
    for i, char in enumerate(name):
        if i > 1 and char in _ENDS_NAME:
            return name[:i]
    return name
