"""The cipher: the platform's published samples, both keys of a change, and whatever else comes."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wechat.crypto import BLOCK, AesKey, aes_key, seal, unseal
from chat.wechat.incoming_errors import IncomingError

APPID = "wxb11529c136998cb6"
KEY = aes_key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
OTHER = aes_key("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C")
SAMPLE = "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
"""What the platform's sample (WXBizMsgCrypt) makes of 我是中文abcd123."""


def code_of(sealed: str, *keys: AesKey, appid: str = APPID) -> str:
    with pytest.raises(IncomingError) as caught:
        unseal(keys or (KEY,), appid, sealed)
    return caught.value.code


def test_the_platforms_own_sample_is_made_and_opened() -> None:
    assert seal(KEY, APPID, "我是中文abcd123".encode(), b"aaaabbbbccccdddd") == SAMPLE
    opened = unseal((KEY,), APPID, SAMPLE)
    assert (opened.text.decode(), opened.key) == ("我是中文abcd123", KEY)


def test_during_a_change_both_keys_open_and_it_is_known_which() -> None:
    for key in (KEY, OTHER):
        assert unseal((OTHER, KEY), APPID, seal(key, APPID, b"<xml/>")).key == key


def test_another_accounts_message_is_not_ours() -> None:
    assert code_of(seal(KEY, "wx0000000000000000", b"<xml/>"), OTHER, KEY) == "appid_other"
    assert code_of(SAMPLE, OTHER) == "cipher_wrong"
    assert code_of(SAMPLE, appid=APPID[:-1]) == "appid_other"


@pytest.mark.parametrize("sealed", ["", "=", "中文", "AAAA", SAMPLE[:-4], SAMPLE + "!", SAMPLE[4:]])
def test_what_is_no_cipher_text_is_broken(sealed: str) -> None:
    assert code_of(sealed) == "cipher_broken"


@pytest.mark.parametrize(
    "plain",
    [
        b"\0" * 31 + b"\0",  # padding of nothing
        b"\0" * 31 + b"\x21",  # of more than a block
        b"\0" * 30 + b"\x03\x02",  # of bytes that are not alike
        b"\x20" * 32,  # nothing but padding
        b"r" * 16 + b"\xff\xff\xff\xff" + b"x" * 11 + b"\x01",  # a length beyond the end
    ],
)
def test_a_padding_or_length_that_cannot_be_is_refused(plain: bytes) -> None:
    assert code_of(base64.b64encode(KEY.encrypt(plain)).decode()) == "cipher_wrong"


@pytest.mark.parametrize(
    "text", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "啊" * 43, "a" * 42 + " "]
)
def test_a_key_has_43_characters_of_base64(text: str) -> None:
    with pytest.raises(IncomingError, match="aes_key_invalid"):
        aes_key(text)
    assert "a" * 42 not in repr(aes_key("a" * 43))


def test_a_retry_gets_the_same_bytes_and_another_text_others() -> None:
    assert seal(KEY, APPID, b"a") == seal(KEY, APPID, b"a")
    assert seal(KEY, APPID, b"a")[:20] != seal(KEY, APPID, b"b")[:20]


@given(st.binary(max_size=400), st.from_regex(r"wx[0-9a-f]{16}", fullmatch=True))
def test_what_was_sealed_is_opened_again(text: bytes, appid: str) -> None:
    sealed = seal(KEY, appid, text)
    assert len(base64.b64decode(sealed)) % BLOCK == 0
    assert unseal((OTHER, KEY), appid, sealed).text == text


@given(
    st.one_of(
        st.text(max_size=200), st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode())
    )
)
def test_nothing_else_opens_and_nothing_breaks(sealed: str) -> None:
    assert code_of(sealed) in ("cipher_broken", "cipher_wrong", "appid_other")


@given(st.integers(0, 63), st.integers(0, 7))
def test_a_bit_that_changed_is_noticed_or_changes_the_text(at: int, bit: int) -> None:
    """The cipher itself promises no more: ``msg_signature`` is what notices."""
    data = bytearray(base64.b64decode(SAMPLE))
    data[at % len(data)] ^= 1 << bit
    sealed = base64.b64encode(data).decode()
    opened = None
    with contextlib.suppress(IncomingError):
        opened = unseal((KEY,), APPID, sealed)
    assert opened is None or opened.text != "我是中文abcd123".encode() or at % len(data) < 16
