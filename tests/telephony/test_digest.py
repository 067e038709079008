"""Digest: the RFCs' own examples, what servers write, and anything at all."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip.digest import Account, Asked, Challenge, authorization, parse_challenges

# RFC 7616 §3.9.1; the password's case differs from RFC 2617's.
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
MUFASA = Account("Mufasa", "Circle of Life")
PAGE = Asked("GET", "/dir/index.html")
RFC_7616 = [
    f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={name}, '
    f'nonce="{NONCE}", opaque="{OPAQUE}"'
    for name in ("SHA-256", "MD5")
]


def response_of(value: str) -> str:
    return value.split('response="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("place", "response"),
    [
        (0, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (1, "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_rfc_7616(place: int, response: str) -> None:
    challenge = parse_challenges(RFC_7616)[place]
    value = authorization(challenge, MUFASA, PAGE, 1, CNONCE)
    assert response_of(value) == response
    for part in (f'opaque="{OPAQUE}"', f'cnonce="{CNONCE}"', "qop=auth", "nc=00000001"):
        assert part in value.split("Digest ")[1].split(", ")


def test_rfc_7616_sha_512_256() -> None:
    """§3.9.2 without its userhash; the response is that of erratum 4897."""
    (challenge,) = parse_challenges(
        [
            (
                'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
                'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, '
                "userhash=true, "
                'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS"'
            )
        ]
    )
    account = Account("Jäsøn Doe", "Secret, or not?")
    value = authorization(
        challenge,
        account,
        Asked("GET", "/doe.json"),
        1,
        "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    assert response_of(value) == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    assert "userhash" not in value


def test_rfc_2617() -> None:
    (challenge,) = parse_challenges(
        [
            (
                'Digest realm="testrealm@host.com", qop="auth,auth-int", '
                'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
                'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
            )
        ]
    )
    account = Account("Mufasa", "Circle Of Life")
    value = authorization(challenge, account, PAGE, 1, "0a4f113b")
    assert response_of(value) == "6629fae49393a05397450978507c4ef1"
    assert "algorithm" not in value


def test_without_qop_there_is_no_count() -> None:
    challenge = Challenge("biloxi.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    value = authorization(
        challenge, Account("bob", "zanzibar"), Asked("INVITE", "sip:bob@biloxi.com"), 1, "0a4f113b"
    )
    assert response_of(value) == "bf57e4e0d0bffc0fbaedce64d59add5e"
    assert "nc=" not in value
    assert "cnonce=" not in value


def test_the_session_algorithm_hashes_the_nonces_into_the_secret() -> None:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    challenge = Challenge("r", "n", "MD5-sess", "auth")
    value = authorization(challenge, Account("u", "p"), Asked("BYE", "sip:a"), 10, "c")
    secret = md5(f"{md5('u:r:p')}:n:c")
    assert response_of(value) == md5(f"{secret}:n:0000000a:c:auth:{md5('BYE:sip:a')}")
    assert "nc=0000000a" in value


def test_auth_int_covers_the_body() -> None:
    (challenge,) = parse_challenges(['Digest realm="r", nonce="n", qop="auth-int"'])
    account = Account("u", "p")
    bodies = (b"v=0", b"v=1")
    one, other = (
        response_of(authorization(challenge, account, Asked("INVITE", "sip:a", body), 1, "c"))
        for body in bodies
    )
    assert one != other


def test_several_challenges_in_one_value_keep_their_order() -> None:
    text = 'Basic realm="b", Digest realm="x, y", nonce="1", DIGEST nonce="2" , REALM="z"'
    assert [(c.realm, c.nonce) for c in parse_challenges([text])] == [("x, y", "1"), ("z", "2")]


def test_quotes_are_read_and_written_escaped() -> None:
    (challenge,) = parse_challenges([r'Digest realm="a\"b\\c", nonce="n"'])
    assert challenge.realm == 'a"b\\c'
    assert r'realm="a\"b\\c"' in authorization(
        challenge, Account("u", "p"), Asked("BYE", "x"), 1, ""
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Digest",
        "Negotiate abc==",
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", algorithm=AKAv1-MD5',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r", nonce="n\x00"',
        'Digest realm="r, nonce="n"',
    ],
)
def test_what_cannot_be_answered_is_left_out(text: str) -> None:
    assert parse_challenges([text]) == ()


@pytest.mark.parametrize(("text", "stale"), [("true", True), ("TRUE", True), ("false", False)])
def test_stale(text: str, stale: bool) -> None:
    (challenge,) = parse_challenges([f'Digest realm="r", nonce="n", stale={text}'])
    assert challenge.stale is stale


def test_a_password_is_not_printed() -> None:
    assert "tiger" not in repr(Account("u", "tiger"))


@given(st.lists(st.text(max_size=200), max_size=4))
def test_any_text_gives_challenges_or_none(values: list[str]) -> None:
    for challenge in parse_challenges(values):
        authorization(challenge, Account("u", "p"), Asked("INVITE", "sip:a@b"), 1, "c")


PRINTABLE = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f"), max_size=30)


@given(
    st.tuples(PRINTABLE, PRINTABLE.filter(bool), PRINTABLE | st.none()),
    st.sampled_from(["", "MD5", "md5-SESS", "SHA-256", "SHA-256-sess", "SHA-512-256"]),
    st.sampled_from(["", "auth", "auth-int"]),
    st.booleans(),
)
def test_what_a_server_writes_is_what_is_read(
    texts: tuple[str, str, str | None], algorithm: str, qop: str, stale: bool
) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    realm, nonce, opaque = texts
    parts = [f"realm={quoted(realm)}", f"nonce={quoted(nonce)}", f"stale={stale}"]
    parts += [f"algorithm={algorithm}"] if algorithm else []
    parts += [f"qop={quoted(qop)}"] if qop else []
    parts += [f"opaque={quoted(opaque)}"] if opaque is not None else []
    (challenge,) = parse_challenges([f"Digest {', '.join(parts)}"])
    assert challenge == Challenge(realm, nonce, algorithm, qop, opaque, stale)  # type: ignore[arg-type]  # sampled from Qop
