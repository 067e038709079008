"""``qianmen link``: keys, a simulated far side, and a matter pushed as 110 would."""

from __future__ import annotations

import json as json_module
import secrets
import signal
import threading
from typing import Annotated, get_args

import typer

from config.errors import ConfigError
from handoff.links.keys import Keys, read_keys
from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, say, show
from qianmen.linksim import Got, Mode, Simulator, row, send, shown

link = typer.Typer(help="和110、部门、其他系统的联动。", no_args_is_help=True)
PORT = 8110
"""Where links.yaml of the sample city looks for the simulator."""


@link.command("new-key")
def new_key() -> None:
    """生成一把签名密钥，写进 QIANMEN_LINK_KEYS（或同名的密钥文件），并交给对方。"""
    show(secrets.token_urlsafe(32))


@link.command()
def simulate(
    port: Annotated[int, typer.Option(help="在哪个端口。")] = PORT,
    mode: Annotated[
        str,
        typer.Option(
            help="怎么答：acknowledge 当场确认，delay 迟一些确认，callback 过后回调确认，"
            "silent 收下不确认，fail 出错，refuse 拒收，flaky 一次错一次对。"
        ),
    ] = "acknowledge",
    delay: Annotated[float, typer.Option(help="delay 和 callback 迟多少秒。")] = 5.0,
    json: Json = False,
) -> None:
    """扮演对方：严格验签，按要求确认、拖延、出错；只显示编号，不显示个人信息。"""
    if mode not in get_args(Mode):
        raise ConfigError("mode_unknown", f"--mode：只能是 {'、'.join(get_args(Mode))}")
    settings = installation()

    def tell(got: Got) -> None:
        show(json_module.dumps(row(got), ensure_ascii=False) if json else shown(got))

    simulator = Simulator(
        read_keys(settings.link_keys), mode, delay, settings.web_address, tell=tell  # type: ignore[arg-type]  # checked above
    )  # fmt: skip
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with simulator.serving(port=port) as url:
            say(f"模拟的对方在 {url}/110（方式 {mode}），按 Ctrl-C 停止。")
            stop.wait()
    except OSError as error:
        raise ConfigError("port_in_use", f"端口 {port}：{error.strerror}") from None


@link.command()
def push(
    what: Annotated[str, typer.Option(help="什么事。")],
    party: Annotated[str, typer.Option(help="以谁的名义。")] = "110",
    reference: Annotated[str, typer.Option(help="对方的编号；不写就随机一个。")] = "",
    where: Annotated[str, typer.Option(help="在哪里。")] = "",
    phone: Annotated[str, typer.Option(help="来电人的号码。")] = "",
    json: Json = False,
) -> None:
    """像110那样推送一件非警务事项，看返回的工单号。"""
    settings = installation()
    keys: Keys = read_keys(settings.link_keys).get(party, ())
    if not keys:
        raise ConfigError("link_key_missing", f"QIANMEN_LINK_KEYS：没有 {party} 的密钥")
    number = reference or f"SIM{secrets.randbelow(10**8):08d}"
    message = {"type": "order.push", "id": secrets.token_hex(16), "reference": number,
               "what": what, "where": where}  # fmt: skip
    if phone:
        message["phone"] = phone
    status, said = send(f"{settings.web_address}/api/linkage/{party}/orders", message, keys)
    if json:
        print_json({"status": status, "answer": said})
    elif status == 200:
        show(f"✔ {party} 的 {number} 已登记为工单 {said.get('reference')}")
    else:
        show(f"✘ 没有收下：{said.get('message') or said.get('code')}（{status}）")
    if status != 200:
        raise typer.Exit(1)
