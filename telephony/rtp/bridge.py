"""Two streams joined: what one hears the other sends, with the same tick or the next."""

from __future__ import annotations

from collections.abc import Callable

from telephony.rtp.stream import MediaStream


class StreamBridge:
    """Relays both ways until ``stop``; fulfils ``telephony.line.Bridge``.

    ``on_stop`` is called once, when it is parted.
    """

    def __init__(self, a: MediaStream, b: MediaStream, on_stop: Callable[[], None]) -> None:
        self._a = a
        self._b = b
        self._on_stop = on_stop
        self._joined = True
        a.start_relay(b)
        b.start_relay(a)

    def stop(self) -> None:
        """Part them."""
        if not self._joined:
            return
        self._joined = False
        self._a.stop_relay(self._b)
        self._b.stop_relay(self._a)
        self._on_stop()
