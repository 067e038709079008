from __future__ import annotations

import pytest

from sealing.errors import SealError
from sealing.keys import Algorithm, Key, decoded, encoded, keyring, new_key

ALGORITHMS: tuple[Algorithm, ...] = ("aes256", "sm4")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_fresh_key_is_read_back(algorithm: Algorithm) -> None:
    written = new_key(algorithm)
    ring = keyring(f"  {written}\n")
    assert ring is not None
    assert ring.newest.algorithm == algorithm
    assert written == f"qk1.{algorithm}.{encoded(ring.newest.secret)}"
    assert len(ring.newest.secret) == {"aes256": 32, "sm4": 16}[algorithm]
    assert new_key(algorithm) != written


def test_no_key_is_no_ring() -> None:
    assert keyring("") is None
    assert keyring(" ,\n") is None


def test_the_first_seals_and_all_open() -> None:
    new, old = new_key(), new_key("sm4")
    ring = keyring(f"{new},{old}\n{new}")
    assert ring is not None
    assert [key.algorithm for key in ring.keys] == ["aes256", "sm4"]
    assert ring.named(ring.keys[1].id).algorithm == "sm4"
    with pytest.raises(SealError) as caught:
        ring.named("00000000")
    assert caught.value.code == "data_key_wrong"


@pytest.mark.parametrize(
    "written",
    ["secret", "qk1.aes256.", "qk2.aes256." + "A" * 43, "qk1.aes256." + "A" * 42, "qk1.des.AAAA",
     "qk1.sm4." + "A" * 43, "qk1.aes256." + "A" * 42 + "=", "qk1.aes256." + "A" * 42 + "B"],
)  # fmt: skip
def test_what_is_no_key_is_refused_and_never_repeated(written: str) -> None:
    with pytest.raises(SealError) as caught:
        keyring(written)
    assert caught.value.code == "data_key_invalid"
    assert "AAA" not in str(caught.value)


def test_a_key_hides_itself_and_differs_by_purpose() -> None:
    key = Key("aes256", bytes(range(32)))
    assert "\\x01" not in repr(key)
    assert key.derived("a") != key.derived("b") != key.derived("b", b"salt")
    assert len({Key("aes256", bytes(32)).id, Key("sm4", bytes(16)).id, key.id}) == 3


def test_the_ciphers_are_the_published_ones() -> None:
    """RFC 8998 A.1 (SM4-GCM); NIST's GCM test case 16 (AES-256)."""
    from sealing.keys import Gcm

    sm4 = Gcm("sm4", bytes.fromhex("0123456789abcdeffedcba9876543210"))
    plain = b"".join(bytes([pair]) * 8 for pair in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    associated = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = sm4.seal(bytes.fromhex("00001234567800000000abcd"), plain, associated)
    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    aes = Gcm(
        "aes256",
        bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
    )
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = aes.seal(bytes.fromhex("cafebabefacedbaddecaf888"), plain, associated)
    assert sealed.hex().endswith("76fc6ece0f4e1768cddf8853bb2d551b")
    assert sealed.hex().startswith("522dc1f099567d07f47f37a32a84427d")


def test_base64url_is_exact() -> None:
    assert decoded("AA") == b"\0"
    for wrong in ("A", "AB", "A=", "AA==", "A A", "+/", "中"):
        assert decoded(wrong) is None
