"""The audit in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.auditwords import UNKNOWN, actor, actor_code, details

ACTORS = [("command-line", "命令行"), ("system", "系统"), ("system:retention", "系统（到期清除）"),
          ("cli:张三", "命令行（张三）"), ("li", "li")]  # fmt: skip


@pytest.mark.parametrize(("code", "told"), ACTORS)
def test_who_did_it_is_told_and_found_again(code: str, told: str) -> None:
    assert actor(code) == told
    assert actor_code(told) == actor_code(code) == code


def test_an_unknown_login_stays_unknown() -> None:
    assert actor("unknown:0123456789abcdef") == UNKNOWN
    assert actor_code(UNKNOWN) == "unknown:"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"result": "ok"}, "结果 完整"),
        ({"roles": ["agent"], "former": ["supervisor"]}, "角色 坐席，原来的角色 班长"),
        ({"changed": ["phone_uri", "roles"]}, "改动 话机、角色"),
        ({"chain": "1.ab", "lines": 3}, "条数 3"),
        ({"action": "sign_in_failed"}, "操作 登录失败"),
        ({"conversations": 1, "orders": [], "failed": 0, "account": "root"},
         "对话 1 条，工单 无，没能删除的文件 0，系统账户 root"),
        ({"kept": [{"order": "2026112200004", "reason": "waiting"},
                   {"conversation": "call-1", "reason": "live"}], "orders": "keep"},
         "保留 工单 2026112200004（还在等人工）、对话 call-1（对话还没结束），工单 保留"),
        ({"rows": 7, "chain_anew": True}, "数据行数 7，重新建立防改动的链 是"),
        ({}, ""),
    ],
)  # fmt: skip
def test_details_are_words(data: dict[str, object], told: str) -> None:
    assert details(data) == told


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _JSON), st.text())
def test_it_is_total(data: dict[str, object], code: str) -> None:
    details(data)
    actor(code)
    actor_code(code)
