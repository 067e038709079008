"""An extension at a PBX: registered, kept so, and taken back at the end (RFC 3261 §10)."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Callable

import structlog

from telephony.line import RegistrationState
from telephony.sip.core import Core
from telephony.sip.dialog import MAX_FORWARDS
from telephony.sip.error import SipError
from telephony.sip.message import Address, Header, Outgoing, Response
from telephony.sip.timers import Cancellable
from telephony.sip.uri import is_ipv4, parse_name_addr

log = structlog.get_logger(__name__)

PROBE_S = 30.0
_REFRESH = (0.8, 0.9)
_SOON_S, _SOON_MAX_S = 5.0, 300.0  # no reply, 5xx: it may be back at any time
_LATER_S, _LATER_MAX_S = 60.0, 1800.0  # refused: a password does not mend itself; no hammering
_LONGEST_S = 86400
_AT_ONCE = 2
_SECONDS = re.compile(r"\s*([0-9]{1,9})\b")


class Registration:
    """Keeps the settings' ``user`` registered by way of ``registrar``.

    ``admit`` gets the hosts that calls may come from besides (Service-Route, RFC 3608).
    ``fraction`` picks a number between two, by chance.
    """

    def __init__(
        self,
        core: Core,
        registrar: Address,
        admit: Callable[[str], None],
        fraction: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._core = core
        self._registrar = registrar
        self._admit = admit
        self._fraction = fraction
        self._uri = f"sip:{core.settings.registrar}"
        self._identity = f"<sip:{core.settings.user}@{core.domain}>"
        self._call_id = f"{secrets.token_hex(12)}@{core.host_for(registrar)}"
        self._tag = secrets.token_hex(8)
        self._cseq = 0
        self._expires_s = core.settings.register_s
        self._contact = ""
        self._failures = 0
        self._at_once = 0
        self._asking = False
        self._timer: Cancellable | None = None
        self._probe: Cancellable | None = None
        self.state: RegistrationState = "registering"
        self.status = 0

    def start(self) -> None:
        """Register, and keep at it."""
        self._register()
        self._probe = self._core.clock.call_later(PROBE_S, self._ask_alive)

    def stop(self) -> None:
        """Take the registration back. The line waits a moment for the answer."""
        if self.state == "stopped":
            return
        known = self.state == "registered" or self._asking
        self.state = "stopped"
        for timer in (self._timer, self._probe):
            if timer is not None:
                timer.cancel()
        if known:
            self._send([("Contact", f"<{self._contact}>;expires=0"), ("Expires", "0")])

    # -- asking

    def _register(self) -> None:
        if self.state == "stopped" or self._asking:
            return
        self._asking = True
        old, self._contact = self._contact, self._core.contact_uri(self._registrar)
        headers = [("Contact", f"<{self._contact}>;expires={self._expires_s}")]
        if old and old != self._contact:
            headers.append(("Contact", f"<{old}>;expires=0"))
        self._send([*headers, ("Expires", str(self._expires_s))])

    def _next_cseq(self) -> int:
        self._cseq += 1
        return self._cseq

    def _request(self, method: str, headers: list[Header], call_id: str, cseq: int) -> Outgoing:
        return Outgoing(
            method,
            self._uri,
            [
                MAX_FORWARDS,
                ("From", f"{self._identity};tag={self._tag}"),
                ("To", self._identity),
                ("Call-ID", call_id),
                ("CSeq", f"{cseq} {method}"),
                *headers,
                ("User-Agent", self._core.settings.user_agent),
            ],
        )

    def _send(self, headers: list[Header]) -> None:
        self._core.counters["register_sent"] += 1
        request = self._request("REGISTER", headers, self._call_id, self._next_cseq())
        request = Outgoing(request.method, request.target, request.headers, b"", self._next_cseq)
        self._core.transactions.request(
            request, self._registrar, self._on_response, lambda: self._failed(0, "")
        )

    # -- answers

    def _on_response(self, response: Response) -> None:
        if response.status < 200 or self.state == "stopped":
            return
        self._asking = False
        if response.status < 300:
            self._on_ok(response)
        elif response.status == 423 and self._accepts_minimum(response):
            self._register()
        else:
            self._failed(response.status, response.first("retry-after"))

    def _accepts_minimum(self, response: Response) -> bool:
        """423: the registrar wants longer registrations (RFC 3261 §10.2.8)."""
        least = _seconds(response.first("min-expires"))
        if not self._expires_s < least <= _LONGEST_S:
            return False
        self._expires_s = least
        return True

    def _on_ok(self, response: Response) -> None:
        granted = self._granted(response)
        if granted <= 0:
            self._failed(response.status, "")
            return
        for route in response.all("service-route"):
            self._admit_route(route)
        self._failures = 0
        if self._learn(response):
            return
        self._at_once = 0
        if self.state != "registered":
            log.info("registered", registrar=self._registrar[0], expires_s=granted)
        self.state, self.status = "registered", response.status
        self._core.counters["register_done"] += 1
        self._again(granted * self._fraction(*_REFRESH))

    def _granted(self, response: Response) -> int:
        """Seconds: our own Contact's ``expires``, else the Expires header, else as asked.

        Other Contacts are other telephones of the same user.
        """
        for text in response.all("contact"):
            try:
                contact = parse_name_addr(text)
            except SipError:
                continue
            if _same(contact.uri.text, self._contact) and "expires" in contact.params:
                return min(_seconds(contact.params["expires"] or ""), _LONGEST_S)
        expires = response.first("expires")
        return min(_seconds(expires), _LONGEST_S) if expires else self._expires_s

    def _admit_route(self, route: str) -> None:
        try:
            host = parse_name_addr(route).uri.host
        except SipError:
            return
        if is_ipv4(host):
            self._admit(host)

    def _learn(self, response: Response) -> bool:
        """Whether the registrar sees us elsewhere than our Contact says (NAT, RFC 3581 §4).

        Then the Contact follows, at once; not for ever where the NAT changes with every packet.
        """
        via = response.vias[0]
        host, port = via.params.get("received") or via.host, via.params.get("rport") or ""
        if self._core.settings.public_host or not is_ipv4(host):
            return False
        seen = (host, _port(port) or via.port)
        if seen == (self._core.learned or (via.host, via.port)) or self._at_once >= _AT_ONCE:
            return False
        self._at_once += 1
        self._core.learned = seen
        self._core.counters["register_nat_learned"] += 1
        self._register()
        return True

    def _failed(self, status: int, retry_after: str) -> None:
        self._asking = False
        if self.state == "stopped":
            return
        self.state, self.status = "failed", status
        self._core.counters["register_failed"] += 1
        passing = status == 0 or status >= 500 or status in (408, 429)
        first_s, most_s = (_SOON_S, _SOON_MAX_S) if passing else (_LATER_S, _LATER_MAX_S)
        wait_s = min(most_s, first_s * 2 ** min(self._failures, 16))
        self._failures += 1
        asked_s = min(_seconds(retry_after), 3600)
        delay_s = max(wait_s * self._fraction(0.5, 1.0), asked_s)
        log.warning("register_failed", status=status, retry_s=round(delay_s))
        self._again(delay_s)

    def _again(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._core.clock.call_later(delay_s, self._register)

    # -- is it still there

    def _ask_alive(self) -> None:
        """OPTIONS: shows that the PBX is there, and keeps the way through a NAT open."""
        self._probe = self._core.clock.call_later(PROBE_S, self._ask_alive)
        if self.state != "registered":
            return
        self._core.transactions.request(
            self._request("OPTIONS", [], secrets.token_hex(12), 1),
            self._registrar,
            lambda _: None,
            self._lost,
        )

    def _lost(self) -> None:
        """It may have started anew and know nobody: register as soon as it answers."""
        self._core.counters["register_probe_lost"] += 1
        if self.state == "registered":
            self.state, self.status = "registering", 0
            self._register()


def _seconds(text: str) -> int:
    match = _SECONDS.match(text)
    return int(match[1]) if match else 0


def _port(text: str) -> int:
    """0 for what is none."""
    return int(text) if re.fullmatch("[0-9]{1,5}", text) and int(text) < 65536 else 0


def _same(one: str, other: str) -> bool:
    """Whether two Contact URIs are one place: parameters and case of the host do not count."""
    return one.partition(";")[0].lower() == other.partition(";")[0].lower()
