"""The torture test messages of RFC 4475, each with what it gets from us.

Where the RFC leaves a choice between leniency and a 400 we take the call: a citizen's call is not
refused for a blank in a header (``trws``, ``lwsstart``, ``badaspec``, ``baddn``, ``baddate``), nor
for an Accept that contradicts the SDP sent with it (``sdp01``).
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from telephony.line import LineSettings
from telephony.sip.message import Request, parse_message
from telephony.sip.transactions import Transactions
from telephony.sip.udp import SipSocket
from tests.telephony.virtual import PEER, Exchange

FILE = Path(__file__).with_name("rfc4475.txt")


def expanded(text: str) -> bytes:
    """The bytes of a message in the RFC's notation."""
    text = re.sub(
        r"<allOneLine>\n(.*?)\n</allOneLine>",
        lambda m: m[1].replace("\n", ""),
        text,
        flags=re.DOTALL,
    )
    text = re.sub(r"<repeat count=(\d+)>(.*?)</repeat>", lambda m: m[2] * int(m[1]), text)
    data = text.replace("\n", "\r\n").encode()
    return re.sub(rb"<hex>([0-9A-F]+)</hex>", lambda m: bytes.fromhex(m[1].decode()), data)


MESSAGES = {
    name: expanded(text)
    for name, text in re.findall(
        r"^=== (\w+) [\d.]+\n(.*?)(?=^===|\Z)", FILE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
}

ANSWERS = {
    # 3.1.1 valid
    "wsinv": 481, "intmeth": 501, "esc01": 100, "escnull": 405, "esc02": 501, "lwsdisp": 200,
    "longreq": 100, "dblreq": 405, "semiuri": 200, "transports": 200, "mpart01": 405,
    # 3.1.2 invalid
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400,
    "lwsruri": 400, "lwsstart": 100, "trws": 200, "escruri": 400, "baddate": 100, "regbadct": 405,
    "badaspec": 200, "baddn": 200, "badvers": 505, "mismatch01": 400, "mismatch02": 400,
    # 3.2 transactions, 3.3 application, 3.4 RFC 2543
    "badbranch": 200, "unkscm": 416, "novelsc": 416, "unksm2": 405, "bext01": 420, "invut": 415,
    "regaut01": 405, "multi01": 400, "mcl01": 400, "zeromf": 200, "cparam01": 405,
    "cparam02": 405, "regescrt": 405, "sdp01": 100, "inv2543": 100,
}  # fmt: skip

COUNTED = {
    # Responses to nothing of ours, or to nothing at all, and a request that cannot be answered.
    "unreason": "sip_stray_response",
    "noreason": "sip_stray_response",
    "scalarlg": "sip_cseq",
    "bigcode": "sip_malformed",
    "bcast": "sip_stray_response",
    "insuf": "sip_missing_header",
}


class Doorstep:
    """A line's socket without a network: bytes in, bytes out."""

    def __init__(self, exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counters: Counter[str] = exchange.counters
        self.sent: list[bytes] = []
        self._socket = SipSocket(LineSettings(host="127.0.0.1"), self.counters)
        transactions = Transactions(
            exchange.clock, self._send, exchange.core.sent_by, exchange.agent, self.counters
        )
        exchange.core.transactions = transactions
        self._socket.receive_with(transactions)
        monkeypatch.setattr(self._socket, "send", self._send)

    def _send(self, data: bytes, destination: object) -> None:
        assert destination
        self.sent.append(data)

    def receive(self, data: bytes) -> None:
        self._socket.datagram_received(data, PEER)
        assert "sip_handler_failed" not in self.counters


@pytest.fixture
def doorstep(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Doorstep:
    return Doorstep(exchange, monkeypatch)


def test_all_of_them_are_there() -> None:
    assert len(MESSAGES) == 49
    assert set(MESSAGES) == set(ANSWERS) | set(COUNTED)


@pytest.mark.parametrize(("name", "status"), ANSWERS.items())
async def test_request_is_answered(doorstep: Doorstep, name: str, status: int) -> None:
    doorstep.receive(MESSAGES[name])
    # Read as text: the answer to what is malformed mirrors what is malformed.
    line, _, headers = doorstep.sent[0].partition(b"\r\n")
    assert line.startswith(b"SIP/2.0 %d " % status)
    for header in (b"Via: ", b"From: ", b"To: ", b"Call-ID: ", b"CSeq: "):
        assert (b"\r\n" + headers).count(b"\r\n" + header) >= 1


@pytest.mark.parametrize(("name", "counter"), COUNTED.items())
async def test_ignored_and_counted(doorstep: Doorstep, name: str, counter: str) -> None:
    doorstep.receive(MESSAGES[name])
    assert doorstep.sent == []
    assert doorstep.counters[counter] == 1


def test_wsinv_is_read_to_the_last_field() -> None:
    message = parse_message(MESSAGES["wsinv"])
    assert isinstance(message, Request)
    assert (message.to.tag, message.sender.tag, message.cseq) == ("1918181833n", "98asjd8", 9)
    assert message.sender.display_name == 'J Rosenberg \\"'
    assert [via.host for via in message.vias] == [
        "192.0.2.2",
        "spindle.example.com",
        "192.168.255.111",
    ]
    assert message.vias[2].branch == "z9hG4bK30239"
    assert message.first("subject") == ""
    assert message.target.user == "vivekg"


def test_escapes_are_read_and_controls_are_not() -> None:
    message = parse_message(MESSAGES["esc01"])
    assert message.sender.uri.user == "I have spaces"
    assert message.to.uri.user == "user"
    assert parse_message(MESSAGES["escnull"]).to.uri.user == "null--null"
    assert parse_message(MESSAGES["intmeth"]).to.display_name == "BEL: NUL: DEL:"


async def test_call_of_a_caller_older_than_rfc_3261(doorstep: Doorstep, exchange: Exchange) -> None:
    doorstep.receive(MESSAGES["inv2543"])
    doorstep.receive(MESSAGES["inv2543"])
    assert len(exchange.inbound) == 1
    leg = exchange.inbound[0]
    await leg.answer()
    assert leg.caller == "+13035551111"
    assert doorstep.sent[-1].startswith(b"SIP/2.0 200")


async def test_unsupported_extensions_are_named(doorstep: Doorstep) -> None:
    doorstep.receive(MESSAGES["bext01"])
    reply = parse_message(doorstep.sent[0])
    assert reply.all("unsupported") == ("nothingSupportsThis", "nothingSupportsThisEither")


async def test_second_message_of_a_datagram_is_no_message(
    doorstep: Doorstep, exchange: Exchange
) -> None:
    doorstep.receive(MESSAGES["dblreq"])
    assert len(doorstep.sent) == 1
    assert exchange.inbound == []
