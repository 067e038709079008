from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.people import caller_name, for_whom
from language.text import sentences, title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我姓王", "王"),
        ("免贵姓欧阳", "欧阳"),
        ("我叫李建国，电话138", "李建国"),
        ("我叫张三的", "张三"),
        ("我的名字是王小明我住建业小区", "王小明"),
        ("我姓刘，叫刘备", "刘备"),
        ("我姓赵叫德柱", "赵德柱"),
        ("我是孙女士", "孙女士"),
        ("姓名：陈晨", "陈晨"),
        ("我姓王，不对，我姓黄", "黄"),
        ("我不姓王，我姓李", "李"),
        ("你叫什么名字", None),
        ("我叫不到车", None),
        ("我叫你们领导来", None),
        ("老百姓", None),
        ("我叫马上来修", None),
        ("", None),
    ],
)
def test_caller_name(text: str, expected: str | None) -> None:
    assert caller_name(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我爸妈的医保怎么交", "parents"),
        ("给我老婆办一个", "spouse"),
        ("孩子上学要啥", "child"),
        ("我家闺女的疫苗本", "child"),
        ("代办可以吗", "agent"),
        ("替邻居问一下", "agent"),
        ("我奶奶的高龄补贴", "grandparents"),
        ("我弟弟的户口", "sibling"),
        ("我本人来办", "self"),
        ("我们公司职工的社保", "employees"),
        ("租房怎么提公积金", ""),
        ("", ""),
    ],
)
def test_for_whom(text: str, expected: str) -> None:
    assert for_whom(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好，我想反映一下路灯坏了。", "路灯坏了"),
        ("你好。我要投诉。物业乱收费，一年涨了三次", "物业乱收费，一年涨了三次"),
        ("嗯", "嗯"),
        ("", ""),
        (
            "我们小区三号楼昨天晚上停水了，到现在也没来，打电话也没人接",
            "我们小区三号楼昨天晚上停水了",
        ),
    ],
)
def test_title(text: str, expected: str) -> None:
    assert title(text) == expected


def test_a_long_clause_is_cut() -> None:
    assert (
        title("这条街上所有的路灯从去年冬天开始就一盏都不亮了", limit=10) == "这条街上所有的路灯…"
    )


def test_sentences() -> None:
    assert sentences("停水了。三天了！怎么办") == ["停水了。", "三天了！", "怎么办"]


@given(st.text(max_size=300), st.integers(5, 40))
def test_any_text_is_read(text: str, limit: int) -> None:
    assert len(title(text, limit)) <= limit
    sentences(text)
    for_whom(text)
    name = caller_name(text)
    assert name is None or name


@pytest.mark.parametrize("sign", ["我", "我姓", "。", "我想", "，"])
def test_long_texts_end(sign: str) -> None:
    text = (sign * 5000)[:5000]
    assert len(title(text)) <= 20
    caller_name(text)
    for_whom(text)
