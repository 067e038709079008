"""The registrar on its sockets: one thread, two UDP ports (a telephone inside, the world outside).

Bound to the address that the call leaves from; nothing outside a demo or a test should reach it.
"""

from __future__ import annotations

import contextlib
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable

from qianmen.citizen import sip
from qianmen.citizen.dialog import DialogEvent
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.registrar import Registrar

_IDLE_S = 0.5


def local_address_towards(target: sip.Uri) -> str:
    """This machine's IP address towards ``target``; raises ``CitizenError("unreachable")``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(target.address)  # a UDP connect sends nothing
        except OSError:
            message = f"there is no way from here to {target.host}:{target.port}"
            raise CitizenError("unreachable", message) from None
        return str(probe.getsockname()[0])


def udp_socket(host: str) -> socket.socket:
    """A UDP socket on a free port of ``host``; raises ``CitizenError("bad_input")``."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((host, 0))
    except OSError:
        sock.close()
        raise CitizenError("bad_input", f"{host} is not an address of this machine") from None
    return sock


class Exchange:
    """Runs a :class:`Registrar` in a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, target: sip.Uri, caller: str, local_ip: str) -> None:
        self._phone_side = udp_socket(local_ip)
        self._world_side = udp_socket(local_ip)
        self._wake_r, self._wake_w = socket.socketpair()
        self._commands: queue.SimpleQueue[Callable[[float], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="citizen-exchange", daemon=True)
        self._registrar = Registrar(
            target, caller, self._phone_side.getsockname(), self._world_side.getsockname()
        )
        self.events: queue.SimpleQueue[DialogEvent] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to serve the telephone."""
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Where the telephone registers."""
        host, port = self._phone_side.getsockname()
        return str(host), int(port)

    @property
    def call_id(self) -> str:
        """The Call-ID as the other side sees it."""
        return self._registrar.call_id

    def dial(self) -> None:
        """Let the telephone's INVITE go out."""
        self._order(self._registrar.dial)

    def give_up(self) -> None:
        """Cancel the call, or hang up."""
        self._order(self._registrar.give_up)

    def stop(self) -> None:
        """End the thread and close the ports."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join()
        for sock in (self._phone_side, self._world_side, self._wake_r, self._wake_w):
            sock.close()

    def _order(self, command: Callable[[float], None]) -> None:
        self._commands.put(command)
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # stopped already
            self._wake_w.send(b"!")

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for sock in (self._phone_side, self._world_side, self._wake_r):
                selector.register(sock, selectors.EVENT_READ)
            while not self._stopping.is_set():
                wake_at = self._registrar.wake_at
                wait = _IDLE_S if wake_at is None else max(0.0, wake_at - time.monotonic())
                for key, _ in selector.select(min(wait, _IDLE_S)):
                    self._read(key.fileobj)
                self._work()

    def _read(self, source: object) -> None:
        if source is self._wake_r:
            self._wake_r.recv(64)
            return
        sock = self._phone_side if source is self._phone_side else self._world_side
        try:
            data, sender = sock.recvfrom(sip.MAX_MESSAGE_BYTES)
            message = sip.parse(data)
        except (OSError, sip.SipError):  # a closed port's ICMP, or rubbish
            return
        if sock is self._phone_side:
            self._registrar.from_phone(message, sender, time.monotonic())
        else:
            self._registrar.from_world(message, time.monotonic())

    def _work(self) -> None:
        now = time.monotonic()
        while not self._commands.empty():
            self._commands.get()(now)
        self._registrar.tick(now)
        for data, address in self._registrar.take():
            self._send(self._phone_side, data, address)
        if self._registrar.dialog is not None:
            for data, address in self._registrar.dialog.take():
                self._send(self._world_side, data, address)
        for event in self._registrar.events():
            self.events.put(event)

    def _send(self, sock: socket.socket, data: bytes, address: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # nobody there: time-outs say so
            sock.sendto(data, address)
