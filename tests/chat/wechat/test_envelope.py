"""Bodies: XML and JSON alike, no entity ever, bounded, and total."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wechat.envelope import DEEPEST, LARGEST, MOST, Fields, Node, read, text_of
from chat.wechat.incoming_errors import IncomingError

CODES = {"body_too_large", "body_broken", "body_doctype", "body_too_deep", "field_twice"}


def code_of(body: bytes) -> str:
    with pytest.raises(IncomingError) as caught:
        read(body)
    return caught.value.code


def test_xml_and_json_tell_the_same() -> None:
    xml = (
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><CreateTime>1348831860</CreateTime>"
        "<Content><![CDATA[a < b & c ]]]]><![CDATA[> d]]></Content><MsgId>1234567890123456</MsgId>"
        "<SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>1</PicMd5Sum></item>"
        "<item><PicMd5Sum>2</PicMd5Sum></item></PicList></SendPicsInfo></xml>"
    )
    told = {
        "ToUserName": "gh_1", "CreateTime": 1348831860, "Content": "a < b & c ]]> d",
        "MsgId": 1234567890123456,
        "SendPicsInfo": {"Count": 2, "PicList": [{"PicMd5Sum": "1"}, {"PicMd5Sum": "2"}]},
    }  # fmt: skip
    found = read(xml.encode())
    assert found == read(json.dumps(told).encode())
    assert text_of(found, "SendPicsInfo", "Count") == "2"
    assert text_of(found, "SendPicsInfo") == text_of(found, "nothing", "there") == ""


def test_numbers_keep_all_their_digits() -> None:
    assert read(b'{"MsgId": 18446744073709551615, "Location_X": 23.134500}') == {
        "MsgId": "18446744073709551615", "Location_X": "23.134500",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE xml SYSTEM "http://evil.test/x.dtd"><xml><a>1</a></xml>',
        b'<!DOCTYPE xml [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><a>&e;</a></xml>',
        b'<!DOCTYPE xml [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><xml><a>&b;</a></xml>',
        b'<?xml version="1.0"?><!DOCTYPE xml><xml><a>1</a></xml>',
    ],
)
def test_no_dtd_is_read(body: bytes) -> None:
    assert code_of(body) == "body_doctype"


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"<xml>", b"<xml/>", b"<xml>text</xml>", b"<other><a>1</a></other>", b"{}x",
        b"<xml><a>&nothing;</a></xml>", b"<xml><a>1</a></xml><xml/>", b"\xff\xfe", b"{",
        b'{"a": NaN}',
        b'<?xml version="1.0" encoding="GBK"?><xml><a>1</a></xml>', b"[1]", b'"a"',
        b"<xml>\0</xml>",
        b'<?xml version="1.0" encoding="nothing"?><xml><a>1</a></xml>', b'{"a": "\xff"}',
        b"<xml><item>1</item></xml>",
    ],
)  # fmt: skip
def test_what_is_no_body_is_broken(body: bytes) -> None:
    assert code_of(body) == "body_broken"


def test_size_depth_and_number_are_bounded() -> None:
    assert code_of(b"<xml><a>" + b"x" * LARGEST + b"</a></xml>") == "body_too_large"
    deep = DEEPEST + 1
    assert code_of(b"<xml>" + b"<a>" * deep + b"</a>" * deep + b"</xml>") == "body_too_deep"
    assert code_of(b'{"a":' * 5000 + b"1" + b"}" * 5000) in ("body_too_deep", "body_broken")
    assert code_of(b"<xml>" + b"<a/>" * (MOST + 1) + b"</xml>") == "body_too_deep"
    assert code_of(json.dumps({"a": list(range(MOST + 1))}).encode()) == "body_too_deep"


def test_a_field_that_stands_twice_is_refused() -> None:
    """Who checked one of them may have acted on the other."""
    assert code_of(b"<xml><a>1</a><a>2</a></xml>") == "field_twice"
    assert code_of(b'{"a": 1, "a": 2}') == "field_twice"
    assert code_of(b'{"b": {"a": 1, "a": 2}}') == "field_twice"


def test_what_no_database_keeps_is_replaced() -> None:
    assert read(b'{"a": "x\\u0000y\\ud800z", "b": true}') == {"a": "x\ufffdy\ufffdz", "b": ""}


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda n: n != "item")
CHARACTERS = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
)
TEXTS = st.text(CHARACTERS, min_size=1, max_size=30)
FIELDS = st.dictionaries(
    NAMES, st.one_of(TEXTS, st.dictionaries(NAMES, TEXTS, min_size=1, max_size=3)),
    min_size=1, max_size=6,
)  # fmt: skip


def as_xml(node: Node) -> str:
    if isinstance(node, str):
        return escape(node)
    assert isinstance(node, dict)
    return "".join(f"<{name}>{as_xml(inner)}</{name}>" for name, inner in node.items())


@given(FIELDS)
def test_what_was_written_is_read(fields: Fields) -> None:
    assert read(f"<xml>{as_xml(fields)}</xml>".encode()) == fields
    assert read(json.dumps(fields).encode()) == fields


PIECES = st.sampled_from(
    [b"<xml>", b"</xml>", b"<a>", b"</a>", b"<![CDATA[", b"]]>", b"<!DOCTYPE", b"&lt;", b"{", b"}",
     b'"a":', b"[", b"]", b"\x00", b"\xff", b"<item>", b"</item>", b"1e999", b"\\ud800"]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map(b"".join)))
def test_anything_is_read_or_refused(body: bytes) -> None:
    found, code = None, ""
    try:
        found = read(body)
    except IncomingError as error:
        code = error.code
    assert code in CODES or isinstance(found, dict)
