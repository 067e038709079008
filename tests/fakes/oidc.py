"""A strict OpenID provider as a transport: real keys, codes good for once, PKCE checked."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://sso.example.gov.cn/realm"
CLIENT, SECRET = "qianmen", "a secret between the two"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig", "alg": "RS256"})


@dataclass
class Provider:
    """``claims`` go over what the ID token would say; ``sign`` may make any token of them."""

    now: Callable[[], datetime]
    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    published: tuple[RSAKey, ...] = (KEY,)
    failure: Exception | int | None = None
    sign: Callable[[dict[str, Any]], str] | None = None
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._serve)

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back after its visit to the authorization endpoint."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{ISSUER}/authorize?")
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return {"code": code, "state": query["state"]}

    def _serve(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/realm")
        self.asked.append(path)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return httpx.Response(self.failure, text="out of order")
        assert str(request.url).startswith(ISSUER)
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={
                "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token", "jwks_uri": f"{ISSUER}/keys", **self.document,
            })  # fmt: skip
        if path == "/keys":
            keys = [key.as_dict(private=False) for key in self.published]
            return httpx.Response(200, json={"keys": keys})
        assert path == "/token"
        return self._token(request)

    def _token(self, request: httpx.Request) -> httpx.Response:
        given = base64.b64encode(f"{CLIENT}:{quote(SECRET)}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {given}":
            return httpx.Response(401, json={"error": "invalid_client"})
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        begun = self._codes.pop(form["code"], None)
        if begun is None or form["redirect_uri"] != begun["redirect_uri"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != begun["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        token = self._id_token(begun["nonce"])
        return httpx.Response(200, json={"access_token": "a", "token_type": "Bearer",
                                         "expires_in": 60, "id_token": token})  # fmt: skip

    def _id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        claims = {"iss": ISSUER, "sub": "42", "aud": CLIENT, "exp": at + 300, "iat": at,
                  "nonce": nonce, "preferred_username": "Wang.Fang", "name": "王芳",
                  **self.claims}  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return jwt.encode({"alg": "RS256", "kid": str(self.key.kid)}, claims, self.key)
