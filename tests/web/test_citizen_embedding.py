"""Who may show the citizen's page in a frame, and what that page alone may do."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from config.errors import ConfigError
from tests.fakes.office import Office


def embedding(office: Office, *sites: str) -> TestClient:
    office.settings = office.settings.model_copy(update={"embed_origins": sites})
    return TestClient(office.start())


def test_nobody_may_embed_until_the_city_names_them(visitor: TestClient) -> None:
    for path in ("/", "/staff/sign-in", "/chat/embed.js"):
        assert "frame-ancestors 'none'" in visitor.get(path).headers["content-security-policy"]


def test_the_citys_sites_may_embed_the_citizens_page_and_no_other(office: Office) -> None:
    client = embedding(office, "https://www.example.gov.cn/", "http://localhost:8080")
    policy = client.get("/?line=12329").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://www.example.gov.cn http://localhost:8080")
    for path in ("/staff/sign-in", "/orders", "/nothing"):
        assert "frame-ancestors 'none'" in client.get(path).headers["content-security-policy"]


def test_only_the_citizens_page_may_hear_and_know_where_it_is(visitor: TestClient) -> None:
    own = visitor.get("/").headers
    assert own["permissions-policy"] == "camera=(), geolocation=(self), microphone=(self)"
    assert "media-src 'self' blob:" in own["content-security-policy"]
    other = visitor.get("/staff/sign-in").headers
    assert other["permissions-policy"] == "camera=(), geolocation=(), microphone=()"
    assert "blob:" not in other["content-security-policy"]


def test_other_sites_may_load_the_one_script_and_nothing_else(visitor: TestClient) -> None:
    script = visitor.get("/chat/embed.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    assert script.headers["cache-control"] == "public, max-age=3600"
    assert visitor.get("/").headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "site",
    ["www.example.cn", "https://", "https://a.example/page", "https://a.example; script-src *",
     "https://*.example.cn", "javascript:alert(1)", ""],
)  # fmt: skip
def test_what_is_no_origin_is_refused_at_start(office: Office, site: str) -> None:
    with pytest.raises(ConfigError) as caught:
        embedding(office, site)
    assert caught.value.code == "settings_invalid"
    assert "QIANMEN_EMBED_ORIGINS" in str(caught.value)
