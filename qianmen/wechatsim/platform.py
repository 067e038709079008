"""The platform: its accounts' API, its citizens, and the count of every rule that was broken."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qianmen.wechatsim.account import Account
from qianmen.wechatsim.allowance import Rules
from qianmen.wechatsim.citizens import Citizen
from qianmen.wechatsim.codes import MESSAGES, Refusal
from qianmen.wechatsim.faults import Faults
from qianmen.wechatsim.media import Media
from qianmen.wechatsim.menus import menu
from qianmen.wechatsim.messages import Fields
from qianmen.wechatsim.passive import Passive
from qianmen.wechatsim.rates import Rates
from qianmen.wechatsim.sending import custom, parsed
from qianmen.wechatsim.templates import Notice, notice
from qianmen.wechatsim.tokens import Tokens
from qianmen.wechatsim.view import FAULT, Seen


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API."""

    body: bytes
    type: str = "application/json; encoding=utf-8"
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API: where to, what it got (-2: a file), and for whom it was."""

    at: float
    path: str
    errcode: int
    openid: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that the account broke: a stable code, and whom it met."""

    code: str
    openid: str = ""


@dataclass
class Platform:
    """One account's platform; safe to use from many threads. ``clock``: seconds of the epoch.

    ``templates``: the account's templates with the names of their fields in order.
    """

    account: Account
    clock: Callable[[], float] = time.time
    rules: Rules = field(default_factory=Rules)
    templates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    address: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    rates: Rates = field(default_factory=Rates)
    media: Media = field(default_factory=Media)
    faults: Faults = field(default_factory=Faults)
    citizens: dict[str, Citizen] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    breaches: list[Breach] = field(default_factory=list)
    menu: tuple[str, ...] = ()
    lock: threading.RLock = field(default_factory=threading.RLock)
    _news: threading.Condition = field(init=False)
    _numbers: int = field(default_factory=lambda: 10**15 + secrets.randbelow(10**15))

    def __post_init__(self) -> None:
        self._news = threading.Condition(self.lock)

    # ------------------------------------------------------------------ citizens

    def citizen(self, openid: str = "") -> Citizen:
        """The follower of that OpenID, who begins to follow where they are new."""
        with self.lock:
            known = openid or f"o6_bm{secrets.token_urlsafe(17)}"[:28]
            return self.citizens.setdefault(known, Citizen(known))

    def hears(self, openid: str, fields: Fields) -> dict[str, Any]:
        """The whole message that ``fields`` make, numbered and timed; the citizen has sent it."""
        with self.lock:
            now = self.clock()
            self._numbers += 1
            message: dict[str, Any] = {
                "ToUserName": self.account.original_id, "FromUserName": openid,
                "CreateTime": int(now), **fields,
            }  # fmt: skip
            if fields["MsgType"] != "event":
                message["MsgId"] = self._numbers
            self.citizen(openid).says(message, now, self.rules)
            return message

    def shows(self, openid: str, answer: Passive) -> None:
        """The citizen is shown a passive reply."""
        if answer.kind:
            text = answer.text or answer.media_id or "\n".join(
                f"{article.title}\n{article.description}" for article in answer.articles
            )  # fmt: skip
            url = answer.articles[0].url if answer.articles else ""
            self._show(openid, Seen(self.clock(), "account", answer.kind, text, "passive", (), url))

    def fails(self, openid: str, *codes: str) -> None:
        """No proper answer came: the citizen is shown so, and each reason is counted."""
        with self.lock:
            self.breaches += [Breach(code, openid) for code in codes]
        self._show(openid, Seen(self.clock(), "platform", "text", FAULT))

    def breach(self, code: str, openid: str = "") -> None:
        """Count a broken rule."""
        with self.lock:
            self.breaches.append(Breach(code, openid))

    def wait(self, until: Callable[[], bool], seconds: float) -> bool:
        """Wait for what only a later call of the API brings; False where it did not in time."""
        with self._news:
            return self._news.wait_for(until, seconds)

    def _show(self, openid: str, bubble: Seen) -> None:
        with self._news:
            citizen = self.citizen(openid)
            citizen.seen.append(bubble)
            citizen.typing_until = 0.0
            self._news.notify_all()

    # ----------------------------------------------------------------------- API

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        """The API's answer to one call; refusals are answers too."""
        with self._news:
            try:
                reply, errcode = self._route(method, path, query, body), 0
            except Refusal as refusal:
                reply, errcode = _refused(refusal), refusal.errcode
            self.calls.append(Call(self.clock(), path, errcode, _openid(body)))
            self._news.notify_all()
            return reply

    def _route(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        now = self.clock()
        wanted, deed = _DEEDS.get(path, ("", None))
        if deed is None:
            raise Refusal(40066)
        if method != wanted:
            raise Refusal(43002 if wanted == "POST" else 43001)
        if path not in _UNSIGNED:
            self.tokens.check(query.get("access_token", ""), now)
        self.rates.count(path, now)
        return deed(self, query, body, now)

    def _token(self, query: Mapping[str, str], _body: bytes, now: float) -> Reply:
        self._known(query)
        return _token(*self.tokens.plain(now))

    def _stable(self, _query: Mapping[str, str], body: bytes, now: float) -> Reply:
        call = parsed(body)
        self._known(call)
        force = call.get("force_refresh", False)
        if not isinstance(force, bool):
            raise Refusal(47001, "force_refresh")
        return _token(*self.tokens.stable(now, force=force))

    def _known(self, call: Mapping[str, Any]) -> None:
        if call.get("grant_type") != "client_credential":
            raise Refusal(40002)
        if not call.get("appid"):
            raise Refusal(41002)
        if call["appid"] != self.account.appid:
            raise Refusal(40013)
        if not call.get("secret"):
            raise Refusal(41004)
        if call["secret"] != self.account.secret:
            raise Refusal(40125)

    def _custom(self, _query: Mapping[str, str], body: bytes, now: float) -> Reply:
        self._told_to_fail()
        message = custom(body, self.media.files.keys())
        citizen = self._follower(message.to)
        citizen.allowance = citizen.allowance.spent(now)
        if message.escaped:
            self.breach("escaped_unicode", message.to)
        self._show(message.to, Seen(now, "account", message.kind, message.text, "custom",
                                    message.choices, message.url))  # fmt: skip
        return _ok()

    def _typing(self, _query: Mapping[str, str], body: bytes, now: float) -> Reply:
        call = parsed(body)
        self._follower(str(call.get("touser", ""))).types(call.get("command"), now)
        return _ok()

    def _template(self, _query: Mapping[str, str], body: bytes, now: float) -> Reply:
        self._told_to_fail()
        told = notice(body, self.templates)
        return self._notify(self._follower(told.to), told, now)

    def _subscription(self, _query: Mapping[str, str], body: bytes, now: float) -> Reply:
        self._told_to_fail()
        told = notice(body, self.templates)
        citizen = self._follower(told.to)
        if told.template not in citizen.takes:
            raise Refusal(43101)
        citizen.takes.discard(told.template)  # subscribed once: one notice
        return self._notify(citizen, told, now)

    def _notify(self, citizen: Citizen, told: Notice, now: float) -> Reply:
        text = "\n".join(f"{name}：{value}" for name, value in told.fields)
        self._show(citizen.openid, Seen(now, "account", "notice", text, "template", (), told.url))
        self._numbers += 1
        return _ok(msgid=self._numbers)

    def _media(self, query: Mapping[str, str], _body: bytes, now: float) -> Reply:
        known = query.get("media_id", "")
        medium = self.media.fetch(known, now)
        if medium.suffix == "mp4":  # a video is not given itself, but where it is
            return _json({"video_url": f"{self.address}/video/{known}"})
        return Reply(medium.data, medium.type, f"{known}.{medium.suffix}")

    def _speech(self, query: Mapping[str, str], _body: bytes, now: float) -> Reply:
        known = query.get("media_id", "")
        medium = self.media.fetch(known, now)
        if medium.suffix != "speex":  # only what was recorded in 16 kHz for the JS-SDK
            raise Refusal(40007)
        return Reply(medium.data, medium.type, f"{known}.speex")

    def _menu(self, _query: Mapping[str, str], body: bytes, _now: float) -> Reply:
        self.menu = menu(body)
        return _ok()

    def _told_to_fail(self) -> None:
        errcode = self.faults.next_error()
        if errcode:
            raise Refusal(errcode)

    def _follower(self, openid: str) -> Citizen:
        citizen = self.citizens.get(openid)
        if citizen is None:
            raise Refusal(40003)
        if not citizen.subscribed:
            raise Refusal(43004)
        return citizen


_Deed = Callable[[Platform, Mapping[str, str], bytes, float], Reply]
_UNSIGNED = ("/cgi-bin/token", "/cgi-bin/stable_token")
_DEEDS: dict[str, tuple[str, _Deed]] = {
    "/cgi-bin/token": ("GET", Platform._token),
    "/cgi-bin/stable_token": ("POST", Platform._stable),
    "/cgi-bin/message/custom/send": ("POST", Platform._custom),
    "/cgi-bin/message/custom/typing": ("POST", Platform._typing),
    "/cgi-bin/message/template/send": ("POST", Platform._template),
    "/cgi-bin/message/subscribe/bizsend": ("POST", Platform._subscription),
    "/cgi-bin/media/get": ("GET", Platform._media),
    "/cgi-bin/media/get/jssdk": ("GET", Platform._speech),
    "/cgi-bin/menu/create": ("POST", Platform._menu),
}


def _token(token: str, seconds: int) -> Reply:
    return _json({"access_token": token, "expires_in": seconds})


def _ok(**more: int) -> Reply:
    return _json({"errcode": 0, "errmsg": MESSAGES[0], **more})


def _refused(refusal: Refusal) -> Reply:
    rid = f" rid: {secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    return _json({"errcode": refusal.errcode, "errmsg": str(refusal) + rid})


def _json(fields: Mapping[str, Any]) -> Reply:
    return Reply(json.dumps(fields).encode())


def _openid(body: bytes) -> str:
    try:
        call = json.loads(body)
    except ValueError:
        return ""
    return str(call.get("touser", "")) if isinstance(call, dict) else ""
