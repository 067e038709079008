"""What is politely not done: commands to a machine, other people's data, opinions. Pure."""

from __future__ import annotations

import re

from bot.actions.outcome import Decided, say
from config.prompts import Prompts
from language.normal import clean

_COMMAND = re.compile(
    r"^\s*[/／]\w+|<\s*/?\s*(?:script|iframe|img|svg|style|a|html|body|div|input|form)\b|"
    r"\{\s*[\"“'\w].{0,80}[:：].*\}|\$\{|\{\{|(?:忽略|无视|忘记|忘掉|不要管|别管|抛开)[^，。]{0,8}"
    r"(?:指令|提示|规则|设定|要求|限制|约束)|(?:系统|你的)(?:提示词|指令|设定|prompt)|"
    r"(?:你现在|从现在起|接下来)[^，。]{0,6}(?:是一个|是一名)|你(?:来)?(?:扮演|假装|充当)|"
    r"(?:开发者|管理员|越狱|调试)模式|ignore (?:all|any|the|previous|above)|system prompt|"
    r"you are now|jailbreak|(?:drop|delete|truncate)\s+(?:table|from|database)|"
    r"select\s.+\sfrom\s|union\s+select|rm\s+-rf|(?:执行|运行)(?:以下|下面|这段|这个)[^，。]{0,4}"
    r"(?:命令|代码|脚本|指令)",
    re.IGNORECASE,
)
_DATA = (
    r"(?:电话号?码?|手机号?码?|联系方式|身份证号?码?|家庭?住址|住址|住哪|住在哪|银行卡号?|账号|密码|余额|"
    r"工资|收入|存款|社保记录|公积金(?:余额|有多少)|开房|行踪|病历|征信|微信号?|家在哪|名下)"
)
_OTHERS = (
    r"(?:(?:帮我|给我|替我|麻烦)?(?:查|告诉我?|找|问|说|透露|要|搞到)(?:一?下|一查|查|到)?)"
    r"[^，。？！]{0,6}?(?:张三|李四|王五|别人|人家|那个人|这个人|某个?人|邻居|房东|老板|"
    r"前[夫妻男女]友?|同事|同学|局长|市长|书记|楼[上下](?:的|那家)?|对门|债主|欠我?钱的人?|"
    r"[\u4e00-\u9fff]{1,3}(?:先生|女士|局长|书记|主任|市长|老师))(?:家)?(?:的|是|叫|多少|有|个人|私人){0,3}"
)
_OWN = (
    r"我(?:自己|本人)?的?(?:身份证号?|手机号?|电话号?|银行卡号?|密码|卡号)码?"
    r"(?:是|叫)?(?:多少|啥|什么|几)"
)
_PRIVATE = re.compile(rf"{_OTHERS}{_DATA}|{_OWN}")
_OPINION = re.compile(
    r"你(?:们)?(?:自己)?(?:觉得|认为|怎么看|怎么评价|咋看|看好|支持|喜欢)(?!.*(?:怎么办理|要带|材料))|"
    r"(?:评价|评评)一下|(?:哪|谁)(?:家|个)?(?:医院|学校|公司|律师|银行|中介|小区|楼盘|饭店|店|超市|驾校|"
    r"领导|市长|国家)(?:最好|更好|比较好|好些?|靠谱|便宜|好吃|厉害)|(?:推荐|介绍)(?:一个|一家|个|家|几家)?"
    r"[^，。]{0,4}(?:医院|律师|中介|公司|饭店|酒店|楼盘|银行|股票|基金|理财)"
)


def refused(text: str, prompts: Prompts) -> Decided | None:
    """The polite no to what a public front door must not do; None for anything else."""
    text = clean(text)
    if _COMMAND.search(text):
        return Decided((say(prompts.other),), "talk", act="other")
    if _PRIVATE.search(text):
        return Decided((say(prompts.private),), "talk", act="other")
    if _OPINION.search(text):
        return Decided((say(prompts.no_opinion),), "talk", act="other")
    return None
