"""Find out, before anything starts, that a port is taken, and say which."""

from __future__ import annotations

import socket

from config.errors import ConfigError
from config.settings import Settings


def check_ports(settings: Settings) -> None:
    """Raise :class:`ConfigError` ``port_in_use`` naming each taken port and its setting."""
    taken = [
        f"{kind} {host}:{port} ({setting})"
        for kind, host, port, setting in wanted_ports(settings)
        if not is_free(kind, host, port)
    ]
    if taken:
        raise ConfigError(
            "port_in_use",
            "端口已被占用：" + "；".join(taken) + "。请先停掉占用它的程序，或者换一个端口。",
        )


def wanted_ports(settings: Settings) -> list[tuple[str, str, int, str]]:
    """Kind (udp, tcp), host, port and setting of every port that we listen on."""
    loopback = "127.0.0.1"
    wanted = [
        ("udp", settings.sip_host, settings.sip_port, "QIANMEN_SIP_PORT"),
        ("tcp", settings.metrics_host, settings.phone_health_port, "QIANMEN_PHONE_HEALTH_PORT"),
        ("tcp", settings.asr_host, settings.asr_port, "QIANMEN_ASR_PORT"),
        ("tcp", settings.actions_host, settings.actions_port, "QIANMEN_ACTIONS_PORT"),
        ("tcp", settings.rasa_host, settings.rasa_port, "QIANMEN_RASA_PORT"),
        ("tcp", settings.web_host, settings.web_port, "QIANMEN_WEB_PORT"),
        ("tcp", settings.metrics_host, settings.web_metrics_port, "QIANMEN_WEB_METRICS_PORT"),
        ("tcp", settings.metrics_host, settings.keeper_port, "QIANMEN_KEEPER_PORT"),
        ("tcp", settings.metrics_host, settings.courier_port, "QIANMEN_COURIER_PORT"),
    ]
    if not settings.redis_url:
        wanted.append(("tcp", loopback, settings.redis_port, "QIANMEN_REDIS_PORT"))
    return wanted


def is_free(kind: str, host: str, port: int) -> bool:
    """Whether the port can be had now."""
    stream = kind == "tcp"
    with socket.socket(
        socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    ) as probe:
        if stream:  # a port that only waits out its last connection is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
