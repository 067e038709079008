"""The kind of a request (咨询 求助 投诉 举报 建议 表扬) by the citizen's words. Pure.

What a citizen calls it goes first (我要举报…). Else the wish decides, not the topic: a 投诉 is
dissatisfied with a firm, a shop or an office; a 举报 points at others who break the law; a 求助
needs something done, and nobody refuses it (路灯不亮, 停水, 走失); 反映 alone may be any of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.city import Kind
from turns.understood import Act

_BY_ACT: dict[str, Kind] = {
    "policy": "咨询", "help": "求助", "danger": "求助", "complaint": "投诉", "report": "举报",
    "suggestion": "建议", "praise": "表扬",
}  # fmt: skip
_LEAD_IN = (
    r"^(?:你好|您好|喂|哎|那个|这个|同志|师傅|请问|麻烦|[，,。])*(?:我|我们|俺|俺们|咱)?"
    r"(?:就)?(?:是)?(?:想|要|得|来|打电话)*"
)
_CALLED: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile("(?<!是我)(?<!谁)(?:举报|检举|揭发)(?!的|过|电话|信|平台|人|了)"), "举报"),
    (re.compile("投诉(?!过|了|电话|热线|没用|无门|渠道|平台|量|率)"), "投诉"),
    (
        re.compile(rf"{_LEAD_IN}(?:提|给.{{1,4}}提)?一?[个点条]?(?:小)?(?:意见|建议(?!书|零售))"),
        "建议",
    ),
    (re.compile(rf"{_LEAD_IN}(?:表扬|夸|感谢|点赞|点个赞)"), "表扬"),
    (re.compile(rf"{_LEAD_IN}(?:求助|请求帮助|寻求帮助)"), "求助"),
)
_UNLAWFUL = re.compile(
    "无证|无照|[没无](?:有)?[^，。的]{0,6}(?:证(?!据|明|件)|执照|"
    "许可|资质|资格|手续|检疫|批文|环评|备案)|偷排|偷税|逃税|漏税|"
    "传销|拉人头|赌|假(?:货|酒|烟|药|证|发票|牌|冒|文凭|币)|冒牌|"
    "贴[^，。]{0,4}标|非法|违法|违规|犯法|违禁|"
    "(?:私自|偷偷|偷着|擅自|悄悄)[^，。]{0,4}(?:盖|搭|建|改|砸|拆|"
    "挖|采|砍|排|倒|放|卖|占|开)|违建|违章建|私搭|乱搭|乱建|承重墙|"
    "黑(?:作坊|诊所|车|工厂|加油|中介|网吧|导游|心棉|煤窑|窝点|出租)|"
    "倒卖|贩卖|盗(?:采|伐|挖|版|猎)|套(?:取|补贴|现)|骗保|骗补|虚报|"
    "冒领|吃空饷|"
    "童工|未成年人?[^，。]{0,6}(?:进|上网|喝|开房|打工|上班)|毁林|"
    "毁绿|开荒|耕地[^，。]{0,6}(?:盖|建|挖)|电(?:打)?鱼|炸鱼|"
    "倒(?:进|到|在|入)[^，。]{0,6}(?:河|沟|井|渠|湖|滩|地里|山)|排(?:到|"
    "进)[^，。]{0,4}(?:河|沟|井|渠)|"
    "放黑水|黑水|排污|秤不准|八两秤|缺斤|短斤|少[一二两三半0-9]两|"
    "地沟油|工业(?:盐|碱|酒精)|三无|回收的?旧?油|重新贴|改(?:日期|"
    "生产日期)|"
    "不(?:给[^，。]{0,4})?(?:交|缴|上)(?:社保|保险|五险)|自愿放弃|"
    "在职(?:老师|教师|的)|有偿补课|行贿|受贿|贪污|挪用|优亲厚友|给自己亲戚|"
    "吸毒|卖淫|嫖|"
    "涉黄|不正当|野生动物|野味|野猪套|走私|集资|套路贷|高利贷|不开(?:发)?票|"
    "超载|遮(?:着|挡)[^，。]{0,3}车?牌|套牌|假牌|没有?检定|包治百病|"
    "拉客|载客|群租|偷电|偷水|私接|私拉"
)
_BLAME = re.compile(
    "不(?:管|理|退|赔|承认|认账|认|解决|处理|作为|负责|修|接(?!种)|"
    "回|开门|停直接|停车)|推(?:诿|来推去|给|三阻四|脱|卸)|踢皮球|"
    "态度|欠|克扣|拖着|"
    "乱收|多收|坑|骗|宰客|宰人|宰我|拒载|拒收|拒不|甩站|强制|逼着|"
    "强行|硬要|扰民|吵|骂|打人|打孩子|翻白眼|刁难|糊弄|敷衍|拉黑|"
    "跑路|卷钱|关门了|"
    "说话不算|没[退给发]|不[让给发]|刷卡费|偷工减料|漫天要价|要求(?:退|"
    "赔)|黑心|太差|服务差|伪造|办结|不满意|失职|"
    "(?:一直|总|老|还)没(?:个)?(?:说法|结果|动静|下文)|"
    "没(?:有)?人(?:管|理|来|修|处理)[^，。]{0,3}(?:物业|单位|部门|"
    "公司)|(?:物业|公司|单位|部门|开发商|他们)[^。]{0,10}(?:不|没人|"
    "没来|没修|拖|说了|推)"
)
_PLEA = re.compile(
    "求|帮帮|帮我|帮忙|帮着|救|怎么办|咋办|咋整|走丢|走失|找不[到着]|"
    "困难|联系不上|来人|派人|给修|修修|修一下|看看|来修|"
    "找谁|落在|丢在|忘在|搭把手|凑不出|没钱(?:回家|吃饭|看病)|什么时候(?:能)?(?:来|修)|啥时候来"
)
_BROKEN = re.compile(
    "停水|没水|断水|来水|停电|没电|断电|摸黑|不亮|没亮|灯(?:全|都)?(?:坏|"
    "灭|黑|瞎)|路灯|井盖|窨井|井口|爆(?:了|管|裂)|漏水|漏气|没气|"
    "打不着火|塌|断(?:了|裂)|倒了|积水|返水|反水|返脏水|冒水|冒到|"
    "堵了|满了|翘|掉下来|垂到|耷拉|不热|才[0-9一二十]+[三四五六七八九]?度|"
    "走丢|走失|没回来|没回家|落在|困住|被困|被锁|卡在|马蜂|蛇|大坑|"
    "坑洼|破损|护栏|红绿灯(?:不亮|坏|一直)|信号灯|变压器|磨没|裂了|"
    "断网|撞豁|歪"
)
_STANDS_BROKEN = re.compile("[坏断塌漏爆堵倒裂破灭停歪]|不亮|没[水电气]|不热|满了|掉下来|修")
_PROPOSES = re.compile(
    "建议|提议|能不能(?:多|在|把|给|加|增|设|改|开)|要是能|要是多|"
    "应该(?:多|加|设|增|建|划)|最好能|希望(?:能)?(?:多|增|加|开|设|"
    "建)|就好了|不如"
)


@dataclass(frozen=True, slots=True)
class KindTold:
    """A kind and the rule that told it; ``quote`` the words where words did."""

    kind: Kind
    rule: str
    quote: str = ""


def called(text: str) -> KindTold | None:
    """What the citizen calls it: 我要举报, 提个建议; None where they do not."""
    for words, kind in _CALLED:
        if found := words.search(text):
            return KindTold(kind, "kind.called", found.group())
    return None


def kind_told(act: Act | str, text: str) -> KindTold:
    """The kind of ``text`` that was understood as ``act``."""
    named = called(text)
    if named is not None:
        return named
    rules = {
        "complaint": _of_complaint, "help": _of_help, "report": _of_report,
        "suggestion": _of_suggestion, "danger": _of_danger,
    }  # fmt: skip
    other = rules[act](text) if act in rules else None
    return other or KindTold(_BY_ACT.get(act, "其他"), f"act.{act}")


def kind_of(act: Act | str, text: str) -> Kind:
    """As :func:`kind_told`, the kind alone."""
    return kind_told(act, text).kind


def _found(words: re.Pattern[str], text: str, kind: Kind, rule: str) -> KindTold | None:
    found = words.search(text)
    return KindTold(kind, rule, found.group()) if found else None


def _of_complaint(text: str) -> KindTold | None:
    blames = _BLAME.search(text)
    if not blames and (told := _found(_UNLAWFUL, text, "举报", "kind.unlawful")):
        return told
    if not blames and (told := _found(_BROKEN, text, "求助", "kind.broken")):
        return told
    if not blames and _PLEA.search(text) and not _UNLAWFUL.search(text):
        return _found(_PLEA, text, "求助", "kind.plea")
    return None


def _of_help(text: str) -> KindTold | None:
    if _PLEA.search(text) and not re.search("态度|欠|骗|拒", text):
        return None
    return _found(_BLAME, text, "投诉", "kind.blame")


def _of_report(text: str) -> KindTold | None:
    if _UNLAWFUL.search(text):
        return None
    return _found(_BROKEN, text, "求助", "kind.broken")


def _of_danger(text: str) -> KindTold | None:
    """Danger is no kind: by the words alone."""
    if _PLEA.search(text):
        return None
    return (
        _found(_PROPOSES, text, "建议", "kind.proposes")
        or _found(_UNLAWFUL, text, "举报", "kind.unlawful")
        or _found(_BLAME, text, "投诉", "kind.blame")
    )


def _of_suggestion(text: str) -> KindTold | None:
    if _PROPOSES.search(text) or not _STANDS_BROKEN.search(text):
        return None
    return _found(_BROKEN, text, "求助", "kind.broken")
