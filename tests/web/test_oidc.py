"""Single sign-on against a strict provider, and what it must not let in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import Engine, select

from config.errors import ConfigError
from config.settings import Settings
from handoff.staff import Act, get_staff, link, list_staff, set_active
from store.audit import verify
from store.engine import reading, writing
from store.tables import Staff
from tests.conftest import NOON
from tests.fakes.office import KEY as OFFICE_KEY
from tests.fakes.office import Office
from tests.fakes.oidc import CLIENT, ISSUER, KEY, OTHER_KEY, SECRET, Provider
from tests.web.conftest import Clock, audits, sign_in
from web.oidc import (
    CALLBACK,
    Client,
    SignOn,
    SignOnError,
    challenge_of,
    roles_in,
    sign_on_from,
)
from web.site import Site

SUBJECT = f"{ISSUER}#42"


class Watch:
    """A clock of its own for what needs no database."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def provider(watch: Watch) -> Provider:
    return Provider(watch)


def sign_on_of(provider: Provider) -> SignOn:
    client = Client(ISSUER, CLIENT, SECRET, "https://12345.example.gov.cn" + CALLBACK)
    return SignOn(client, "统一认证", provider.transport)


def come_back(provider: Provider, sign_on: SignOn, **more: str) -> Any:
    url, pending = sign_on.begin(provider.now())
    answer = {**provider.authorize(url), **more}
    return sign_on.finish(pending, answer, provider.now())


def test_who_comes_back_is_known(provider: Provider) -> None:
    provider.claims = {"roles": ["supervisor", "administrator", "agent", "hr"]}
    identity = come_back(provider, sign_on_of(provider))
    assert identity.subject == SUBJECT
    assert (identity.login, identity.name) == ("wang.fang", "王芳")
    assert identity.roles == ("agent", "supervisor")  # never administrator


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": None},
     {"aud": [CLIENT, "another"]}, {"azp": "another"}, {"iss": "https://evil.example"},
     {"iss": ISSUER + "/"}, {"exp": int(NOON.timestamp()) - 61}, {"exp": None}, {"iat": None},
     {"iat": int(NOON.timestamp()) + 3600}, {"nbf": int(NOON.timestamp()) + 3600},
     {"sub": None}, {"sub": ""}, {"sub": 42}, {"sub": "x" * 256}, {"exp": "soon"}],
)  # fmt: skip
def test_an_id_token_that_is_not_for_us_now_is_refused(
    provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    with pytest.raises(SignOnError) as caught:
        come_back(provider, sign_on_of(provider))
    assert caught.value.code == "sign_on_refused"


def test_several_audiences_with_us_as_the_party(provider: Provider) -> None:
    provider.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
    assert come_back(provider, sign_on_of(provider)).subject == SUBJECT


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def by_the_public_key(claims: dict[str, Any]) -> str:
    """The old trick: the public key taken for a shared secret."""
    signed = f"{_part({'alg': 'HS256', 'kid': 'k1'})}.{_part(claims)}"
    mac = hmac.new(KEY.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by_another(claims: dict[str, Any]) -> str:
    forged = RSAKey.generate_key(2048, {"kid": "k1"})
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, forged)


def of_an_unknown_key(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k2"}, claims, OTHER_KEY)


def changed(claims: dict[str, Any]) -> str:
    head, _, mac = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY).split(".")
    return f"{head}.{_part({**claims, 'sub': '1'})}.{mac}"


@pytest.mark.parametrize(
    "sign",
    [unsigned, by_the_public_key, by_another, of_an_unknown_key, changed, lambda _: "junk",
     lambda _: "a.b.c", lambda _: "", lambda _: "ü.ü.ü"],
)  # fmt: skip
def test_a_token_that_the_provider_did_not_sign_is_refused(
    provider: Provider, sign: Callable[[dict[str, Any]], str]
) -> None:
    provider.sign = sign
    with pytest.raises(SignOnError) as caught:
        come_back(provider, sign_on_of(provider))
    assert caught.value.code == "sign_on_refused"


def test_new_keys_are_fetched_but_not_at_every_try(provider: Provider, watch: Watch) -> None:
    sign_on = sign_on_of(provider)
    come_back(provider, sign_on)
    assert provider.asked.count("/keys") == 1
    provider.key, provider.published = OTHER_KEY, (KEY, OTHER_KEY)
    with pytest.raises(SignOnError):
        come_back(provider, sign_on)
    assert provider.asked.count("/keys") == 1
    watch.now += timedelta(seconds=31)
    assert come_back(provider, sign_on).subject == SUBJECT
    assert provider.asked.count("/keys") == 2
    come_back(provider, sign_on)
    assert provider.asked.count("/keys") == 2


@pytest.mark.parametrize(
    ("more", "code"),
    [({"state": "another"}, "sign_on_expired"), ({"state": "ü"}, "sign_on_expired"),
     ({"iss": "https://evil.example"}, "sign_on_refused"), ({"code": "stolen"}, "sign_on_refused")],
)  # fmt: skip
def test_an_answer_of_another_visit_is_refused(
    provider: Provider, more: dict[str, str], code: str
) -> None:
    with pytest.raises(SignOnError) as caught:
        come_back(provider, sign_on_of(provider), **more)
    assert caught.value.code == code


def test_a_code_is_good_once_and_only_with_its_verifier(provider: Provider) -> None:
    sign_on = sign_on_of(provider)
    url, pending = sign_on.begin(NOON)
    answer = provider.authorize(url)
    sign_on.finish(pending, answer, NOON)
    with pytest.raises(SignOnError):
        sign_on.finish(pending, answer, NOON)
    _, other = sign_on.begin(NOON)
    stolen = provider.authorize(sign_on.begin(NOON)[0])
    with pytest.raises(SignOnError):
        sign_on.finish(other, {**stolen, "state": other.state}, NOON)


@pytest.mark.parametrize(
    "failure", [500, 302, 404, httpx.ConnectError("away"), httpx.ReadTimeout("slow")]
)
def test_a_provider_that_is_down(provider: Provider, failure: Exception | int) -> None:
    sign_on = sign_on_of(provider)
    url, pending = sign_on.begin(NOON)
    answer = provider.authorize(url)
    provider.failure = failure
    with pytest.raises(SignOnError):  # while the code is exchanged
        sign_on.finish(pending, answer, NOON)
    with pytest.raises(SignOnError) as caught:  # before anything is known of it
        sign_on_of(provider).begin(NOON)
    assert caught.value.code == "sign_on_down"


@pytest.mark.parametrize(
    "document",
    [{"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None},
     {"token_endpoint": "http://sso.example.gov.cn/token"}, {"jwks_uri": "file:///etc/passwd"},
     {"authorization_endpoint": 7}],
)  # fmt: skip
def test_a_discovery_document_that_leads_astray(
    provider: Provider, document: dict[str, Any]
) -> None:
    provider.document = document
    with pytest.raises(SignOnError) as caught:
        sign_on_of(provider).begin(NOON)
    assert caught.value.code == "sign_on_down"


def test_the_challenge_is_the_standards() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("claims", "claim", "roles"),
    [({"roles": ["agent"]}, "roles", ("agent",)), ({"roles": "editor"}, "roles", ("editor",)),
     ({"realm_access": {"roles": ["approver", "x"]}}, "realm_access.roles", ("approver",)),
     ({"roles": {"agent": 1}}, "roles", ()), ({"roles": [["agent"], 7]}, "roles", ()),
     ({"realm_access": ["agent"]}, "realm_access.roles", ()), ({}, "roles", ()),
     ({"roles": ["administrator", "Agent"]}, "roles", ())],
)  # fmt: skip
def test_roles_are_taken_by_name_and_never_the_administrators(
    claims: dict[str, Any], claim: str, roles: tuple[str, ...]
) -> None:
    assert roles_in(claims, claim) == roles


@pytest.mark.parametrize(
    ("values", "named"),
    [({"oidc_issuer": "http://sso.example"}, "OIDC_ISSUER"), ({"oidc_client_id": ""}, "CLIENT_ID"),
     ({}, "PUBLIC_URL")],
)  # fmt: skip
def test_what_is_missing_for_it_is_said_at_the_start(values: dict[str, Any], named: str) -> None:
    settings = Settings(**{"oidc_issuer": ISSUER, "oidc_client_id": "x", **values})
    with pytest.raises(ConfigError) as caught:
        sign_on_from(settings, "")
    assert named in str(caught.value)
    assert sign_on_from(Settings(), "") is None


# In the browser.


@pytest.fixture
def sso(office: Office, clock: Clock) -> Provider:
    provider = Provider(clock)
    client = Client(ISSUER, CLIENT, SECRET, "http://testserver" + CALLBACK)
    site: Site = office.app.state.site
    object.__setattr__(site, "sign_on", SignOn(client, "市统一认证", provider.transport))
    return provider


def visit(visitor: TestClient, provider: Provider, path: str = "/staff/sign-on") -> Any:
    there = visitor.get(path)
    assert there.status_code == 303
    return visitor.get(CALLBACK, params=provider.authorize(there.headers["location"]))


def test_somebody_linked_signs_in(
    office: Office, engine: Engine, visitor: TestClient, staff: str, sso: Provider
) -> None:
    link(engine, Act("admin", office.now(), OFFICE_KEY), staff, SUBJECT)
    assert "市统一认证" in visitor.get("/staff/sign-in").text
    back = visit(visitor, sso, "/staff/sign-on?next=/orders")
    assert (back.status_code, back.headers["location"]) == (303, "/orders")
    assert "李敏" in visitor.get("/orders").text
    assert audits(engine, "sign_on") == [("li", "staff")]
    with reading(engine) as session:
        assert verify(session, OFFICE_KEY) is None


def test_an_account_is_made_only_with_a_role_of_ours(
    engine: Engine, visitor: TestClient, sso: Provider
) -> None:
    sso.claims = {"roles": ["administrator", "hr"]}
    back = visit(visitor, sso)
    assert back.status_code == 403
    assert "还没有本系统的账号" in back.text
    assert list_staff(engine) == ()
    sso.claims = {"roles": ["agent"]}
    assert visit(visitor, sso).headers["location"] == "/desk"
    made = get_staff(engine, "wang.fang")
    assert (made.profile.roles, made.subject, made.must_change) == (("agent",), SUBJECT, False)
    sso.claims = {"roles": []}  # known from now on; roles are changed here
    assert visit(visitor, sso).status_code == 303


def test_a_login_that_looks_alike_is_not_taken_over(
    engine: Engine, visitor: TestClient, staff: str, sso: Provider
) -> None:
    sso.claims = {"preferred_username": staff, "roles": ["supervisor"]}
    assert visit(visitor, sso).status_code == 403
    assert get_staff(engine, staff).subject == ""
    assert audits(engine, "sign_on_refused") == [("single-sign-on", "staff")]


def test_who_is_switched_off_stays_out(
    office: Office, engine: Engine, visitor: TestClient, staff: str, sso: Provider
) -> None:
    act = Act("admin", office.now(), OFFICE_KEY)
    link(engine, act, staff, SUBJECT)
    set_active(engine, act, staff, active=False)
    sso.claims = {"roles": ["agent"]}
    assert visit(visitor, sso).status_code == 403
    assert len(list_staff(engine)) == 1


def test_a_password_that_another_gave_ends_with_the_first_sign_on(
    office: Office, engine: Engine, visitor: TestClient, staff: str, sso: Provider
) -> None:
    with writing(engine) as session:
        session.scalars(select(Staff)).one().must_change = True
    link(engine, Act("admin", office.now(), OFFICE_KEY), staff, SUBJECT)
    assert visit(visitor, sso).headers["location"] == "/desk"
    visitor.cookies.clear()
    assert sign_in(visitor, staff, "correct horse") == 401


def test_without_its_cookie_or_too_late_nobody_comes_in(
    visitor: TestClient, staff: str, sso: Provider, clock: Clock
) -> None:
    answer = sso.authorize(visitor.get("/staff/sign-on").headers["location"])
    clock.advance(seconds=601)
    late = visitor.get(CALLBACK, params=answer)
    assert (late.status_code, "等得太久" in late.text) == (401, True)
    answer = sso.authorize(visitor.get("/staff/sign-on").headers["location"])
    visitor.cookies.clear()
    assert visitor.get(CALLBACK, params=answer).status_code == 401
    assert visitor.get(CALLBACK).status_code == 401


def test_a_visit_cannot_be_repeated(visitor: TestClient, sso: Provider) -> None:
    sso.claims = {"roles": ["agent"]}
    answer = sso.authorize(visitor.get("/staff/sign-on").headers["location"])
    assert visitor.get(CALLBACK, params=answer).status_code == 303
    assert "qianmen_sign_on" not in visitor.cookies
    assert visitor.get(CALLBACK, params=answer).status_code == 401


def test_a_provider_that_is_down_leaves_the_local_form(
    visitor: TestClient, staff: str, sso: Provider
) -> None:
    sso.failure = httpx.ConnectTimeout("slow")
    page = visitor.get("/staff/sign-on")
    assert page.status_code == 503
    assert "统一认证暂时连不上" in page.text
    assert sign_in(visitor, staff, "correct horse") == 303


def test_without_it_there_is_no_button_and_no_page(visitor: TestClient) -> None:
    assert "sign-on" not in visitor.get("/staff/sign-in").text
    assert visitor.get("/staff/sign-on").status_code == 404
    assert visitor.get(CALLBACK).status_code == 404


def test_afterwards_one_stays_on_this_site(visitor: TestClient, sso: Provider) -> None:
    sso.claims = {"roles": ["agent"]}
    back = visit(visitor, sso, "/staff/sign-on?next=//evil.example")
    assert back.headers["location"] == "/desk"
