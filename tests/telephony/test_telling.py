"""What the caller hears: how far it was heard is noted, and goes on when they ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from telephony import mouth
from telephony.progress import Progress
from telephony.telling import Telling
from telephony.timing import TurnTimes
from tests.telephony.test_mouth import Stage, until
from turns.replies import Ask, Connect, Handoff, Reply, Say, Told

FIRST = Say("", "第一句话。第二句话。")
SECOND = Ask("", "还有别的事吗？", expects="yes_no")
BOTH_S = 6  # three sentences of two seconds


class Core:
    """Tells what the test tells it, and keeps what is noted."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Told] = asyncio.Queue()
        self.noted: dict[str, dict[str, float]] = {}

    def tell(self, turn: str, *replies: Reply) -> None:
        now = datetime(2026, 5, 1, tzinfo=UTC)
        for n, reply in enumerate(replies, 1):
            self.told.put_nowait(Told(n, "c", "bot", reply, now, turn, last=n == len(replies)))

    async def replies(self, _conversation: str) -> AsyncIterator[Told]:
        while True:
            yield await self.told.get()
            self.told.task_done()

    async def note_timings(self, _c: str, turn: str, timings: dict[str, float]) -> None:
        self.noted.setdefault(turn, {}).update(timings)


class Call(Stage):
    """A stage with a core that tells."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.core = Core()
        self.expected: list[Say | Ask] = []
        self.targets: list[tuple[str, str]] = []
        self.guarded = 0
        ears = SimpleNamespace(
            expect=self.expected.append, told=lambda: None, deaf=False, floor=self.floor
        )
        self.telling = Telling(
            self.leg,
            SimpleNamespace(core=self.core),  # type: ignore[arg-type]  # nothing else is used
            "c", self.mouth,
            ears,  # type: ignore[arg-type]  # nothing else is used
            TurnTimes(), self,
        )  # fmt: skip

    async def floor(self, _turn: str) -> bool:
        return True

    async def connect(self, target: str) -> None:
        self.targets.append(("connect", target))

    def expect(self, target: str) -> None:
        self.targets.append(("expect", target))

    @contextmanager
    def saying(self, *, must_be_heard: bool) -> Iterator[None]:
        self.guarded += must_be_heard
        yield
        self.guarded -= must_be_heard

    async def hear(self, turn: str, *replies: Reply) -> list[int]:
        """Tell ``replies``, heard to their end; the bytes of each sound."""
        self.leg.at_once = True
        count = len(self.leg.played)
        self.core.tell(turn, *replies)
        await self.core.told.join()
        return [len(pcm) for pcm in self.leg.played[count:]]

    async def cut(self, turn: str, part: int, milliseconds: int, *replies: Reply) -> None:
        """Tell ``replies``; the caller speaks ``milliseconds`` into the ``part``-th sound."""
        self.leg.at_once = False
        count = len(self.leg.playbacks)
        self.core.tell(turn, *replies)
        for number in range(1, part + 1):
            await self.playing(count + number)
            if number < part:
                self.ends()
        self.heard(milliseconds)
        assert self.mouth.drop()
        await self.core.told.join()


@pytest.fixture
async def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Call]:
    monkeypatch.setattr(mouth, "pause_after", lambda _text: 0.0)
    call = Call(tmp_path)
    telling = asyncio.create_task(call.telling.tell())
    yield call
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)
    await call.speaker.close()


async def test_what_was_heard_is_noted(call: Call) -> None:
    assert await call.hear("h1", FIRST, SECOND) == [32000] * 3
    await until(lambda: "heard_share" in call.core.noted.get("h1", {}))
    assert call.core.noted["h1"]["heard_share"] == 1.0
    assert call.core.noted["h1"]["heard_ms"] == BOTH_S * 1000
    assert [isinstance(reply, Ask) for reply in call.expected] == [False, True]


async def test_an_interrupted_answer_is_noted_and_the_rest_left_out(call: Call) -> None:
    await call.cut("h1", 2, 1000, FIRST, SECOND)
    await until(lambda: call.core.noted.get("h1", {}).get("heard_share", 1) < 0.5)
    assert call.core.noted["h1"]["heard_ms"] == 3000
    assert call.core.noted["h1"]["heard_share"] == pytest.approx(7.5 / 17, abs=0.001)
    assert len(call.leg.played) == 2


async def test_slower_goes_on_with_the_sentence(call: Call) -> None:
    await call.cut("h1", 2, 1000, FIRST, SECOND)
    again = Say("", FIRST.text, again="sentence"), Ask("", SECOND.text, again="sentence")
    told = await call.hear("h2", Say("", "好的，我慢一点说。", adjust=("slower",)), *again)
    assert told == [32000] * 3  # the prompt, the second sentence whole, the question
    assert call.mouth.manner.rate == 0.8
    assert call.synthesiser.asked.count("第一句话。") == 1
    assert call.synthesiser.asked.count("第二句话。") == 2  # at either speed


async def test_it_goes_on_from_the_word(call: Call) -> None:
    await call.cut("h1", 1, 1500, FIRST, SECOND)
    again = Say("", FIRST.text, again="place"), Ask("", SECOND.text, again="place")
    first, *rest = await call.hear("h2", *again)
    assert 32000 * 0.25 <= first <= 32000 * 0.5
    assert rest == [32000] * 2


async def test_cut_twice_it_goes_on_from_the_second_place(call: Call) -> None:
    await call.cut("h1", 1, 1500, FIRST, SECOND)
    again = Say("", FIRST.text, again="sentence"), Ask("", SECOND.text, again="sentence")
    await call.cut("h2", 2, 500, *again)
    assert await call.hear("h3", *again) == [32000] * 2


async def test_heard_to_the_end_it_is_said_again_whole(call: Call) -> None:
    await call.hear("h1", FIRST, SECOND)
    again = Say("", FIRST.text, again="place"), Ask("", SECOND.text, again="place")
    assert await call.hear("h2", *again) == [32000] * 3


async def test_a_new_answer_forgets_the_old_place(call: Call) -> None:
    await call.cut("h1", 1, 1500, FIRST, SECOND)
    await call.hear("h2", SECOND)
    assert await call.hear("h3", Say("", FIRST.text, again="place")) == [32000] * 2


async def test_louder_holds_for_the_rest_of_the_call(call: Call) -> None:
    await call.hear("h1", SECOND)
    quiet = call.leg.played[-1]
    await call.hear("h2", Say("", "好的，我大声一点。", adjust=("louder",)))
    await call.hear("h3", SECOND)
    loud = call.leg.played[-1]
    assert int.from_bytes(loud[:2], "little") == pytest.approx(
        int.from_bytes(quiet[:2], "little") * 10 ** (6 / 20), abs=2
    )


def test_nothing_said_is_all_heard() -> None:
    assert Progress().figures == {"heard_ms": 0.0, "heard_share": 1.0}


async def test_whom_a_sentence_leads_to_is_called_while_it_is_said(call: Call) -> None:
    call.leg.at_once = False
    say = Say("", "马上为您转人工。", interruptible=False)
    call.core.tell("h1", say, Handoff("", "asked"), Connect("", "sip:a@127.0.0.1"))
    await call.playing(1)
    assert call.targets == [("expect", "sip:a@127.0.0.1")]
    assert call.guarded == 1
    call.ends()
    await call.core.told.join()
    await until(lambda: len(call.targets) == 2)
    assert call.targets[1] == ("connect", "sip:a@127.0.0.1")
    assert call.guarded == 0
