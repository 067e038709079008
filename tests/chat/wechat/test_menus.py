"""Menus that we send mean what they meant, and the account's own is as the platform takes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine
from typer.testing import CliRunner

from bot import answered, records
from bot.records import Opening
from chat.wechat import menus
from chat.wechat.merging import Piece
from config.city import SHIPPED
from config.errors import ConfigError
from config.wechat import WechatFile
from qianmen.commands.wechat import wechat
from qianmen.wechatsim.account import Account
from qianmen.wechatsim.platform import Platform
from qianmen.wechatsim.server import serving
from store.engine import reading
from store.tables import Turn
from tests.chat.wechat.rig import APPID, SECRET, Rig
from turns.replies import Ask, Option, Say

pytestmark = pytest.mark.usefixtures("logs_as_they_were")
OPTIONS = (Option("购房提取", "buy"), Option("租房提取", "rent"))
BUTTONS = {
    "buttons": [
        {"name": "办事指南", "buttons": [{"name": "租房提取", "key": "rent"},
                                       {"name": "网上办事", "url": "https://a.example.cn/"}]},
        {"name": "转人工", "key": "person"},
    ]
}  # fmt: skip


@pytest.fixture
def asked(engine: Engine, now: datetime) -> int:
    """A question of a conversation; its cursor."""
    for talk in ("t1", "t2"):
        opening = Opening(talk, "wechat", "12345", f"wechat:{talk}", now, "")
        records.open_conversation(engine, opening)
    ask = Ask("a", "哪一种？", OPTIONS, "choice")
    answered.commit_told(engine, "t1", (Say("s", "您好"), ask), speaker="bot", at=now)
    with reading(engine) as session:
        return max(row.seq for row in session.query(Turn))


def test_a_click_is_the_option_also_much_later(engine: Engine, asked: int, now: datetime) -> None:
    menu = menus.menu("哪一种？", Piece(asked, "哪一种？", OPTIONS))
    answered.commit_told(engine, "t1", (Say("s2", "别的"),), speaker="bot", at=now)
    found = [menus.chosen(engine, "t1", choice.id) for choice in menu.choices]
    assert found == list(OPTIONS)


def test_what_is_no_click_on_a_menu_of_theirs_means_nothing(engine: Engine, asked: int) -> None:
    for clicked in ("", "1", "101", "x00", f"{asked}02", f"{asked - 1}00", "９９００", "9" * 16,
                    "99999999900", "1" * 500):  # fmt: skip
        assert menus.chosen(engine, "t1", clicked) is None, clicked
    assert menus.chosen(engine, "t2", menus.menu_id(asked, 0)) is None


def test_what_the_platform_would_not_take_is_no_menu() -> None:
    assert menus.possible("哪一种？", OPTIONS)
    assert not menus.possible("", OPTIONS)
    assert not menus.possible("哪一种？", ())
    assert not menus.possible("哪一种？", OPTIONS * 6)
    assert not menus.possible("哪一种？", (Option("长" * 30, "x"),))


async def test_the_accounts_menu_is_as_the_platform_wants_it() -> None:
    rig = Rig()
    buttons = WechatFile.model_validate(BUTTONS).buttons
    await rig.api().create_menu(menus.account_menu(buttons))
    assert rig.platform.menu == ("办事指南", "转人工")


@pytest.fixture
def city_folder(tmp_path: Path) -> Path:
    """The shipped city, with buttons."""
    folder = tmp_path / "city"
    folder.mkdir()
    for file in SHIPPED.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "wechat.yaml").unlink(missing_ok=True)
    (folder / "wechat.yaml").write_text(yaml.safe_dump(BUTTONS, allow_unicode=True))
    return folder


@pytest.fixture
def platform() -> Iterator[Platform]:
    found = Platform(Account(APPID, SECRET, "token"))
    with serving(found):
        yield found


def test_the_command_puts_it_in_place(
    platform: Platform, city_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "CITY": str(city_folder), "DATA_DIR": str(tmp_path), "WECHAT_APPID": APPID,
        "WECHAT_SECRET": SECRET, "WECHAT_API": platform.address,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"QIANMEN_{name}", value)
    done = CliRunner().invoke(wechat, ["menu"], catch_exceptions=False)
    assert done.exit_code == 0
    assert platform.menu == ("办事指南", "转人工")
    monkeypatch.setenv("QIANMEN_WECHAT_SECRET", "wrong")
    with pytest.raises(ConfigError) as refused:
        CliRunner().invoke(wechat, ["menu"], catch_exceptions=False)
    assert refused.value.code == "secret_invalid"
    assert "wrong" not in str(refused.value)
    (city_folder / "wechat.yaml").write_text("menu: {}")
    with pytest.raises(ConfigError) as missing:
        CliRunner().invoke(wechat, ["menu"], catch_exceptions=False)
    assert missing.value.code == "menu_missing"
