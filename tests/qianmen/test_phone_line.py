"""The settings choose the line's engine and who it is."""

from __future__ import annotations

from config.settings import Settings
from qianmen.phone import line_settings, open_line
from telephony.pyvoip.line import PyvoipLine
from telephony.sip.line import SipLine


def test_the_engine_is_chosen() -> None:
    assert isinstance(open_line(Settings()), SipLine)
    assert isinstance(open_line(Settings(line_engine="pyvoip")), PyvoipLine)


def test_the_extension_is_the_settings_one() -> None:
    wanted = line_settings(
        Settings(
            sip_registrar="pbx:5062",
            sip_user="8001",
            sip_password="tiger",
            sip_realm="r",
            sip_proxy="10.0.0.1",
        )
    )
    assert (wanted.registrar, wanted.user, wanted.password) == ("pbx:5062", "8001", "tiger")
    assert (wanted.realm, wanted.proxy) == ("r", "10.0.0.1")
    assert "tiger" not in repr(wanted)
    assert "tiger" not in repr(Settings(sip_password="tiger"))
