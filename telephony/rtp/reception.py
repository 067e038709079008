"""What is received of one RTP source, counted as RFC 3550 A.1, A.3 and A.8 say. Pure."""

from __future__ import annotations

from telephony.rtp.rtcp import Block

_CYCLE = 1 << 16
_MAX_DROPOUT = 3000


class Reception:
    """Follows one source, from its first packet on."""

    def __init__(self, ssrc: int, first: int) -> None:
        self.ssrc = ssrc
        self._begin(first)

    def _begin(self, first: int) -> None:
        self.received = 0
        self._base = first
        self._highest = first
        self._cycles = 0
        self._transit: int | None = None
        self._jitter = 0.0
        self._expected_before = 0
        self._received_before = 0

    def packet(self, sequence: int) -> None:
        """One packet came, whatever was in it."""
        step = (sequence - self._highest) & 0xFFFF
        if step < _MAX_DROPOUT:
            if sequence < self._highest:
                self._cycles += _CYCLE
            self._highest = sequence
        elif step <= _CYCLE - _MAX_DROPOUT:
            # A jump that no loss explains: the sender began anew (A.1).
            self._begin(sequence)
        self.received += 1

    def timing(self, timestamp: int, arrival: float) -> None:
        """When it came, both in units of the RTP clock: for packets whose timestamp is their own
        moment, which those of a telephone-event are not."""
        transit = (int(arrival) - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            difference = (transit - self._transit + (1 << 31)) % (1 << 32) - (1 << 31)
            self._jitter += (abs(difference) - self._jitter) / 16
        self._transit = transit

    @property
    def highest(self) -> int:
        """Extended highest sequence number."""
        return self._cycles + self._highest

    @property
    def expected(self) -> int:
        """How many packets there should be."""
        return self.highest - self._base + 1

    @property
    def lost(self) -> int:
        """How many are missing; negative where some came twice."""
        return self.expected - self.received

    @property
    def jitter(self) -> float:
        """Interarrival jitter, in units of the RTP clock."""
        return self._jitter

    def block(self, last_sr: int, delay: int) -> Block:
        """The report since the last one (A.3)."""
        expected = self.expected - self._expected_before
        received = self.received - self._received_before
        self._expected_before, self._received_before = self.expected, self.received
        missing = expected - received
        fraction = min(255, (missing << 8) // expected) if expected > 0 and missing > 0 else 0
        return Block(
            self.ssrc, fraction, self.lost, self.highest, int(self._jitter), last_sr, delay
        )
