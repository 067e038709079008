"""Configuration, secrets, and how far the pages are open to the outside."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.join import read_city
from config.errors import ConfigError
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning

LEAST_SECRET_CHARS = 32
SAMPLE_NAME = "示例市"


@dataclass(frozen=True, slots=True)
class CityFacts:
    """The city as read, or the error (code, message) that reading it gave."""

    name: str = ""
    lines: int = 0
    error: tuple[str, str] | None = None


def collect_city(patient: Patient) -> CityFacts:
    """Read the city's folder."""
    try:
        city = read_city(patient.settings.city)
    except ConfigError as failure:
        return CityFacts(error=(failure.code, str(failure)))
    return CityFacts(city.name, len(city.lines))


def judge_city(facts: CityFacts) -> Iterator[Finding]:
    """Readable, and a real city's."""
    subject = "城市配置"
    if facts.error:
        code, said = facts.error
        yield error(code, subject, said, "按提示改好这个文件的这一处，再重新启动。")
    elif facts.name == SAMPLE_NAME:
        yield warning(
            "city_sample", subject, "用的是随附的示例市",
            "把 config/cities/sample 复制一份，改成本市的，再设 QIANMEN_CITY。",
        )  # fmt: skip
    else:
        yield ok("city_ok", subject, f"{facts.name}，{facts.lines} 条线路")


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """``mode`` of the file, None where there is none; ``chars`` of the key in use."""

    given: bool
    mode: int | None
    chars: int


def collect_secret(patient: Patient) -> SecretFacts:
    """Look at the file, not at what stands in it."""
    given = patient.settings.secret_key
    path = patient.settings.data_dir / "secret"
    if given or not path.is_file():
        return SecretFacts(bool(given), None, len(given))
    return SecretFacts(False, path.stat().st_mode & 0o777, len(path.read_bytes().strip()))


def judge_secret(facts: SecretFacts) -> Iterator[Finding]:
    """Long, and nobody else's to read."""
    subject = "登录密钥"
    if not facts.given and facts.mode is None:
        yield ok("secret_not_yet", subject, "第一次启动时自动生成")
        return
    if facts.mode is not None and facts.mode & 0o077:
        yield warning(
            "secret_permissions", subject, f"密钥文件别人也能读（{facts.mode:o}）",
            "chmod 600 数据目录里的 secret 文件。",
        )  # fmt: skip
    if facts.chars < LEAST_SECRET_CHARS:
        yield error(
            "secret_short", subject, f"只有 {facts.chars} 个字符",
            f"换成至少 {LEAST_SECRET_CHARS} 个随机字符（或删掉它，让前门自己生成）。",
        )  # fmt: skip
    elif facts.mode is None or not facts.mode & 0o077:
        yield ok("secret_ok", subject, "只有前门自己能读，长度够")


@dataclass(frozen=True, slots=True)
class WebFacts:
    """Where the pages listen, and as what citizens reach them."""

    host: str
    public_url: str


def collect_web(patient: Patient) -> WebFacts:
    """From the settings."""
    return WebFacts(patient.settings.web_host, patient.settings.public_url)


def judge_web(facts: WebFacts) -> Iterator[Finding]:
    """Passwords and citizens' words leave this machine by https only."""
    subject = "网页加密"
    url = urlsplit(facts.public_url)
    encrypted = url.scheme == "https"
    if facts.public_url and not encrypted and not is_loopback(url.hostname or ""):
        yield warning(
            "public_url_insecure", subject, f"QIANMEN_PUBLIC_URL 是 {url.scheme or '不完整的地址'}",
            "前面放一个 TLS 代理，把地址写成 https://…；不然密码和市民的话在网上是明文。",
        )  # fmt: skip
    elif not is_loopback(facts.host) and not encrypted:
        yield warning(
            "web_exposed", subject, f"网页在 {facts.host} 上对外开放，没有 https",
            "前面放一个 TLS 代理，设 QIANMEN_PUBLIC_URL=https://…；"
            "或者把 QIANMEN_WEB_HOST 改回 127.0.0.1。",
        )  # fmt: skip
    else:
        yield ok("web_ok", subject, "https" if encrypted else "只在本机上能打开")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


CHECKS = (
    check("配置", collect_city, judge_city),
    check("配置", collect_secret, judge_secret),
    check("配置", collect_web, judge_web),
)
