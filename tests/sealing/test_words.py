from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealing.blobs import BlobSeal
from sealing.errors import SealError
from sealing.keys import Key, Keyring
from sealing.words import WordSeal, is_sealed, open_plain, store_plain

OLD, NEW = Key("sm4", b"o" * 16), Key("aes256", b"n" * 32)
SEALS = [WordSeal(Keyring((key,)), "test") for key in (OLD, NEW)]
CODES = ("data_key_wrong", "sealed_broken")
# Half characters too: JSON lets them through.
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


@pytest.mark.parametrize("seal", SEALS)
@given(text=ANY_TEXT, context=st.text())
def test_what_was_sealed_is_opened(seal: WordSeal, text: str, context: str) -> None:
    sealed = seal.seal(text, context)
    assert is_sealed(sealed)
    assert sealed.isascii()
    assert seal.open(sealed, context) == text
    assert seal.seal(text, context) != sealed


@pytest.mark.parametrize("seal", SEALS)
@given(data=st.data())
def test_any_changed_bit_is_noticed(seal: WordSeal, data: st.DataObject) -> None:
    sealed = bytearray(seal.seal(data.draw(st.text()), "here").encode())
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    changed = sealed.decode("latin-1")
    if not is_sealed(changed):  # the mark itself was hit: no longer taken for sealed
        assert seal.open(changed, "here") == open_plain(changed)
        return
    with pytest.raises(SealError) as caught:
        seal.open(changed, "here")
    assert caught.value.code in CODES


@given(text=st.one_of(st.text(), st.from_regex(r"qs1\.[0-9a-f]{0,8}\.?[A-Za-z0-9_-]*")))
def test_rubbish_is_a_value_or_our_own_error(text: str) -> None:
    try:
        outcome = SEALS[0].open(text)
    except SealError as error:
        outcome = error.code
    assert outcome in CODES or not is_sealed(text)


@given(text=st.one_of(ANY_TEXT, st.text().map("qs1.".__add__), st.text().map("qs0.".__add__)))
def test_without_a_key_any_text_is_kept_as_it_is(text: str) -> None:
    stored = store_plain(text)
    assert not is_sealed(stored)
    assert open_plain(stored) == text
    assert SEALS[1].open(stored) == text  # … also when a key is set later


def test_bound_to_purpose_and_context() -> None:
    seal = SEALS[0]
    sealed = seal.seal("你好", "conversation 1")
    for other, context in (
        (seal, "conversation 2"),
        (WordSeal(seal.ring, "else"), "conversation 1"),
    ):
        with pytest.raises(SealError) as caught:
            other.open(sealed, context)
        assert caught.value.code == "sealed_broken"


def test_a_key_is_changed_while_the_old_one_still_opens() -> None:
    both = WordSeal(Keyring((NEW, OLD)), "test")
    old = SEALS[0].seal("你好")
    assert both.open(old) == "你好"
    assert not both.is_current(old)
    assert both.is_current(both.seal("你好"))
    with pytest.raises(SealError) as caught:
        SEALS[1].open(old)
    assert caught.value.code == "data_key_wrong"
    with pytest.raises(SealError) as missing:
        open_plain(old)
    assert missing.value.code == "data_key_missing"


@given(data=st.binary(), cut=st.integers(1, 40))
def test_bytes_are_sealed_as_well(data: bytes, cut: int) -> None:
    seal = BlobSeal(Keyring((NEW, OLD)), "sound")
    sealed = seal.seal(data, "name")
    assert seal.open(sealed, "name") == data
    for wrong, context in ((sealed, "other"), (sealed[:-cut], "name"), (data, "name")):
        with pytest.raises(SealError):
            seal.open(wrong, context)
    assert seal.name("幺三八") != BlobSeal(Keyring((OLD,)), "sound").name("幺三八")
