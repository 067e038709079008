"""``qianmen wechat``: the WeChat platform simulated, with a citizen who talks to the account."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from config.errors import ConfigError
from config.settings import Settings
from qianmen.commands.shared import Json, installation, run
from qianmen.console import print_json, say, show
from qianmen.wechatsim import messages
from qianmen.wechatsim.account import Format, Mode
from qianmen.wechatsim.delivery import Delivery, HttpWire
from qianmen.wechatsim.platform import Platform
from qianmen.wechatsim.server import serving
from qianmen.wechatsim.setup import PATH, Setup, made, setup_of
from qianmen.wechatsim.talk import SETTLE_S, Step, Talk, converse
from qianmen.wechatsim.view import Seen

wechat = typer.Typer(help="微信公众号：用模拟的微信平台试一试。", no_args_is_help=True)
SAYS = ("我租房子住，能不能把公积金取出来？", "那要带什么材料")
_WHO = {"citizen": "市民", "account": "前门", "platform": "微信"}
_VOICES = {".amr": "amr", ".speex": "speex", ".spx": "speex"}


@wechat.command()
def simulate(
    url: Annotated[
        str,
        typer.Option(help="前门收微信消息的地址，http://HOST:PORT/wechat；不写就用本机的前门。"),
    ] = "",
    sentence: Annotated[list[str], typer.Option("--say", help="市民发的一句话，可以给多次。")] = [],  # noqa: B006  # typer wants the plain default
    mode: Annotated[
        str, typer.Option(help="plain 明文，compatible 兼容，secure 安全。")
    ] = "secure",
    format: Annotated[str, typer.Option(help="xml 或 json。")] = "xml",  # noqa: A002  # WeChat's word
    voice: Annotated[Path | None, typer.Option(help="再发一段语音：AMR 或 Speex 文件。")] = None,
    recognition: Annotated[
        str | None, typer.Option(help="微信随语音给的识别文字；不写就没有。")
    ] = None,
    stall: Annotated[float, typer.Option(min=0, max=30, help="接口每次迟多少秒才回答。")] = 0.0,
    retries: Annotated[int, typer.Option(min=0, max=2, help="每条回复丢失几次，平台重试。")] = 0,
    rotate_key: Annotated[bool, typer.Option(help="说到一半更换消息加解密密钥。")] = False,
    errors: Annotated[
        list[int], typer.Option(help="接下来发客服消息得到的错误码，可给多次。")
    ] = [],  # noqa: B006  # as above
    strict: Annotated[bool, typer.Option(help="有任何一处不合微信的规定就算失败。")] = False,
    json: Json = False,
) -> None:
    """扮演微信平台和一位市民：推送消息、严格检查回复；退出码 0 表示每条都答了、没有重复。"""
    if mode not in get_args(Mode):
        raise ConfigError("mode_unknown", f"--mode：只能是 {'、'.join(get_args(Mode))}")
    if format not in get_args(Format):
        raise ConfigError("mode_unknown", f"--format：只能是 {'、'.join(get_args(Format))}")
    if voice is not None and (voice.suffix not in _VOICES or not voice.is_file()):
        raise ConfigError("bad_input", f"--voice：{voice} 不是 AMR 或 Speex 文件")

    def hold(settings: Settings, address: str) -> Talk:
        setup = setup_of(settings, mode, format, rotate=rotate_key)  # type: ignore[arg-type]  # checked above
        platform = Platform(setup.account)
        platform.faults.stall_s = stall
        platform.faults.errors.extend(errors)
        steps = [Step(messages.subscribe())]
        steps += [Step(messages.text(text), retries) for text in sentence or SAYS]
        if voice is not None:
            kind = _VOICES[voice.suffix]
            known = platform.media.keep(voice.read_bytes(), kind, platform.clock())
            steps.append(Step(messages.voice(known, kind, recognition), retries))
        if rotate_key:
            middle = len(steps) // 2
            steps[middle] = replace(steps[middle], before=lambda: _rotate(platform, setup))
        return _held(platform, setup, address, steps, live=not json)

    talk = run(_at_the_door(installation(), url, hold))
    worked = talk.worked(strict=strict)
    if json:
        report: dict[str, Any] = {"worked": worked, "mode": mode, "format": format}
        print_json({**talk.as_json(), **report})
    else:
        _show_outcome(talk, worked=worked)
    raise typer.Exit(0 if worked else 1)


@wechat.command("menu")
def put_menu(json: Json = False) -> None:
    """把城市 wechat.yaml 里的 buttons 放上公众号，成为底部的自定义菜单。"""
    from bot.join import read_city
    from chat.wechat.errors import WeChatError
    from chat.wechat.menus import account_menu

    settings = installation()
    buttons = read_city(settings.city).wechat.buttons
    if not buttons:
        raise ConfigError("menu_missing", "城市的 wechat.yaml 里没有 buttons")
    if not (settings.wechat_appid and settings.wechat_secret):
        raise ConfigError(
            "wechat_unset", "没有公众号：请设置 QIANMEN_WECHAT_APPID 和 QIANMEN_WECHAT_SECRET"
        )
    try:
        run(_put(settings, account_menu(buttons)))
    except WeChatError as error:
        raise ConfigError(error.code, f"微信没有接受：{error}") from None
    if json:
        print_json({"buttons": [button.name for button in buttons]})
    else:
        show(f"✔ 已放上 {len(buttons)} 个按钮；关注者几分钟内会看到。")


async def _put(settings: Settings, menu: dict[str, Any]) -> None:
    from chat.wechat.api import Api, http_client
    from chat.wechat.token import Account, Tokens

    account = Account(settings.wechat_appid, settings.wechat_secret, settings.wechat_api)
    async with http_client() as client:
        await Api(settings.wechat_api, client, Tokens(account, client, None)).create_menu(menu)


async def _at_the_door(settings: Settings, url: str, hold: Any) -> Talk:
    """``hold`` at ``url``; without one at this machine's front door, started where it is not up."""
    from qianmen.demo import with_front_door
    from qianmen.status import status

    async def at_home(found: Settings) -> Talk:
        talk: Talk = await asyncio.to_thread(hold, found, found.web_address + PATH)
        return talk

    if url:
        talk: Talk = await asyncio.to_thread(hold, settings, url)
        return talk
    if not settings.wechat_appid and not (await status(settings))["up"]:
        settings = made(settings)
    return await with_front_door(settings, at_home)


def _held(platform: Platform, setup: Setup, address: str, steps: list[Step], *, live: bool) -> Talk:
    wire = HttpWire(address)
    delivery = Delivery(platform, wire)
    try:
        with serving(platform, port=setup.port) as api:
            say(f"模拟的微信平台在 {api}，消息推送到 {address}")
            delivery.check_server()
            openid = platform.citizen().openid
            return converse(
                delivery, openid, steps, settle_s=SETTLE_S,
                on_seen=_show if live else lambda _: None,
            )  # fmt: skip
    except OSError as error:
        raise ConfigError("port_in_use", f"端口 {setup.port}：{error.strerror}") from None
    finally:
        wire.close()


def _rotate(platform: Platform, setup: Setup) -> None:
    platform.account = replace(platform.account, aes_key=setup.next_key)


def _show(bubble: Seen) -> None:
    show(f"{_WHO[bubble.who]}：{bubble.text}" + (f"  {bubble.url}" if bubble.url else ""))


def _show_outcome(talk: Talk, *, worked: bool) -> None:
    for code in talk.breaches:
        show(f"✘ 不合规定：{code}")
    for text in talk.doubled:
        show(f"✘ 重复：{text}")
    for text in talk.unanswered:
        show(f"✘ 没有回答：{text}")
    mark = "✔ 全部答复" if worked else "✘ 没有通过"
    show(f"{mark}，最慢一次 {talk.slowest_s:.2f} 秒")
