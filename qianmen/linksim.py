"""A far side for trying and testing links: it checks signatures strictly, and does as it is told.

It shows what it got without personal data: ids, numbers, codes.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx

from handoff.links import signing
from handoff.links.keys import Keys
from handoff.links.signing import SignatureError, verify

Mode = Literal["acknowledge", "delay", "callback", "silent", "fail", "refuse", "flaky"]
LARGEST = 1024 * 1024
_PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Got:
    """One try: the party it was for, what it was about, and what was answered.

    ``tries``: how often this ``delivery`` came by now.
    """

    party: str
    type: str
    delivery: str
    number: str
    danger: str
    urgency: str
    tries: int
    answered: str
    at: str


@dataclass
class Simulator:
    """All parties and targets at once: the URL's last part is the name, ``keys`` has its key.

    ``mode``: acknowledge in the reply; delay it by ``delay_s``; callback: take it and acknowledge
    after ``delay_s`` at ``callback`` (a base URL, ours); silent: take it and never acknowledge;
    fail (500); refuse; flaky: every other try fails.
    """

    keys: Mapping[str, Keys]
    mode: Mode = "acknowledge"
    delay_s: float = 0.0
    callback: str = ""
    window_s: int = 300
    tell: Callable[[Got], None] = lambda _: None
    got: list[Got] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    _tries: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ending: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def serving(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve while inside; yields the base URL. Raises OSError."""
        server = ThreadingHTTPServer((host, port), partial(_Handler, self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, name="link simulator", daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            self._ending.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def take(self, name: str, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer to one message."""
        message, fault = self._checked(name, headers, body)
        if fault:
            self._note(name, message, fault)
            return 401, {"code": fault}
        delivery = str(message["id"])
        with self._lock:
            self._tries[delivery] += 1
            tries = self._tries[delivery]
            self.bodies.append(message)
        if self.mode == "fail" or (self.mode == "flaky" and tries % 2):
            self._note(name, message, "failed")
            return 500, {"code": "simulated"}
        if self.mode == "refuse":
            self._note(name, message, "refused")
            return 200, {"id": delivery, "refused": "simulated"}
        if self.mode == "delay":
            self._ending.wait(self.delay_s)
        if self.mode in ("callback", "silent"):
            self._note(name, message, "taken")
            if self.mode == "callback" and "danger" in message:  # a webhook wants none
                threading.Thread(target=self._call_back, args=(name, delivery), daemon=True).start()
            return 202, {"id": delivery}
        self._note(name, message, "acknowledged")
        return 200, {"id": delivery, "acknowledged": True, "reference": reference(name, delivery)}

    def sign(self, name: str, delivery: str, body: bytes) -> dict[str, str]:
        """The headers of a signed answer."""
        return signing.signed(self.keys.get(name, ()), delivery, datetime.now(UTC), body)

    def _checked(self, name: str, headers: Any, body: bytes) -> tuple[dict[str, Any], str]:
        try:
            verify(self.keys.get(name, ()), headers, body, now=datetime.now(UTC),
                   window_s=self.window_s)  # fmt: skip
        except SignatureError as error:
            return {}, error.code
        try:
            message = json.loads(body)
        except ValueError:
            return {}, "message_malformed"
        if not isinstance(message, dict) or message.get("to") != name:
            return {}, "message_of_another"
        if not message.get("id") or message["id"] != headers.get(signing.DELIVERY):
            return {}, "delivery_mismatch"
        return message, ""

    def _note(self, name: str, message: Mapping[str, Any], answered: str) -> None:
        order = message.get("order") or {}
        delivery = str(message.get("id", ""))
        got = Got(name, str(message.get("type", "")), delivery, str(order.get("number", "")),
                  str(message.get("danger", "")), str(order.get("urgency", "")),
                  self._tries[delivery], answered,
                  datetime.now(UTC).isoformat(timespec="milliseconds"))  # fmt: skip
        with self._lock:
            self.got.append(got)
        self.tell(got)

    def _call_back(self, name: str, delivery: str) -> None:
        self._ending.wait(self.delay_s)
        said = {"type": "order.acknowledged", "id": f"ack-{delivery}", "delivery": delivery,
                "reference": reference(name, delivery)}  # fmt: skip
        send(f"{self.callback}/api/linkage/{name}/acknowledgements", said, self.keys.get(name, ()))


def reference(name: str, delivery: str) -> str:
    """The simulated far side's own number of a delivery, the same in every try."""
    mark = int(hashlib.sha256(f"{name}:{delivery}".encode()).hexdigest()[:8], 16)
    return f"SIM{mark % 10**8:08d}"


def send(url: str, message: Mapping[str, Any], keys: Keys) -> tuple[int, dict[str, Any]]:
    """Post a message of the far side's, signed now; the status and the answer (0 where none)."""
    body = json.dumps(message, ensure_ascii=False).encode()
    headers = signing.signed(keys, str(message["id"]), datetime.now(UTC), body)
    headers["Content-Type"] = "application/json"
    try:
        reply = httpx.post(url, content=body, headers=headers, timeout=_PATIENCE_S, trust_env=False)
        said = reply.json()
    except (httpx.HTTPError, ValueError):
        return 0, {"code": "connection_lost"}
    return reply.status_code, said if isinstance(said, dict) else {}


def shown(got: Got) -> str:
    """One line for people."""
    about = f"{got.type or '（不明）'} 工单{got.number or '？'} {got.danger}".rstrip()
    answered = _ANSWERS.get(got.answered, got.answered)
    return f"{time.strftime('%H:%M:%S')} {got.party} ← {about} 第{got.tries}次 → {answered}"


def row(got: Got) -> dict[str, Any]:
    """The same for programs."""
    return asdict(got)


_ANSWERS = {"acknowledged": "确认收到", "taken": "收下，未确认", "failed": "出错（模拟）",
            "refused": "拒收（模拟）"}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE_S

    def __init__(self, far_side: Simulator, *connection: Any) -> None:
        self.far_side = far_side
        super().__init__(*connection)  # answers before it returns

    def do_POST(self) -> None:
        """Take a message."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self._answer(413, {"code": "message_too_large"}, {})
            return
        name = self.path.rpartition("/")[2]
        status, said = self.far_side.take(name, self.headers, self.rfile.read(int(length)))
        body = json.dumps(said).encode()
        self._answer(status, said, self.far_side.sign(name, str(said.get("id", "")), body))

    def _answer(self, status: int, said: dict[str, Any], headers: Mapping[str, str]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Nothing: what came is told by the simulator."""
