"""What a citizen wishes of us and says of others: outcome, secrecy, return visit, language, whom
it is about, a second number. Pure.
"""

from __future__ import annotations

import re

from handoff.said import Extracted, Said
from language.normal import without_fillers
from language.story_words import masked
from language.telephone import phone, phones
from language.telling import labelled

_LONGEST_WISH = 40
_WISHES = re.compile(
    r"(?:希望|盼望|盼着|要求|请求|恳请|诉求(?:就)?是|我的要求|就想要?|"
    r"只想要?|想要?(?=讨|拿|退|你们|他们|让|把|求|恢复|解决|赔)|能不能|"
    r"能否|"
    r"可不可以|可以不可以|看看?能不能|有没有办法|麻烦(?:你们|您|政府|"
    r"派|尽快|帮|给|来|把)|请(?:你们|相关|有关|尽快|政府|帮|派|给|"
    r"问题)|"
    r"(?:赶紧|赶快|尽快|抓紧|早点|快点)(?:派|给|来|把|修|处理|解决|"
    r"恢复|安排|清理)|必须(?:给|把|退|赔)|帮(?:我|我们|忙)(?=.{2})|"
    r"建议)"
    r"[^。！？!?]{2,60}"
)
_WISH_ENDS = re.compile(
    r"[，,](?=(?:我的?)?(?:电话|手机|号码|联系|名字|叫|姓|谢谢|再见|"
    r"麻烦了|是|因为|不然|要不|否则|[0-9一幺]{3}))"
    r"|谢谢.*|拜托了?.*|(?:我的?)?(?:电话|手机号?)(?:是|号码).*"
)
_NO_WISH = re.compile(
    r"转?人工|听(?:得)?(?:到|见|懂)|投诉(?:一下)?$|反映(?:一下|个|"
    r"一个)|咨询|问(?:一下|个|问)|说(?:一下)?$|查一?下|再说一遍|"
    r"稍等|等一下|告诉我|保密|匿名|我是谁"
)
_WISH_TAIL = re.compile(r"(?:[啊呀呢吧嘛哈啦哎了吗么的]|行吗|行不行|好吗|可以吗|好不好)+$")


def wish_told(said: Said) -> Extracted | None:
    """The outcome that is wished (诉求目的): 希望尽快修好."""
    if label := labelled(said.text, "诉求|要求|诉求目的|希望"):
        return Extracted(label, label, "wish_labelled")
    for found in reversed(list(_WISHES.finditer(said.text))):
        words = _WISH_ENDS.split(found.group())[0]
        words = _WISH_TAIL.sub("", without_fillers(words)).strip("，, ")
        if len(words) >= 4 and not _NO_WISH.search(words):
            return Extracted(_clip(words), found.group(), "wish")
    if said.asked and 2 <= len(said.text) <= 2 * _LONGEST_WISH:
        return Extracted(_clip(without_fillers(said.text)), said.text, "wish_answered")
    return None


def _clip(words: str) -> str:
    """Whole clauses up to the longest wish."""
    if len(words) <= _LONGEST_WISH:
        return words
    cut = max(words[:_LONGEST_WISH].rfind("，"), words[:_LONGEST_WISH].rfind(","))
    return words[:cut] if cut >= 4 else words[:_LONGEST_WISH]


_SECRET = re.compile(
    r"保密|匿名|怕(?:被)?(?:他们?|人家|对方|老板|邻居)?(?:打击)?报复"
    r"|(?:别|不要|不能|不想|千万别|可别|甭)(?:跟[^，。]{0,6})?"
    r"(?:说|让[^，。]{0,8}知道|透露|告诉[^，。]{0,6}|暴露|公开|泄露)[^，。]{0,6}(?:我|"
    r"是谁|名字|姓名|信息|身份)"
)
_OPEN = re.compile(
    r"(?:不用|不需要|不必|没必要|无需)(?:给我)?(?:保密|匿名)|不怕(?:他|"
    r"报复)|可以公开|实名|不匿名|保密(?:协议|局|室|单位)"
)
YES, NO = "是", "否"
"""Values of the fields secret (是否保密) and visit (是否回访)."""


def wants_secret(text: str) -> bool:
    """Whether the citizen asked not to be named."""
    return bool(_SECRET.search(text)) and not _OPEN.search(text)


def secret_told(said: Said) -> Extracted | None:
    """Whether the citizen wants to stay unnamed (是否保密); None where nothing is said of it."""
    if found := _OPEN.search(said.text):
        return Extracted(NO, found.group(), "secret_waived")
    if found := _SECRET.search(said.text):
        return Extracted(YES, found.group(), "secret")
    return _answered(said, "secret_answered")


_NO_VISIT_WORDS = re.compile(
    r"(?:不用|不要|别|甭|不必|不需要|无需|用不着)(?:再)?(?:给我)?(?:回访|"
    r"回电|回复|打电话|联系我|来电话)"
)
_VISIT_WORDS = re.compile(
    r"(?:要|需要|请|希望|记得)(?:给我)?(?:回访|回个?电话?|回复我?)|"
    r"给我(?:回个|个)(?:电话|信|话|回复)|(?:有结果|处理完)[^，。]{0,4}(?:告诉|"
    r"通知)我"
)


def visit_told(said: Said) -> Extracted | None:
    """Whether a return visit is wished (是否回访); None where nothing is said of it."""
    if found := _NO_VISIT_WORDS.search(said.text):
        return Extracted(NO, found.group(), "visit_declined")
    if found := _VISIT_WORDS.search(said.text):
        return Extracted(YES, found.group(), "visit")
    return _answered(said, "visit_answered")


_YES_SAID = re.compile(
    r"(?:嗯|哦|啊|好|对|是|是的|要|需要|要的|可以|行|得|好的|必须的?|当然)[，,。]?(?:吧|的|呀|啊)?"
)
_NO_SAID = re.compile(
    r"(?:不|不用|不用了|不要|不需要|没事|无所谓|算了|没必要|不必)[，,。]?(?:了|吧|的|呀|啊)?"
)


def _answered(said: Said, rule: str) -> Extracted | None:
    if not said.asked:
        return None
    first = re.split("[，,。]", said.text)[0]
    if _NO_SAID.fullmatch(first):
        return Extracted(NO, said.text, rule)
    return Extracted(YES, said.text, rule) if _YES_SAID.fullmatch(first) else None


_TONGUES = (
    "蒙语|蒙古语|蒙古话|维语|维吾尔语|哈萨克语|藏语|朝鲜语|朝语|彝语|"
    "壮语|英语|粤语|广东话|闽南话|闽南语|客家话|潮汕话|温州话|上海话|"
    "四川话|东北话|河南话|方言|土话|本地话|家乡话"
)
_LANGUAGE = re.compile(
    rf"(?:只会|只能|只说|会说|能说|懂|讲|说|用|要|会)(?:点儿?|一点)?(?P<tongue>{_TONGUES})"
    r"|(?P<no>(?:听不(?:太)?懂|不会(?:说|讲)?|不懂|说不好|不太会说|"
    r"讲不好)(?:你们的?)?(?:普通话|汉语|汉话|中文))"
    r"|(?P<ears>耳朵?(?:背|聋|不好使|不好)|听力(?:不好|障碍|残疾)|聋哑|聋人|听障|听不见声音|手语)"
)


def language_told(said: Said) -> Extracted | None:
    """The language, dialect or hearing that somebody must mind."""
    found = _LANGUAGE.search(said.text)
    if found is None or re.search("英语(?:老师|课|班|补习|培训|成绩)", said.text):
        return None
    value = found["tongue"] or ("听不懂普通话" if found["no"] else "听力不便")
    return Extracted(value, found.group(), "language")


_BODIES = (
    "有限公司|公司|集团|物业|开发商|超市|商场|商店|饭店|饭馆|餐馆|"
    "餐厅|酒店|宾馆|旅馆|火锅店|烧烤店|烧烤摊|烧烤|面馆|理发店|美容院|"
    "健身房|"
    "药店|诊所|医院|卫生院|学校|小学|中学|幼儿园|培训班|培训机构|"
    "培训学校|辅导班|驾校|网吧|KTV|ktv|酒吧|洗浴|洗浴中心|养老院|"
    "敬老院|"
    "工厂|化工厂|厂子|厂|作坊|养殖场|养猪场|养鸡场|砖厂|沙场|工地|"
    "施工队|项目部|搅拌站|加油站|中介|房产中介|居委会|村委会|"
    "派出所|办事大厅|政务大厅|营业厅|旅行社|快递|快递点|驿站|4S店|"
    "修理厂|修车店|手机店|家具店|蛋糕店|奶茶店|水果店|店"
)
_POSTS = (
    "司机|售票员|乘务员|保安|物业经理|店长|店员|服务员|经理|工作人员|"
    "办事员|村支书|村主任|村长|书记|主任|班主任|老师|教练|校长|医生|"
    "大夫|"
    "护士|科长|局长|所长|站长|城管队员|导游|中介|房东|包工头|窗口|收费员|快递员|业务员"
)
_BODY = re.compile(rf"(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{1,10}}?(?:{_BODIES})(?:的?(?:{_POSTS}))?)")
_POST = re.compile(rf"(?P<name>[\u4e00-\u9fffA-Za-z0-9]{{2,10}}?(?:的)?(?:{_POSTS}))")
_BUS = re.compile(
    r"(?P<name>[0-9零一二三四五六七八九十百]{1,5}路(?:公交车?|车|公交)?(?:的?司机)?)(?!口|"
    r"灯|边|上|段)"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}"
)
_LEAD = re.compile(
    r"^(?:就?是|在|叫|给|跟|和|对|被|让|有|把|我们?|俺们?|咱们?|他们?|"
    r"你们|那个|这个|一个|一家|那家|这家|家|有家|有个|这|那|个|就|"
    r"楼下的?|旁边的?|附近的?|门口的?|隔壁的?|的|某|投诉|举报|反映|"
    r"去|到|来|从|上|里|边|号|名)+(?=.{2})"
)
_NOBODY = re.compile(
    rf"(?:一?[个家]|这[个家]?|那[个家]?|我们?|的|他们?|原来|有|小|大)*(?:{_BODIES}|{_POSTS})"
)
_NAMELESS_OK = re.compile(
    "物业|开发商|工地|幼儿园|烧烤|洗浴|养殖场|养猪场|化工厂|搅拌站|房东|包工头|村支书|村主任"
)


def against_told(said: Said) -> Extracted | None:
    """Whom or what is complained of (被反映对象): a firm, a shop, a bus line, a person's post."""
    if label := labelled(said.text, "被反映对象|投诉对象|被投诉人?|被举报人?|投诉单位"):
        return Extracted(label, label, "against_labelled")
    for pattern, rule in ((_PLATE, "against_plate"), (_BUS, "against_bus")):
        if found := pattern.search(said.text):
            return Extracted(found.group(), found.group(), rule)
    best = ""
    for part in re.split("[\x01，,。！？!?、；; ]+", masked_names(said.text)):
        for pattern in (_BODY, _POST):
            for found in pattern.finditer(part):
                name = _LEAD.sub("", found["name"])
                named = not _NOBODY.fullmatch(name)
                if len(name) >= 2 and (named or not best) and (named or _NAMELESS_OK.search(name)):
                    if named:
                        return Extracted(name, name, "against")
                    best = best or name
    return Extracted(best, best, "against_nameless") if best else None


def masked_names(text: str) -> str:
    """``text`` with words of the telling struck out, except those a name may end in."""
    hidden = masked(text)
    keep = [*re.finditer(rf"{_BODIES}|{_POSTS}", text)]
    chars = list(hidden) if len(hidden) == len(text) else list(text)
    for found in keep:
        chars[found.start() : found.end()] = text[found.start() : found.end()]
    return "".join(chars)


_SECOND = re.compile(
    "打不通|另一个|另外一个|还有一个|备用|也可以打|或者打|不在[^，。]{0,4}打|"
    "我(?:爱人|老公|老婆|儿子|女儿|闺女|妈|爸|老伴|媳妇)[^，。]{0,4}(?:的)?(?:电话|"
    "手机|号码)|第二个"
)


def contact_told(said: Said) -> Extracted | None:
    """A second number to call, told as one: 打不通就打我女儿的一三九…"""
    numbers = list(dict.fromkeys(phones(said.text)))
    if not numbers or not (_SECOND.search(said.text) or said.asked):
        return None
    return Extracted(_second(said.text, numbers), said.text, "contact")


def _second(text: str, numbers: list[str]) -> str:
    """The number behind the words that tell a second one; else the last."""
    told = _SECOND.search(text)
    behind = phones(text[told.end() :]) if told else ()
    return behind[0] if behind else numbers[-1]


def main_phone(text: str) -> str | None:
    """The number to call first; None where the only one told is a second one."""
    numbers = list(dict.fromkeys(phones(text)))
    if not numbers or not _SECOND.search(text):
        return phone(text)
    return next((number for number in numbers if number != _second(text, numbers)), None)
