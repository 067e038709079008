"""Messages over real HTTP: to the checked address, bounded, and believed only when signed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from config.links import Links, Party
from handoff.links.emergency import Danger, HttpLink
from handoff.links.http import Letter, Post
from handoff.links.outcome import Acknowledged, Failed, HttpReply, Outcome, Refused, Sent
from qianmen.linksim import Mode, Simulator, reference

KEY, OTHER = b"a key of more than 24 characters", b"another key that nobody shares here"
LINKS = Links(connect_s=30, total_s=60, largest_reply=1024)
HASTY = Links(connect_s=30, total_s=1, largest_reply=1024)
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


async def here(host: str, port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A server that does exactly what ``answer`` does with the request's head."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        try:
            await answer(head, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as made:
        yield f"http://far.test:{made.sockets[0].getsockname()[1]}"


async def posted(url: str, *, links: Links = LINKS, keys: tuple[bytes, ...] = (KEY,),
                 private: bool = True) -> HttpReply | Failed:  # fmt: skip
    async with Post(links, resolve=here) as post:
        return await post.send(Letter("d1", url, b'{"id":"d1"}', keys, private), datetime.now(UTC))


def code(outcome: HttpReply | Failed) -> str:
    return outcome.code if isinstance(outcome, Failed) else ""


async def test_the_checked_address_is_used_under_the_urls_name() -> None:
    heads = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head.decode().lower())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with server(answer) as url:
        found = await posted(f"{url}/hook?x=1")
    assert isinstance(found, HttpReply)
    assert (found.status, found.body) == (200, b"ok")
    (head,) = heads
    assert head.startswith("post /hook?x=1 http/1.1")
    assert f"host: {url.removeprefix('http://')}" in head
    assert "qianmen-delivery: d1" in head
    assert "qianmen-signature: v1=" in head


async def test_what_resolves_to_our_own_network_is_not_connected_to() -> None:
    connected = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        connected.append(head)

    async with server(answer) as url:
        assert code(await posted(url, private=False)) == "address_private"
    assert connected == []


async def test_no_redirect_is_followed() -> None:
    asked = []

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(head)
        writer.write(b"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")

    async with server(answer) as url:
        found = await posted(url)
    assert isinstance(found, HttpReply)
    assert (found.status, len(asked)) == (307, 1)


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 204 x\r\n\r\n")

    async with server(answer) as url:
        assert code(await posted(url)) == ""


async def _endless(head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


async def _trickle(head: bytes, writer: asyncio.StreamWriter) -> None:
    """A byte each tenth of a second: no read ever times out, the whole does."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def _silent(head: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def _garbage(head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SIP/2.0 200 OK\r\n\r\n")


async def _gone(head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _cut(head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


@pytest.mark.parametrize(("answer", "wanted"), [
    (_endless, "reply_too_large"), (_trickle, "timeout"), (_silent, "timeout"),
    (_garbage, "connection_lost"), (_gone, "connection_lost"), (_cut, "connection_lost"),
])  # fmt: skip
async def test_a_far_side_that_misbehaves_is_a_code(answer: Answer, wanted: str) -> None:
    async with server(answer) as url:
        links = HASTY if wanted == "timeout" else LINKS
        assert code(await posted(url, links=links)) == wanted


async def test_nobody_there_no_key_no_name() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = f"http://far.test:{taken.getsockname()[1]}/"
        assert code(await posted(closed)) == "connect_failed"
    assert code(await posted(closed, keys=())) == "key_missing"
    async with Post(LINKS) as post:
        letter = Letter("d1", "http://no-such-name.invalid/", b"{}", (KEY,), True)
        assert await post.send(letter, datetime.now(UTC)) == Failed("name_unknown")


# The link to 110 against the simulator: another program on the other side of a socket


def danger(url: str, acknowledges: str = "reply") -> Danger:
    party = Party.model_validate({"name": "110", "label": "公安110", "url": f"{url}/110",
                                  "acknowledges": acknowledges, "allow_private": True})  # fmt: skip
    body = {"type": "order.danger", "id": "d1", "to": "110", "danger": "gas",
            "order": {"number": "2026112000001", "urgency": "danger"}}  # fmt: skip
    return Danger("d1", party, json.dumps(body).encode())


async def outcome(
    mode: Mode, *, theirs: bytes = KEY, acknowledges: str = "reply", delay_s: float = 0,
    links: Links = LINKS,
) -> tuple[Outcome, Simulator]:  # fmt: skip
    simulator = Simulator({"110": (theirs,)}, mode, delay_s)
    with simulator.serving() as url:
        async with Post(links) as post:
            link = HttpLink(post, links, {"110": (KEY,)})
            return await link.send(danger(url, acknowledges)), simulator


async def test_the_link_acknowledges_refuses_and_fails() -> None:
    found, simulator = await outcome("acknowledge")
    assert found == Acknowledged(reference("110", "d1"))
    assert [(got.number, got.danger, got.tries) for got in simulator.got] == [
        ("2026112000001", "gas", 1)
    ]
    assert (await outcome("refuse"))[0] == Refused("simulated")
    assert (await outcome("fail"))[0] == Failed("http_500", 500)
    assert (await outcome("silent"))[0] == Sent(202)
    assert (await outcome("delay", delay_s=0.1))[0] == Acknowledged(reference("110", "d1"))
    assert (await outcome("delay", delay_s=20, links=HASTY))[0] == Failed("timeout")


async def test_a_far_side_with_another_key_refuses_us_and_is_not_believed() -> None:
    found, simulator = await outcome("acknowledge", theirs=OTHER)
    assert found == Failed("http_401", 401)
    assert simulator.got[0].answered == "signature_wrong"


async def test_an_unsigned_ok_acknowledges_nothing() -> None:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        said = b'{"id":"d1","acknowledged":true,"reference":"P"}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))

    async with server(answer) as url, Post(LINKS, resolve=here) as post:
        link = HttpLink(post, LINKS, {"110": (KEY,)})
        assert await link.send(danger(url)) == Sent(200, "reply_signature_missing")
        assert await link.send(danger(url, "callback")) == Sent(200)


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's, self-signed for ``name``; who trusts ``folder/ca.pem`` trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
        .public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    private = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )  # fmt: skip
    (folder / "ca.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(made.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@pytest.mark.parametrize(("name", "trusts", "wanted"), [
    ("far.test", True, ""), ("other.test", True, "connect_failed"),
    ("far.test", False, "connect_failed"),
])  # fmt: skip
async def test_by_tls_the_certificate_must_be_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusts: bool, wanted: str
) -> None:
    """The connection goes to the address, the certificate is compared with the URL's name."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 x\r\n\r\n")
            await writer.drain()
        writer.close()

    context = certificate(tmp_path, name)
    if trusts:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as made:
        url = f"https://far.test:{made.sockets[0].getsockname()[1]}/"
        assert code(await posted(url)) == wanted
