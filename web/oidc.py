"""Single sign-on by OpenID Connect: authorization code with PKCE, state and nonce.

Only the configured issuer is asked, and only what its discovery document names. A library checks
signatures; what OpenID Connect Core 3.1.3.7 asks of an ID token besides is checked here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from config.errors import ConfigError
from config.settings import Settings
from handoff.profile import ROLES

CALLBACK = "/staff/sign-on/callback"
TIMEOUT_S = 5.0
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
_KEPT = timedelta(hours=1)
_REFRESH = timedelta(seconds=30)  # unknown keys make us ask again, but not more often
_LEEWAY_S = 60
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SignOnError(Exception):
    """The single sign-on failed; ``code`` is stable.

    sign_on_down: the provider cannot be reached or answers nonsense; sign_on_refused: it, or our
    check of what it said, refused; sign_on_expired: begun too long ago, or elsewhere.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Pending:
    """What must be remembered, in the visitor's signed cookie, until they come back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for: ``subject`` is ``issuer#sub``; ``roles`` are ours by name."""

    subject: str
    login: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by."""

    issuer: str
    id: str
    secret: str
    redirect_uri: str
    roles_claim: str = "roles"


@dataclass(frozen=True, slots=True)
class _Known:
    """The provider's documents, as they were at ``read``."""

    document: Mapping[str, Any]
    keys: KeySet
    read: datetime


def sign_on_from(settings: Settings, origin: str) -> SignOn | None:
    """The installation's single sign-on; None without one. ``origin`` is our public address.

    Raises ``ConfigError`` ``settings_invalid``.
    """
    if not settings.oidc_issuer:
        return None
    parts = urlsplit(settings.oidc_issuer)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ConfigError("settings_invalid", "QIANMEN_OIDC_ISSUER: must begin with https://")
    if not settings.oidc_client_id:
        raise ConfigError("settings_invalid", "QIANMEN_OIDC_CLIENT_ID: needed with an issuer")
    if not origin:
        raise ConfigError("settings_invalid", "QIANMEN_PUBLIC_URL: single sign-on needs it")
    client = Client(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret,
                    origin + CALLBACK, settings.oidc_roles_claim)  # fmt: skip
    return SignOn(client, settings.oidc_label)


class SignOn:
    """One provider. Synchronous: call it from a thread. Threads share it."""

    def __init__(
        self, client: Client, label: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.label = label
        self._client, self._transport = client, transport
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def begin(self, now: datetime) -> tuple[str, Pending]:
        """Where to send the visitor, and what to remember; raises :class:`SignOnError`."""
        pending = Pending(*(secrets.token_urlsafe(32) for _ in range(3)))
        with self._session() as http:
            known = self._documents(http, now)
        query = urlencode({
            "response_type": "code", "client_id": self._client.id, "scope": "openid profile",
            "redirect_uri": self._client.redirect_uri, "state": pending.state,
            "nonce": pending.nonce, "code_challenge": challenge_of(pending.verifier),
            "code_challenge_method": "S256",
        })  # fmt: skip
        endpoint = known.document["authorization_endpoint"]
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}", pending

    def finish(self, pending: Pending, answer: Mapping[str, str], now: datetime) -> Identity:
        """Who came back with ``answer``, the callback's parameters; raises :class:`SignOnError`."""
        if not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise SignOnError("sign_on_expired", "state")
        if answer.get("iss", self._client.issuer) != self._client.issuer:  # RFC 9207
            raise SignOnError("sign_on_refused", "issuer of the answer")
        if "code" not in answer:
            raise SignOnError("sign_on_refused", "error of the provider")
        with self._session() as http:
            known = self._documents(http, now)
            token = self._token(http, known, answer["code"], pending.verifier)
            claims = self._claims(http, token, pending.nonce, now)
        return _identity(claims, self._client)

    def _session(self) -> httpx.Client:
        return httpx.Client(timeout=TIMEOUT_S, trust_env=False, transport=self._transport)

    def _documents(self, http: httpx.Client, now: datetime, *, unknown_key: bool = False) -> _Known:
        """The provider's documents, not older than they may be."""
        with self._lock:
            known = self._known
            age = _REFRESH if unknown_key else _KEPT
            if known is None or now - known.read >= age:
                self._known = known = self._read(http, now)
            return known

    def _read(self, http: httpx.Client, now: datetime) -> _Known:
        issuer = self._client.issuer
        document = _get_json(http, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise SignOnError("sign_on_down", "the discovery document is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _check_address(document.get(name), issuer)
        try:
            keys = KeySet.import_key_set({"keys": _get_json(http, document["jwks_uri"])["keys"]})
        except (JoseError, KeyError, ValueError, TypeError):
            raise SignOnError("sign_on_down", "the keys cannot be read") from None
        return _Known(document, keys, now)

    def _token(self, http: httpx.Client, known: _Known, code: str, verifier: str) -> str:
        """Exchange the code (RFC 6749 4.1.3, RFC 7636 4.5); the ID token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": self._client.redirect_uri,
            "client_id": self._client.id,
        }
        auth: Any = httpx.USE_CLIENT_DEFAULT
        if self._client.secret:  # RFC 6749 2.3.1 wants both encoded as in a form
            auth = httpx.BasicAuth(quote(self._client.id, ""), quote(self._client.secret, ""))
        try:
            got = http.post(known.document["token_endpoint"], data=form, auth=auth)
            answer = got.json() if got.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise SignOnError("sign_on_down", type(error).__name__) from None
        if got.is_server_error or got.is_redirect:
            raise SignOnError("sign_on_down", f"status {got.status_code}")
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise SignOnError("sign_on_refused", "no ID token")
        return token

    def _claims(self, http: httpx.Client, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """The ID token's claims, after a second look at the keys where they may have changed."""
        try:
            decoded = _decode(token, self._documents(http, now).keys)
        except (JoseError, ValueError):
            keys = self._documents(http, now, unknown_key=True).keys
            try:
                decoded = _decode(token, keys)
            except (JoseError, ValueError, TypeError, AttributeError) as error:
                raise SignOnError("sign_on_refused", type(error).__name__) from None
        claims: dict[str, Any] = decoded.claims
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            rules.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise SignOnError("sign_on_refused", type(error).__name__) from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self._client.id:
            raise SignOnError("sign_on_refused", "azp")
        return claims


def challenge_of(verifier: str) -> str:
    """What proves later that the code was asked for by us (RFC 7636 4.2). Pure."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _decode(token: str, keys: KeySet) -> Any:
    return jwt.decode(token, keys, algorithms=_ALGORITHMS)


def _get_json(http: httpx.Client, url: str) -> dict[str, Any]:
    try:
        answer = http.get(url).raise_for_status()
        document = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise SignOnError("sign_on_down", type(error).__name__) from None
    if not isinstance(document, dict):
        raise SignOnError("sign_on_down", "no JSON object")
    return document


def _check_address(url: object, issuer: str) -> None:
    """A document fetched over TLS may not lead elsewhere without it."""
    scheme = urlsplit(issuer).scheme
    if not isinstance(url, str) or not url.startswith((f"{scheme}://", "https://")):
        raise SignOnError("sign_on_down", "an address of the discovery document")


def _identity(claims: Mapping[str, Any], client: Client) -> Identity:
    sub = claims["sub"]
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or not sub.isprintable():
        raise SignOnError("sign_on_refused", "sub")
    login = claims.get("preferred_username")
    name = claims.get("name")
    login = login.strip().lower() if isinstance(login, str) else ""
    return Identity(
        subject=f"{client.issuer}#{sub}",
        login=login,
        name=name.strip()[:50] if isinstance(name, str) and name.strip() else login,
        roles=roles_in(claims, client.roles_claim),
    )


def roles_in(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """Our roles that the claim names (dots lead inwards: ``realm_access.roles``). Pure.

    Never ``administrator``: a city's directory may call somebody so for another system.
    """
    found: Any = claims
    for part in claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    named = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(role for role in ROLES if role in named and role != "administrator")
