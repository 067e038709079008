"""Does the line answer, and is there somebody where callers are sent on to? By OPTIONS."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from config.settings import Settings, reachable
from qianmen.citizen import sip
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.exchange import local_address_towards, udp_socket
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.doctor.places import is_loopback

_PAGE_S = 3.0
_TRIES_S = (0.5, 1.0, 2.0)
"""UDP loses things: sent again after these waits (RFC 3261 timer E, shortened)."""


def options(uri: sip.Uri) -> int:
    """The status that ``uri`` answers OPTIONS with (RFC 3261 section 11); 0 for no answer.

    Raises :class:`CitizenError` ``unreachable`` where there is no way to it.
    """
    host = local_address_towards(uri)
    with udp_socket(host) as probe:
        port = probe.getsockname()[1]
        request = _request(uri, host, port)
        for wait_s in _TRIES_S:
            with contextlib.suppress(OSError):  # a closed port's ICMP of the try before
                probe.sendto(sip.render(request), uri.address)
            status = _answer(probe, request.get("call-id"), wait_s)
            if status:
                return status
    return 0


def _request(uri: sip.Uri, host: str, port: int) -> sip.Message:
    token = secrets.token_hex(8)
    headers = (
        ("via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{token};rport"),
        ("max-forwards", "70"),
        ("from", f"<sip:doctor@{host}:{port}>;tag={token}"),
        ("to", f"<{uri}>"),
        ("call-id", f"{token}@{host}"),
        ("cseq", "1 OPTIONS"),
        ("contact", f"<sip:doctor@{host}:{port}>"),
        ("accept", "application/sdp"),
    )
    return sip.Message(method="OPTIONS", uri=str(uri), headers=headers)


def _answer(probe: socket.socket, call_id: str, wait_s: float) -> int:
    until = time.monotonic() + wait_s
    while (left := until - time.monotonic()) > 0:
        probe.settimeout(left)
        try:
            message = sip.parse(probe.recv(sip.MAX_MESSAGE_BYTES))
        except (OSError, sip.SipError):
            continue
        if message.status >= 200 and message.get("call-id") == call_id:  # final
            return message.status
    return 0


@dataclass(frozen=True, slots=True)
class LineFacts:
    """``status`` of our line to OPTIONS from ``source``; 0: silent. ``peers`` may call."""

    up: bool
    address: str
    status: int
    source: str
    peers: tuple[str, ...]


def collect_line(patient: Patient) -> LineFacts:
    """Ask our own line."""
    settings = patient.settings
    uri = sip.Uri("", reachable(settings.sip_host), settings.sip_port)
    peers = may_call(settings)
    if not patient.up or patient.scattered:
        return LineFacts(False, str(uri), 0, "", peers)
    return LineFacts(True, str(uri), options(uri), local_address_towards(uri), peers)


def may_call(settings: Settings) -> tuple[str, ...]:
    """Who may: those that are listed, and the PBX that we are an extension of."""
    pbx = (settings.sip_registrar, settings.sip_proxy) if settings.sip_registrar else ()
    return (*settings.sip_peers, *(place.partition(":")[0] for place in pbx if place))


def judge_line(facts: LineFacts) -> Iterator[Finding]:
    """It answers those that may call."""
    subject = "电话线路"
    if not facts.up:
        yield ok("line_not_asked", subject, "没有在这里运行，没有试")
    elif facts.status == 200:  # OK
        yield ok("line_ok", subject, f"{facts.address} 应答正常")
    elif facts.status:
        yield error(
            "line_refuses", subject, f"{facts.address} 应答 {facts.status}",
            "正在停止，或者满线；过一分钟再查，还这样就看 phone.log。",
        )  # fmt: skip
    elif not is_peer(facts.source, facts.peers):
        yield ok("line_not_for_us", subject, "可以打进来的地址里没有本机，线路按规定不理我们")
    else:
        yield error(
            "line_silent", subject, f"{facts.address} 不应答",
            "看 phone 进程起来没有（qianmen status）和 phone.log。",
        )  # fmt: skip


def is_peer(source: str, peers: tuple[str, ...]) -> bool:
    """Whether ``source`` may call; everybody may where there is no list."""
    return not peers or any(_within(source, peer) for peer in peers)


def _within(source: str, peer: str) -> bool:
    try:
        return ipaddress.ip_address(source) in ipaddress.ip_network(peer)
    except ValueError:  # a PBX by its name
        return False


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """The PBX that the line is to be registered at, and the ``state`` that the phone tells.

    ``state`` is empty where the phone was not asked.
    """

    registrar: str
    state: str


def collect_registration(patient: Patient) -> RegistrationFacts:
    """Ask the phone's health page."""
    settings = patient.settings
    if not settings.sip_registrar or not patient.up or patient.scattered:
        return RegistrationFacts(settings.sip_registrar, "")
    page = f"http://{reachable(settings.metrics_host)}:{settings.phone_health_port}/readyz"
    return RegistrationFacts(settings.sip_registrar, told(page, "registration"))


def told(page: str, name: str) -> str:
    """What a health page says of ``name``; empty where it says nothing."""
    try:
        with httpx.Client(trust_env=False, timeout=_PAGE_S) as client:
            said = client.get(page).json()
    except (httpx.HTTPError, ValueError):
        return ""
    return str(said.get(name, "")) if isinstance(said, dict) else ""


def judge_registration(facts: RegistrationFacts) -> Iterator[Finding]:
    """The PBX knows us."""
    subject = "交换机注册"
    if not facts.registrar:
        yield ok("register_trunk", subject, "不用注册：按中继接入")
    elif not facts.state:
        yield ok(
            "register_not_asked", subject, f"{facts.registrar}：电话进程没有在这里运行，没有问"
        )
    elif facts.state == "registered":
        yield ok("register_ok", subject, f"已在 {facts.registrar} 注册")
    elif facts.state == "failed":
        yield error(
            "register_failed", subject, f"在 {facts.registrar} 注册不上：打不进电话",
            "查 QIANMEN_SIP_USER 和 QIANMEN_SIP_PASSWORD、交换机的分机设置；"
            "原因（状态码）在 phone.log 的 register_failed。",
        )  # fmt: skip
    else:
        yield warning(
            "register_waiting", subject, f"正在向 {facts.registrar} 注册",
            "过一分钟再查；还这样就查地址、路由和防火墙。",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """A hunt group: whom callers are sent on to, and its status to OPTIONS (0: silent)."""

    uri: str
    lines: tuple[str, ...]
    status: int
    sample: bool


def collect_groups(patient: Patient) -> tuple[Group, ...]:
    """Ask each group once."""
    by_uri: dict[str, list[str]] = {}
    for line in patient.city.lines if patient.city else ():
        by_uri.setdefault(line.hunt_group, []).append(line.number)
    return tuple(_group(uri, tuple(lines)) for uri, lines in by_uri.items())


def _group(written: str, lines: tuple[str, ...]) -> Group:
    try:
        uri = sip.parse_uri(written)
        status = options(uri)
    except (sip.SipError, CitizenError, OSError):
        return Group(written, lines, 0, sample=False)
    return Group(written, lines, status, sample=is_loopback(uri.host))


def judge_groups(groups: tuple[Group, ...]) -> Iterator[Finding]:
    """Somebody is there."""
    for group in groups:
        subject = f"人工坐席 {'、'.join(group.lines)}"
        if group.sample:
            yield warning(
                "hunt_group_sample", subject, f"{group.uri} 是本机上的样例地址",
                "在 city.yaml 把 hunt_group 改成交换机上坐席组的 SIP 地址。",
            )  # fmt: skip
        elif not group.status:
            yield warning(
                "hunt_group_silent", subject, f"{group.uri} 不应答 OPTIONS",
                "查交换机地址、路由和防火墙；有的交换机不理 OPTIONS，那就打一次电话要人工试试。",
            )  # fmt: skip
        else:
            yield ok("hunt_group_ok", subject, f"{group.uri} 有应答（{group.status}）")


CHECKS = (
    check("电话", collect_line, judge_line),
    check("电话", collect_registration, judge_registration),
    check("电话", collect_groups, judge_groups, within_s=30),
)
