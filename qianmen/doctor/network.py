"""Ports and who has them, and what of the network can be known from inside."""

from __future__ import annotations

import ipaddress
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, error, ok, warning
from qianmen.doctor.places import is_loopback
from qianmen.doctor.telephone import may_call
from qianmen.phone import line_settings
from qianmen.ports import is_free, wanted_ports
from telephony.line import LineError
from telephony.sip.settings import checked
from telephony.sip.udp import BUFFER_BYTES

_PORTS_A_CALL = 4
"""Caller and agent, each sound and its reports (RFC 3550 section 11)."""
_FILES_A_CALL, _FILES_BESIDE = 8, 256
_FILES_OF_PAGES = 12_000  # ten thousand pages that chat, and what a web process opens beside them
_ANY = ("0.0.0.0", "::", "")  # noqa: S104  # compared only


@dataclass(frozen=True, slots=True)
class Port:
    """One port: ``holder`` is who has it ('' nobody, '?' somebody we may not see)."""

    kind: str
    host: str
    number: int
    setting: str
    holder: str
    ours: bool


@dataclass(frozen=True, slots=True)
class PortFacts:
    """All ports, and whether they should be taken."""

    up: bool
    ports: tuple[Port, ...]


def collect_ports(patient: Patient) -> PortFacts:
    """Try each; ask the kernel who has those that are taken. In containers each has its own."""
    if patient.scattered:
        return PortFacts(patient.up, ())
    ports = tuple(_port(patient, *wanted) for wanted in wanted_ports(patient.settings))
    return PortFacts(patient.up, ports)


def _port(patient: Patient, kind: str, host: str, number: int, setting: str) -> Port:
    if is_free(kind, host, number):
        return Port(kind, host, number, setting, "", ours=False)
    holder = _holder(kind, number)
    if holder is None:
        return Port(kind, host, number, setting, "?", ours=patient.up)
    return Port(kind, host, number, setting, f"{holder.name()}，进程 {holder.pid}",
                ours=_is_ours(patient, holder))  # fmt: skip


def _holder(kind: str, number: int) -> psutil.Process | None:
    try:
        for one in psutil.net_connections(kind):
            listens = kind == "udp" or one.status == psutil.CONN_LISTEN
            if listens and one.laddr and one.laddr.port == number and one.pid:
                return psutil.Process(one.pid)
    except (psutil.Error, OSError):
        return None
    return None


def _is_ours(patient: Patient, holder: psutil.Process) -> bool:
    if patient.managed is None:
        return patient.up
    pids = {running.pid for running in patient.managed.values()}
    try:
        return holder.pid in pids or any(parent.pid in pids for parent in holder.parents())
    except psutil.Error:
        return False


def judge_ports(facts: PortFacts) -> Iterator[Finding]:
    """Free before the start, ours after it."""
    strangers = [port for port in facts.ports if port.holder and not port.ours]
    for port in strangers:
        who = "看不到是哪个程序" if port.holder == "?" else port.holder
        yield error(
            "port_taken", f"端口 {port.kind} {port.number}", f"被别的程序占用（{who}）",
            f"停掉那个程序，或者换一个端口（{port.setting}）。",
        )  # fmt: skip
    if not facts.ports:
        yield ok("ports_elsewhere", "端口", "各个容器自己的，这里看不到")
    elif not strangers:
        state = "都由前门在用" if facts.up else "都空着"
        yield ok("ports_ok", "端口", f"{len(facts.ports)} 个端口{state}")


@dataclass(frozen=True, slots=True)
class LineFacts:
    """How the telephone line is set; ``addresses`` are this machine's own, without loopback."""

    host: str
    public_host: str
    peers: tuple[str, ...]
    rtp: tuple[int, int]
    max_calls: int
    addresses: tuple[str, ...]
    fault: str = ""


def collect_line(patient: Patient) -> LineFacts:
    """The settings, and the addresses of this machine."""
    settings = patient.settings
    try:
        fault = ""
        checked(line_settings(settings))
    except LineError as failure:
        fault = str(failure)
    own = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not is_loopback(address.address)
    ]
    return LineFacts(
        settings.sip_host, settings.sip_public_host, may_call(settings),
        (settings.rtp_first_port, settings.rtp_last_port), settings.max_calls, tuple(own), fault,
    )  # fmt: skip


def judge_line(facts: LineFacts) -> Iterator[Finding]:
    """Who may call, and where their sound goes."""
    if facts.fault:
        yield error("line_settings", "电话线路", facts.fault, "改正 QIANMEN_SIP_… 里的这一项。")
        return
    if not facts.peers and not is_loopback(facts.host):
        yield warning(
            "sip_open", "谁能打进来", f"在 {facts.host} 上监听，没有限制来源：谁都能打进来",
            '把中继或交换机的地址写进 QIANMEN_SIP_PEERS，例如 ["10.1.2.3"]。',
        )  # fmt: skip
    else:
        yield ok("sip_peers_ok", "谁能打进来", "、".join(facts.peers) or "只有本机")
    yield _address(facts)
    yield _rtp(facts)


def _address(facts: LineFacts) -> Finding:
    subject = "对外地址"
    if facts.public_host or facts.host not in _ANY:
        return ok("sip_address_ok", subject, facts.public_host or facts.host)
    if len(facts.addresses) > 1:
        return warning(
            "sip_address_unclear", subject,
            f"本机有 {len(facts.addresses)} 个地址（{'、'.join(facts.addresses)}），"
            "没有说对方该把声音送到哪一个",
            "设 QIANMEN_SIP_PUBLIC_HOST（中继看得到的那个地址），不然可能只有一方听得到。",
        )  # fmt: skip
    address = facts.addresses[0] if facts.addresses else "127.0.0.1"
    if facts.addresses and ipaddress.ip_address(address).is_private:
        seen = f"{address} 是内网地址：中继在同一内网就对；隔着 NAT 要设 QIANMEN_SIP_PUBLIC_HOST"
        return ok("sip_address_private", subject, seen)
    return ok("sip_address_ok", subject, address)


def _rtp(facts: LineFacts) -> Finding:
    first, last = facts.rtp
    there, needed = last - first + 1, _PORTS_A_CALL * facts.max_calls
    if there < needed:
        return warning(
            "rtp_ports_few", "声音端口", f"{there} 个，{facts.max_calls} 路通话要 {needed} 个",
            "放宽 QIANMEN_RTP_FIRST_PORT 到 QIANMEN_RTP_LAST_PORT，或者减小 QIANMEN_MAX_CALLS。",
        )  # fmt: skip
    return ok("rtp_ports_ok", "声音端口", f"udp {first}–{last}")


@dataclass(frozen=True, slots=True)
class FirewallFacts:
    """What the firewall's programs say, None where they are missing or do not tell us."""

    ufw: str | None
    nft: str | None
    iptables: str | None
    ports: tuple[int, ...]


def collect_firewall(patient: Patient) -> FirewallFacts:
    """Ask all of them."""
    settings = patient.settings
    return FirewallFacts(
        _said("ufw", "status"), _said("nft", "list", "ruleset"), _said("iptables", "-S"),
        (settings.sip_port, settings.rtp_first_port),
    )  # fmt: skip


def _said(name: str, *arguments: str) -> str | None:
    program = shutil.which(name) or next(
        (path for path in (f"/usr/sbin/{name}", f"/sbin/{name}") if Path(path).is_file()), None
    )
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  # a fixed program and arguments
            [program, *arguments], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def judge_firewall(facts: FirewallFacts) -> Iterator[Finding]:
    """From inside one sees rules, never what a box on the way does: how to try it is said."""
    subject = "防火墙"
    ports = "、".join(str(port) for port in facts.ports)
    trying = f"从另一台机器打一次：qianmen call sip:12345@本机地址:{facts.ports[0]}"
    closed = _closed(facts)
    if closed:
        yield warning(
            "firewall_closed", subject, f"{closed} 默认拒收，没有看到放行 {ports} 的规则",
            f"放行 SIP 的 udp {facts.ports[0]} 和声音的 udp 端口段；然后{trying}。",
        )  # fmt: skip
    elif (facts.ufw, facts.nft, facts.iptables) == (None, None, None):
        yield ok("firewall_unknown", subject, f"这个用户看不到防火墙规则；要确认，{trying}")
    else:
        yield ok("firewall_ok", subject, f"本机没有拒收的规则；路上的设备看不到，要确认，{trying}")


def _closed(facts: FirewallFacts) -> str:
    """Which firewall drops by default without naming the port of SIP; '' for none."""
    if facts.ufw and "Status: active" in facts.ufw and str(facts.ports[0]) not in facts.ufw:
        return "ufw"
    for name, rules, drop in (
        ("iptables", facts.iptables, "-P INPUT DROP"),
        ("nftables", facts.nft, "hook input priority filter; policy drop"),
    ):
        if rules and drop in rules and str(facts.ports[0]) not in rules:
            return name
    return ""


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """Limits of the kernel and of this user's processes."""

    receive_buffer: int | None
    files: int
    max_calls: int
    most_files: int = -1
    """To what a process may raise ``files`` by itself; -1: without end."""


def collect_limits(patient: Patient) -> LimitFacts:
    """Read them."""
    path = Path("/proc/sys/net/core/rmem_max")
    buffer = int(path.read_text()) if path.is_file() else None
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return LimitFacts(buffer, files, patient.settings.max_calls, most)


def judge_limits(facts: LimitFacts) -> Iterator[Finding]:
    """Room for the calls that are allowed."""
    needed = _FILES_BESIDE + _FILES_A_CALL * facts.max_calls
    subject = "系统限制"
    if 0 <= facts.files < needed:
        yield warning(
            "file_limit_low", subject, f"最多打开 {facts.files} 个文件，要 {needed} 个",
            "ulimit -n 65535（systemd 服务写 LimitNOFILE=65535），再重新启动。",
        )  # fmt: skip
    if 0 <= facts.most_files < _FILES_OF_PAGES:
        yield warning(
            "file_limit_bars_pages", subject,
            f"一个进程最多只许打开 {facts.most_files} 个文件：同时开着的网页聊天不会比这个数多",
            "把 ulimit -Hn 提到 65535（systemd 服务写 LimitNOFILE=65535），再重新启动。",
        )  # fmt: skip
    if facts.receive_buffer is not None and facts.receive_buffer < BUFFER_BYTES:
        yield warning(
            "socket_buffer_small", subject,
            f"net.core.rmem_max 是 {facts.receive_buffer}：来话一多，SIP 消息会丢",
            f"sysctl -w net.core.rmem_max={BUFFER_BYTES}，并写进 /etc/sysctl.d/。",
        )  # fmt: skip
        return
    if facts.files < 0 or facts.files >= needed:
        yield ok("limits_ok", subject, "打开文件数和接收缓冲够用")


CHECKS = (
    check("网络", collect_ports, judge_ports),
    check("网络", collect_line, judge_line),
    check("网络", collect_firewall, judge_firewall, within_s=20),
    check("网络", collect_limits, judge_limits),
)
