"""What an order is about: class, departments, urgency, title and summary, by the words said."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.city import City, load_city
from config.classes import ClassesFile
from config.errors import ConfigError
from handoff.classify import Rules, classify, rules_of
from handoff.titles import LONGEST_TITLE, title
from handoff.wishes import YES
from tests.conftest import SAMPLE_CITY


@pytest.fixture(scope="module")
def rules(city: City) -> Rules:
    return rules_of(city)


@pytest.mark.parametrize(
    ("text", "code", "department"),
    [
        ("小区门口的路灯三天没亮了", "0201", "城市管理局"),
        ("公司拖欠我们三个月工资", "0701", "人力资源和社会保障局"),
        ("楼下烧烤店油烟太大", "0102", "城市管理局"),
        ("电梯困人半个小时没人管", "0407", "市场监督管理局"),
        ("有人偷排废水到河里", "0601", "生态环境局"),
        ("28路公交车甩站", "0901", "交通运输局"),
        ("健身房跑路卡里的钱不退", "0802", "市场监督管理局"),
        ("村里的养猪场臭得睡不着", "1402", "农业农村局"),
        ("公积金怎么取", "0409", "住房公积金管理中心"),
        ("老人走丢了", "1004", "公安局"),
    ],
)
def test_class_and_department(rules: Rules, text: str, code: str, department: str) -> None:
    told = classify(text, {}, rules)
    assert (told.code, told.department) == (code, department)
    assert told.rule == "words"
    assert told.quote in text
    assert told.reasons
    assert told.code in told.candidates


def test_several_departments_help_with_reasons(rules: Rules) -> None:
    told = classify("楼道里有人私拉电线给电动车充电，消防通道也堵了", {}, rules)
    assert told.department == "应急管理局"
    assert set(told.departments) == {"公安局", "住房和城乡建设局"}
    assert "协办" in told.reasons[0]


def test_what_is_known_is_kept(rules: Rules) -> None:
    told = classify("路灯不亮", {"department": "供电公司", "kind": "投诉"}, rules)
    assert (told.department, told.kind) == ("供电公司", "投诉")
    assert told.departments == ("城市管理局",)
    kept = classify("路灯不亮", {"code": "0301"}, rules)
    assert (kept.code, kept.rule) == ("0301", "known")


@pytest.mark.parametrize("text", ["嗯嗯好的", "那就谢谢啦", "给我转人工吧", "喂喂", "1", "？"])
def test_what_nobody_knows_is_not_guessed(rules: Rules, text: str) -> None:
    told = classify(text, {}, rules)
    assert (told.code, told.department, told.departments) == ("", "", ())
    assert told.reasons == ()


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("停水三天了，家里有老人", "urgent"),
        ("我们十几个农民工工资拖了半年", "urgent"),
        ("工地半夜打桩吵得孩子没法复习，马上中考", "urgent"),
        ("井盖松了，昨天有个大爷摔了", "urgent"),
        ("吃了外卖上吐下泻", "urgent"),
        ("路灯不亮", "normal"),
        ("明天停水什么时候停到几点，要停一天吗", "normal"),
        ("", "normal"),
    ],
)
def test_urgency(rules: Rules, text: str, urgency: str) -> None:
    told = classify(text, {}, rules)
    assert told.urgency == urgency
    assert any(why.startswith("紧急") for why in told.reasons) == (urgency == "urgent")


@pytest.mark.parametrize(
    ("text", "fields", "title"),
    [
        (
            "你好，我要投诉，建业小区9号楼三单元的楼道灯坏了，物业也不管，能不能修一下",
            {"where": "建业小区9号楼三单元"},
            "建业小区9号楼三单元楼道灯坏了",
        ),
        ("喂，就是说我们小区停水两天了，我电话13800138000", {}, "小区停水两天"),
        (
            "昨天下午五点28路公交甩站，希望处理司机",
            {"where": "人民广场站", "when": "昨天下午五点（2026年11月21日）"},
            "人民广场站28路公交甩站",
        ),
        ("", {}, "转人工，没有说明事由"),
    ],
)
def test_a_title_is_place_subject_and_problem(
    rules: Rules, text: str, fields: dict[str, str], title: str
) -> None:
    assert classify(text, fields, rules).title == title


def test_titles_are_short(rules: Rules) -> None:
    assert len(classify("路灯不亮" * 100, {"where": "建业小区" * 20}, rules).title) == LONGEST_TITLE


def test_a_summary_says_only_what_was_said(rules: Rules) -> None:
    fields = {
        "where": "临江县双山镇", "period": "三个月", "amount": "156000", "people": "12",
        "employer": "宏远建筑公司", "outcome": "要求马上发钱", "kind": "投诉",
    }  # fmt: skip
    told = classify("老板欠我们工资不给", fields, rules)
    assert told.summary == (
        "市民投诉：老板欠我们工资不给。地点在临江县双山镇。"
        "用人单位是宏远建筑公司，拖欠时段为三个月，金额156000元，涉及12人。市民要求马上发钱。"
    )


def test_a_summary_reads_as_a_sentence(rules: Rules) -> None:
    fields = {"kind": "其他", "against": "烧烤摊", "outcome": "尽快处理", "when": "每天晚上"}
    assert classify("楼下天天冒烟", fields, rules).summary == (
        "市民反映：楼下天天冒烟。时间是每天晚上。反映的对象是烧烤摊。市民希望尽快处理。"
    )


def test_a_title_is_of_one_matter(rules: Rules) -> None:
    story = "解放路的路灯不亮三天了；还有我们小区门口有人占道摆摊"
    lamp = title({"what": story, "where": "解放路"}, ("路灯",), default="")
    assert lamp == "解放路路灯不亮三天"
    stall = title({"what": story, "where": "解放路"}, ("占道",), default="")
    assert "解放路" not in stall
    assert "占道摆摊" in stall
    told = {"what": "路灯不亮；在解放路18号", "where": "解放路18号"}
    assert title(told, ("路灯",), default="") == "解放路18号路灯不亮"
    assert title({"what": "漏水；有人占道"}, ("漏水",), default="") == "漏水"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("别说是我举报的", True), ("希望给我保密", True), ("不要透露我的信息", True),
        ("我匿名举报", True), ("怕他们报复我", True), ("千万别让邻居知道是我", True),
        ("不用保密", False), ("我不怕他报复，可以公开", False), ("公司让签保密协议", False),
        ("路灯不亮", False),
    ],
)  # fmt: skip
def test_secrecy(rules: Rules, text: str, secret: bool) -> None:
    assert classify(text, {}, rules).secret is secret
    assert classify("路灯不亮", {"secret": YES}, rules).secret


def test_a_city_without_classes_classifies_nothing(city: City) -> None:
    bare = rules_of(city.model_copy(update={"classes": ClassesFile()}))
    told = classify("路灯不亮", {}, bare)
    assert (told.code, told.department, bare.model) == ("", "", None)
    assert told.title == "路灯不亮"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("groups: [{code: 1, name: x, classes: [{code: 1, name: y}]}]", "twice"),
        (
            "groups: [{code: 1, name: x, classes: [{code: 2, name: y, department: 没有局}]}]",
            "没有局",
        ),
        ("groups: [{code: '', name: x, classes: []}]", "classes"),
        ("pressing: [{reason: x, all: []}]", "all"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    folder = tmp_path / "city"
    folder.mkdir()
    for file in SAMPLE_CITY.glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "classes.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=wrong) as refused:
        load_city(folder)
    assert refused.value.code == "config_invalid"
