"""Vosk with the starter model, and what can be said of a model without loading it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from asr.client import Listener
from asr.narrow import grammar
from asr.recogniser import UNKNOWN, RecogniserError
from asr.starter.archive import ARCHIVE, ensure_model
from asr.vosk_local import VoskRecogniser, check_model, model_rate, parse_result
from tests.asr.listening import frames, listening, silence, speech
from turns.voice import TurnEnded, Word

SENTENCE = "租房提取公积金需要什么材料"


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ARCHIVE.is_file():
        pytest.skip("the starter model is not built")
    return ensure_model(tmp_path_factory.mktemp("models") / "starter")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture
async def recogniser(starter: Path, executor: ThreadPoolExecutor) -> VoskRecogniser:
    recogniser = VoskRecogniser(starter, executor)
    await recogniser.start()
    return recogniser


async def test_turns_have_their_own_words_and_times(recogniser: VoskRecogniser) -> None:
    stream = await recogniser.open()
    for text in (SENTENCE, "转人工", SENTENCE):
        said = silence(0.3) + speech(text) + silence(0.5)
        partials = [await stream.accept(frame) for frame in frames(said)]
        words = await stream.finish()
        assert words.text == text
        assert partials[-1] == text
        assert words.confidence > 0.5
        assert 200 <= words.words[0].start_ms <= 700
        assert words.words[-1].end_ms <= len(said) / 16
    await stream.close()


async def test_pauses_do_not_split_the_words(recogniser: VoskRecogniser) -> None:
    stream = await recogniser.open()
    for part in (speech("转人工"), silence(1.5), speech(SENTENCE)):
        for frame in frames(part):
            await stream.accept(frame)
    words = await stream.finish()
    assert words.text == "转人工" + SENTENCE
    assert words.words[-1].start_ms > words.words[0].end_ms + 1000


async def test_nothing_said_has_no_words(recogniser: VoskRecogniser) -> None:
    stream = await recogniser.open()
    assert (await stream.finish()).words == ()
    await stream.accept(silence(1.0))
    assert (await stream.finish()).text == ""


YES_NO = ["是的", "不是", "不用", "不用了", "对"]


async def test_a_grammar_beside_which_nothing_is_lost(recogniser: VoskRecogniser) -> None:
    stream = await recogniser.open()
    await stream.accept(silence(0.5))
    await stream.finish()
    await stream.set_grammar(YES_NO)
    heard = []
    for text in ("是的", SENTENCE, "不用"):
        for frame in frames(silence(0.3) + speech(text) + silence(0.3)):
            await stream.accept(frame)
        words = await stream.finish()
        heard.append(words.text)
        length = (len(speech(text)) + len(silence(0.6))) / 16
        assert all(200 <= word.start_ms <= word.end_ms <= length for word in words.words)
    assert heard == ["是的", SENTENCE, "不用"]


async def test_a_grammar_holds_until_it_is_taken_back(recogniser: VoskRecogniser) -> None:
    stream = await recogniser.open()
    for phrases in (["转人工"], None):
        await stream.set_grammar(phrases)
        for frame in frames(speech(SENTENCE) + silence(0.3)):
            await stream.accept(frame)
        assert (await stream.finish()).text == SENTENCE


async def test_two_streams_do_not_mix(recogniser: VoskRecogniser) -> None:
    one, other = await recogniser.open(), await recogniser.open()
    first, second = frames(speech(SENTENCE)), frames(speech("转人工") + silence(3.0))
    for left, right in zip(first, second, strict=False):
        await one.accept(left)
        await other.accept(right)
    assert (await one.finish()).text == SENTENCE
    assert (await other.finish()).text == "转人工"


async def test_a_caller_is_understood_through_the_server(recogniser: VoskRecogniser) -> None:
    async with (
        listening(recogniser) as address,
        Listener.connect(f"ws://{address}") as listener,
    ):
        listener.expect("open")
        for frame in frames(silence(0.5) + speech(SENTENCE) + silence(1.2)):
            listener.feed(frame)
        async for event in listener.events():
            if isinstance(event, TurnEnded):
                break
        assert isinstance(event, TurnEnded)
        assert event.text == SENTENCE
        assert event.decided_ms - event.end_ms <= 700


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("am/final.mdl", lambda data: data[: len(data) // 2]),
        ("conf/mfcc.conf", lambda data: data[:0]),
        ("graph/HCLr.fst", lambda data: data[: len(data) // 2]),
        ("graph/Gr.fst", lambda data: data[:0]),
        ("graph/words.txt", lambda data: data[:0]),
        ("graph/disambig_tid.int", lambda data: data[: len(data) // 2]),
    ],
)
async def test_a_damaged_model_is_refused_even_where_kaldi_crashes(
    starter: Path,
    executor: ThreadPoolExecutor,
    tmp_path: Path,
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    model = tmp_path / "model"
    shutil.copytree(starter, model)
    (model / name).write_bytes(damage((starter / name).read_bytes()))
    with pytest.raises(RecogniserError) as caught:
        await VoskRecogniser(model, executor).start()
    assert caught.value.code == "model_corrupt"
    assert str(model) in str(caught.value)


def test_a_model_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RecogniserError) as caught:
        check_model(tmp_path / "nothing")
    assert caught.value.code == "model_missing"
    with pytest.raises(RecogniserError) as caught:
        check_model(tmp_path)
    assert caught.value.code == "model_corrupt"


@pytest.mark.parametrize(
    ("conf", "rate"), [("--sample-frequency=8000\n", 8000), ("--use-energy=false\n", 16000)]
)
def test_the_rate_a_model_wants(tmp_path: Path, conf: str, rate: int) -> None:
    assert model_rate(tmp_path) == 16000
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "mfcc.conf").write_text(conf)
    assert model_rate(tmp_path) == rate


def test_grammars_are_cut_into_the_model_s_words() -> None:
    knows = frozenset({"公积金", "公", "提取", "是", "的", "不是", UNKNOWN}).__contains__
    made = grammar(["公积金 提取", "是的", "不是", "不是", "龘", "是龘"], knows)
    assert made is not None
    assert json.loads(made) == ["公积金 提取", "是 的", "不是", UNKNOWN]
    assert grammar(["龘"], knows) is None
    assert grammar([], knows) is None


def test_a_model_without_an_unknown_word_gets_other_syllables() -> None:
    made = grammar(["是的"], frozenset("是的我他").__contains__)
    assert made is not None
    assert json.loads(made) == ["是 的", "他", "我"]


def test_results_become_words() -> None:
    item = {"word": "租房", "start": 0.06, "end": 0.45, "conf": 1.2}
    unknown = {"word": UNKNOWN, "start": 0.5, "end": 0.6, "conf": 0.3}
    told = {"result": [item, unknown], "text": f"租房 {UNKNOWN}"}
    assert parse_result(told) == [Word("租房", 60, 450, 1.0)]
    assert parse_result({"text": f"租房 {UNKNOWN}"}) == [Word("租房", 0, 0, 0.0)]
    assert parse_result({"text": ""}) == []
