"""是否保密 in free text: what would tell who reported, and what must stay readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.veil import MARK, Veil, veil_of

TOLD = "我叫王梅，我家住建业小区九号楼三单元五零一，楼下烧烤店天天冒烟，电话幺三八零零幺三八零零零"
FIELDS = {"name": "王梅", "phone": "13800138000", "what": TOLD, "against": "老刘烧烤店"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TOLD, f"我叫{MARK}，我家住{MARK}，楼下烧烤店天天冒烟，电话{MARK}"),
        ("王梅反映烧烤店油烟", f"{MARK}反映烧烤店油烟"),
        ("已与王女士联系", f"已与{MARK}联系"),
        ("回电138-0013-8000，没人接", f"回电{MARK}，没人接"),
        ("建业小区9号楼3单元501室漏水", f"建业小区9号楼{MARK}漏水"),
        ("免贵姓欧阳，举报", f"免贵姓{MARK}，举报"),
        ("身份证15230119900101002X", f"身份证{MARK}"),
    ],
)
def test_who_reported_is_not_told(text: str, shown: str) -> None:
    assert veil_of(FIELDS).over(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "建业小区9号楼楼下烧烤店油烟扰民", "建业小区9号楼3单元402的人乱扔垃圾", "老刘烧烤店不改",
        "我叫他不要烧了", "店名字很怪", "并入2026112100007", "欠了三百块钱，拖了十二天",
    ],
)  # fmt: skip
def test_what_the_matter_is_stays_readable(text: str) -> None:
    assert veil_of(FIELDS).over(text) == text


def test_of_a_surname_alone_only_how_somebody_is_spoken_of() -> None:
    veil = veil_of({"name": "王先生", "against": "王师傅修车铺"})
    assert veil.over("王先生说王府路的王师傅修车铺占道") == f"{MARK}说王府路的王师傅修车铺占道"


def test_without_fields_what_is_said_in_so_many_words() -> None:
    assert Veil().over("我姓李，手机13912345678") == f"我姓{MARK}，手机{MARK}"


@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_veiled_again_to_the_same(text: str, name: str, phone: str) -> None:
    veil = veil_of({"name": name, "phone": phone, "what": text})
    shown = veil.over(text)
    if len(phone) >= 5 and phone.isalnum():
        assert phone not in shown
