"""WeChat's replies while the bot stalls: are all in time, does each citizen get one answer?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from config.settings import Settings
from qianmen.wechatsim import messages
from qianmen.wechatsim.account import Mode
from qianmen.wechatsim.delivery import PATIENCE_S, TRIES, Delivery, HttpWire, Wire
from qianmen.wechatsim.platform import Platform
from qianmen.wechatsim.server import serving
from qianmen.wechatsim.setup import PATH, setup_of
from qianmen.wechatsim.view import doubled

QUESTION = "我租房子住，能不能把公积金取出来？"
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class StalledReplies:
    """``pushes``: messages times tries. ``in_time``: those answered properly within 5 s.

    ``one_answer``: citizens who saw an answer and saw nothing twice. ``slowest_s``: of all pushes.
    ``breaches``: codes of whatever else was wrong.
    """

    citizens: int
    pushes: int
    in_time: int
    one_answer: int
    slowest_s: float
    breaches: tuple[str, ...]


def stalled_replies(
    settings: Settings, *, citizens: int = 20, mode: Mode = "secure",
    release: Callable[[], None] = lambda: None, answer_s: float = 30.0, address: str = "",
) -> StalledReplies:  # fmt: skip
    """Let ``citizens`` each write once to the front door of ``settings``, whose bot stalls.

    Every message is pushed three times over, the second and third as the platform does when the
    answer was lost. ``release`` ends the stalling; each citizen is then given ``answer_s`` to see
    their answer. ``address``: where messages are pushed to, else the front door's own.
    Raises ``ConfigError`` where the settings have no account (``qianmen.wechatsim.setup.made``).
    """
    setup = setup_of(settings, mode, "xml")
    platform = Platform(setup.account)
    wire = HttpWire(address or settings.web_address + PATH, PATIENCE_S)
    try:
        with serving(platform, port=setup.port):
            return _measured(platform, wire, citizens, release, answer_s)
    finally:
        wire.close()


def _measured(
    platform: Platform, wire: Wire, citizens: int, release: Callable[[], None], answer_s: float
) -> StalledReplies:
    delivery = Delivery(platform, wire)
    openids = [platform.citizen().openid for _ in range(citizens)]

    def push(openid: str) -> tuple[int, float]:
        done = delivery.send(openid, messages.text(QUESTION), lose=TRIES - 1)
        good = sum(attempt.answer is not None for attempt in done.attempts)
        return good, done.slowest_s

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(push, openids))
    release()
    platform.wait(lambda: all(_answers(platform, openid) for openid in openids), answer_s)
    once = sum(
        1 for openid in openids
        if _answers(platform, openid) and not doubled(platform.citizen(openid).seen)
    )  # fmt: skip
    return StalledReplies(
        citizens, citizens * TRIES, sum(good for good, _ in found), once,
        max((slowest for _, slowest in found), default=0.0),
        tuple(breach.code for breach in platform.breaches),
    )  # fmt: skip


def _answers(platform: Platform, openid: str) -> int:
    return sum(bubble.who == "account" for bubble in platform.citizen(openid).seen)
