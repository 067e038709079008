"""What a turn asks: whether it asks for a rule at all, and how many questions it holds. Pure.

能来修一下吗 and 怎么没人管 are put as questions and ask for nothing that one could look up.
"""

from __future__ import annotations

import re

from language.normal import clean

_CLAUSE = re.compile(r"[^，,。.！!？?；;、…\s]+[，,。.！!？?；;、…\s]*")

_ASKS = re.compile(
    r"[吗么嘛？?]|怎[么样]|咋|如何|多少|多[久大长高远]|几|哪|什么|啥|何时|是否|能否|可否|谁|"
    r"(?!动不动|时不时)(?P<v>[\u4e00-\u9fff])[不没](?P=v)|可[以不]不?可以|需不需要|应不应该|允不允许|"
    r"(?:能|可以|不用)[^，。！]{0,8}吧$|要[^，。！]{1,3}不要$|(?:电话|号码)(?:给|报)[我一个]|"
    r"为什么|为啥|[\u4e00-\u9fff]{2}(?:(?<!得)不行|不|没有?|冇|伐|啵)$|还是|"
    r"侬晓得|请问|问(?:一?下|问)|想(?:知道|了解|咨询)|^那?[\u4e00-\u9fff]{1,8}[呢咧]$|"
    r"(?:电话|热线|号码|地址|材料|条件|流程|时限|费用)$"
)
_NUMBERS_TOLD = re.compile(
    r"十几|几十|几百|几千|(?:好|这|过了|都|(?<!最)快|百|没)[几多]+(?:[天个次年回遍块人户条]|[\u4e00-\u9fff]{0,2}月)|几[天个次年]+了|"
    r"(?:好多|多少)(?:次|回|遍|年|天)[了都也]|什么(?:都|也)|啥(?:都|也)|谁(?:都|也)|怎么(?:都|也)|"
    r"哪(?:儿|里)?(?:都|也)|不怎么|没(?:有)?什么|没啥|不多久|什么的"
)
_DEMANDS = re.compile(
    r"(?:能不能|可不可以|可以|能否|能|请|麻烦)(?:你们|您|政府|领导|有人|赶紧|赶快|快点?|尽快|马上|及时|"
    r"给我们?|帮我们?|帮忙|派人?|安排|让他们|叫他们|过来|来人?|去人?|[帮给]?[来去]?)*"
    r"(?:修|处理|解决|管一?管|清理|协调|督促|整治|治理|查处|看看|看一下|过来|来人)"
    r"[^，。？！]{0,6}?(?:吗|不|么|嘛)?|"
    r"(?:什么时候|啥时候|多久|几时|何时|多会儿)[才能可以会]*(?:有人|派人)?[来能给]*"
    r"(?:修|来(?!暖|得及)|恢复|解决|处理|有水|有电|通水|来水|来电|拆|清)|"
    r"(?:怎么|咋|为什么|为啥|凭什么|凭啥)(?:还|又|老|总|就|没人?|这么|那么|这样|会|不管|敢|回事|"
    r"可能|都|一直|天天|能|好意思)|"
    r"(?:有没有|有)人(?:管|来|负责)|(?:到底)?(?:该|归|由)?谁(?:来)?(?:管|负责)|管不管|"
    r"(?:有没有|还有)(?:王法|天理|良心)|是不是(?:违[规法]|扰民|太|该管|应该管)|"
    r"(?:这算|不是(?![^，。？！]{0,6}(?:行|可以|能[^，。？！])吗))[^，。？！]{1,8}吗|"
    r"(?<![要带拿交些备])什么(?:玩意|态度|东西|破|意思|世道|素质)|啥(?:玩意|态度|破)|"
    r"哪有这[样么]|(?:气|急)不(?:气|急)人"
)
_OPEN = re.compile(
    r"(?:我|俺|我们)?(?:应该|该|要|得|现在)?(?:怎么|咋|咋个|怎样|如何)(?:去)?(?:办|整|弄|搞|处理|解决)"
    r"(?:啊|呀|呢|嘛|好|才好)?[，,。.！!？?\s]*$"
)
_TAG = re.compile(
    r"(?:这样)?(?:可以|行|对|好|中|是|能)(?:不(?:可以|行|对|好|中|是|能))?(?:吗|么|嘛|不|吧)?"
    r"[，,。.！!？?\s]*"
)
_JOINS = re.compile(
    r"^(?:(?:然后|那|那么|哦对了?|对了|顺便|顺带)?(?:还有(?:就是|一个)?|另外|再就是|再有|再问|再一个|"
    r"顺便|顺带|还想问|还要问|也想问|同时|第二个?|其次|以及|还问))"
)
_NEXT = re.compile(
    r"(?<=[\u4e00-\u9fff]{4})(?=(?:然后|还有|另外|对了|再)?(?:顺便|顺带)再?(?:我|想|要)*(?:问|打听|咨询)|"
    r"(?:还有|再一个|再)就是|另外(?:再|我)*(?:想|要)?问)"
)
_NODS = re.compile(
    r"^(?:喂+|哎哟?|嗯+|[哦噢]+|[您你侬]好啊?|同志|好(?:的|嘞|吧|(?=[那，, 谢我]))|"
    r"行(?:了|(?=[那，, ]))|(?:知道|明白|清楚|晓得)了|谢谢(?:你|您)?|再见|拜拜|对了|那么?(?!个)|"
    r"你们(?=[那这]?[电哪地在要有收])|"
    r"[啊呀哈，,。 ])+"
)
_LEADS_IN = re.compile(
    r"^.*(?:想|要|就)请?(?:问|打听|咨询|了解|知道)(?:一?下子?|问|的是|一?个事?儿?)?(?=.{4})"
)
_RULE = re.compile(
    r"多少|多[久大长]|几[天个月年点号次]|哪|啥(?!都)|什么(?!都)|怎么|咋|如何|何时|收费|材料|电话|进度"
)
_COMPLAINS = re.compile(r"投诉|举报|告[他她它]们?|反映(?=[^，。]{0,4}(?:谁|哪|怎么|咋))")
_OWN = re.compile(
    r"(?:反映|投诉|举报|报修|上报|打过?电话|工单|来电|受理号)|(?:上次|上回|上周|上个?月|那天|前几?天|昨天)"
)


def clauses(text: str) -> tuple[str, ...]:
    """``text`` cut at every mark, each clause with the marks behind it."""
    marked = _CLAUSE.findall(clean(text))
    return tuple(piece for clause in marked for piece in _NEXT.split(clause) if piece)


def bare(text: str) -> tuple[str, ...]:
    """What ``text`` asks without the nods, thanks and greetings before it (哦知道了，那多少钱), and
    without the story that leads in to 我想问一下; only those that differ from ``text``.
    """
    cleaned = clean(text)
    shorter = (_NODS.sub("", cleaned), _LEADS_IN.sub("", cleaned))
    return tuple(one for one in dict.fromkeys(shorter) if one and one != cleaned)


def asks_plainly(text: str) -> bool:
    """Whether ``text`` names what it wants to know (多少, 哪, 怎么, 进度); a bare 吗 does not."""
    return asks(text) and bool(_RULE.search(_NUMBERS_TOLD.sub("", clean(text))))


def asks_to_complain(text: str) -> bool:
    """Whether ``text`` asks how or where to complain about something."""
    return asks(text) and bool(_COMPLAINS.search(clean(text)))


def own_request(text: str) -> bool:
    """Whether ``text`` speaks of something the citizen reported before: 我上周反映的事."""
    return bool(_OWN.search(clean(text)))


def asks(text: str) -> bool:
    """Whether some clause asks for something to be looked up: a rule, a place, a sum."""
    return any(_asks(clause) for clause in clauses(text))


def asks_what_to_do(text: str) -> bool:
    """Whether all that is asked is 怎么办: a story ends so as often as a question does."""
    asked = [clause for clause in clauses(text) if _asks(clause)]
    return bool(asked) and all(_OPEN.search(clause) for clause in asked)


def parts(text: str) -> tuple[str, ...]:
    """The questions in ``text`` in their order, each with what is told before it.

    One for a story with one question; a tag (可以吗) belongs to what stands before it, and what
    follows the last question to that one. Joined they are the text; () only for no text.
    """
    found: list[str] = []
    held, asked = "", False
    for clause in clauses(text):
        fresh = _asks(clause) and not _TAG.fullmatch(clause)
        if asked and (fresh or _JOINS.match(clause)):
            found.append(held)
            held, asked = "", False
        held += clause
        asked = asked or fresh
    if held and (asked or not found):
        found.append(held)
    elif held:
        found[-1] += held
    return tuple(found)


def unjoined(part: str) -> str:
    """``part`` without the words that join it to the question before: 还有就是, 顺便问一下."""
    return _JOINS.sub("", part).strip("，, ") or part


def _asks(clause: str) -> bool:
    told = _NUMBERS_TOLD.sub("", clause)
    rest = _DEMANDS.sub("", told)
    if rest != told:
        rest = re.sub(r"[吗么嘛呢？?]+[，。！\s]*$", "", rest)
    return bool(_ASKS.search(rest.rstrip("，,。.！!；;、… ")))
