"""What a good password is, and what is stored of it."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from handoff.passwords import hash_password, is_outdated, make_password, password_fits, weakness


@pytest.mark.parametrize(
    ("password", "says"),
    [("", "至少"), ("short pw", "至少"), ("a" * 257, "最长"), ("aaaaaaaaaa", "不同的字符"),
     ("1212121212", "不同的字符"), ("1234567890", "太常见"), ("Password123", "太常见"),
     ("１２３４５６７８９０", "太常见"), ("lisi.zhang", "登录名一样"), ("LISI.ZHANG", "登录名一样"),
     ("gnahz.isil", "登录名一样"), ("lisi.zhang2026!", "登录名加上数字")],
)  # fmt: skip
def test_a_weak_password_says_why(password: str, says: str) -> None:
    login = "lisi.zhang"
    assert says in (weakness(password, login) or "")


@pytest.mark.parametrize(
    "password", ["four words of mine", "correct horse", "春眠不觉晓处处闻啼鸟", "x7!kQ2#pLm"]
)
def test_a_good_one_passes(password: str) -> None:
    assert weakness(password, "li") is None
    assert weakness("8439275610", "admin") is None  # digits alone have nothing of the login


@pytest.mark.parametrize(
    "password",
    ["qianmen12345", "Qianmen@12345", "qianmen-qianmen", "12345rexian!", "shimin12345rexian",
     "admin!2026!admin", "qwertyasdf2026", "1234512345123", "beijing12345", "前门前门热线热线12345",
     "wangwu@12345", "wangwu.qianmen1", "示例市12345热线服务", "shilishi12345", "SHILI-rexian-2026",
     "woaini.beijing"],
)  # fmt: skip
def test_what_everybody_here_would_try_is_refused(password: str) -> None:
    assert weakness(password, "wangwu", ("示例市",))


@pytest.mark.parametrize(
    "password",
    ["chunmianbujuexiao", "jintian xiawu chi mian", "wo jia de mao jiao dahuang",
     "qianmen de shizi hen gao", "laowangzaibeijing", "zuotian-xiayu-12345", "8439275610",
     "今天下午我们去公园散步", "jiefanglu8haomenkou"],
)  # fmt: skip
def test_words_of_ones_own_pass(password: str) -> None:
    assert weakness(password, "wangwu", ("示例市",)) is None


@given(st.text(), st.text())
def test_the_rule_is_total(password: str, login: str) -> None:
    weakness(password, login, (login,))


def test_ours_are_good_and_never_the_same() -> None:
    made = {make_password() for _ in range(50)}
    assert len(made) == 50
    assert all(weakness(password, "admin") is None for password in made)


@pytest.mark.usefixtures("at_full_strength")
def test_it_fits_however_it_was_typed() -> None:
    stored = hash_password("ｆｏｕｒ words of mine")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, the second choice
    assert password_fits(stored, "four words of mine")
    assert not password_fits(stored, "Four words of mine")
    assert not password_fits("broken", "x")
    assert not password_fits(stored, "\ud800")
    assert not is_outdated(stored)
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert is_outdated("broken")
