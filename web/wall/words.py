"""What the wall's figures mean, said when one points at them, and its codes in words. Pure."""

from __future__ import annotations

import json

from web import labels, orderwords

MEANINGS = {
    "calls": "现在进行中的通话，每一秒更新；电话进程没有回音时不显示数字。",
    "waiting": "已经要求人工、还没有接通的市民；最长等待从要求人工时算起。",
    "agents": "坐席台开着的坐席；关掉页面超过心跳时限的不算。",
    "goal_calls": "今天要求人工的来电，15 秒内接通的比例。分母是接通的和等了 15 秒以上才放弃的。",
    "goal_chats": "今天要求人工的网上对话里，3 分钟内接通的比例。分母算法同来电。",
    "resolved": "今天开始并已结束、市民说过话的对话里，没有要求人工的比例。",
    "callbacks": "还没有回拨成功的漏接和预约回拨；超时是超过规定回拨时间的。",
    "late": "还没有答复的工单里，期限已过的；24 小时内到期的另计。已并单的不算。",
    "danger": "紧急程度为“紧急”、还没有答复的工单。对方确认之前，不会告诉市民有人来。",
    "alarms": "需要人处理的告警；点“知道了”以后不再显示，记入操作记录。",
    "surveyed": "人工服务以后当场评价的市民里，满意加基本满意的比例；没有评价的不计入。",
    "responded": "回访过的工单里，按期答复的比例。",
    "satisfied": "回访过的工单里，满意加基本满意的比例；没有联系上的按本市的规则算。",
    "solved": "回访过的工单里，已解决的比例；没有联系上的按本市的规则算。",
    "thumbs": "市民对智能助手的答复点的赞，占赞和踩之和的比例。",
    "repeats": "同一市民，或同一地点同一件事，在规定天数内再次反映的工单。",
    "classes": "按工单分类统计，和上一个同样长的时段比，增加最多的排在前面；少于 3 件的不列。",
    "places": "同一地点在这段时间里被反映 3 次以上的；用最近一张工单的标题表示。",
    "reasons": "今天转人工的原因。",
    "kinds": "每天受理的工单，按诉求类型。",
}


def for_page() -> str:
    """The codes that the page's script meets, as JSON."""
    return json.dumps({
        "status": {"online": "在线", "busy": "忙碌", "break": "小休", "wrapup": "话后",
                   "offline": "离线"},
        "links": orderwords.LINK_STATES,
        "reasons": labels.REASONS,
        "kinds": labels.KINDS,
    }, ensure_ascii=False)  # fmt: skip
