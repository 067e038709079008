"""What comes before the answer to a call of ours: early dialogs, their sound, PRACK (RFC 3262)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from telephony.rtp.session import MediaSession
from telephony.sip.core import Core
from telephony.sip.dialog import Dialog
from telephony.sip.error import SipError
from telephony.sip.message import Address, Response
from telephony.sip.sdp import Remote, read_description, sdp_text

MAX_FORKS = 16


class CallingLeg(Protocol):
    """What is needed of the leg."""

    core: Core
    peer: Address
    media: MediaSession

    def dialog_from(self, response: Response) -> Dialog:
        """The dialog that ``response`` to our INVITE makes. Raises ``SipError``."""


class _Early:
    """One branch of a call of ours that has rung."""

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.remote: Remote | None = None
        self.rseq = 0


class EarlyDialogs:
    """``on_early`` is called once, when the first sound can come."""

    def __init__(self, leg: CallingLeg, on_early: Callable[[], None]) -> None:
        self._leg = leg
        self._on_early = on_early
        self._branches: dict[str, _Early] = {}
        self._heard = False

    def dialog_of(self, remote_tag: str) -> Dialog | None:
        """The early dialog with the branch that calls itself so."""
        branch = self._branches.get(remote_tag)
        return branch.dialog if branch else None

    def on_provisional(self, response: Response) -> None:
        """A 101 to 199. Raises nothing: what cannot be read is counted, the call rings on."""
        if not response.to.tag or response.status == 100:
            return
        try:
            branch = self._branch(response)
            if branch is not None and self._acknowledged(branch, response):
                self._listen(branch, response)
        except SipError as error:
            self._leg.core.counters[f"sip_{error.code}"] += 1

    def _branch(self, response: Response) -> _Early | None:
        tag = response.to.tag
        if tag not in self._branches and len(self._branches) < MAX_FORKS:
            self._branches[tag] = _Early(self._leg.dialog_from(response))
        return self._branches.get(tag)

    def _acknowledged(self, branch: _Early, response: Response) -> bool:
        """Whether the response counts: a reliable one only in its order (RFC 3262 §4)."""
        if "100rel" not in (tag.lower() for tag in response.all("require")):
            return True
        rseq = response.first("rseq")
        if not (rseq.isascii() and rseq.isdigit() and len(rseq) <= 10):
            raise SipError("rseq")
        number = int(rseq)
        if branch.rseq and number != branch.rseq + 1:
            return False
        branch.rseq = number
        rack = ("RAck", f"{number} {response.cseq} INVITE")
        self._leg.core.transactions.request(
            branch.dialog.request("PRACK", [rack]),
            branch.dialog.next_hop,
            lambda _: None,
            lambda: None,
        )
        return True

    def _listen(self, branch: _Early, response: Response) -> None:
        """Sound before the answer: the first branch that brings any is heard until the 200."""
        text = sdp_text(response)
        if not text:
            return
        branch.remote = read_description(text)
        if not self._heard:
            self._heard = True
            self._leg.media.start(branch.remote.plan, self._leg.peer[0])
            self._on_early()

    def confirmed(self, dialog: Dialog) -> Remote | None:
        """The 2xx made ``dialog`` of its branch: CSeqs go on; what was described early, if any."""
        branch = self._branches.pop(dialog.remote_tag, None)
        self._branches.clear()
        if branch is None:
            return None
        dialog.local_cseq = max(dialog.local_cseq, branch.dialog.local_cseq)
        dialog.remote_cseq = branch.dialog.remote_cseq
        return branch.remote
