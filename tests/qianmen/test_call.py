"""A stock pyVoIP telephone against a front door of raw SIP and RTP, in real time."""

from __future__ import annotations

import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qianmen.citizen.call import Patience, place_call
from qianmen.citizen.ear import Hearing
from qianmen.citizen.errors import CitizenError
from qianmen.citizen.phone import key_payloads
from qianmen.citizen.report import CallReport
from telephony.pyvoip.eightbit import to_8_bit, to_16_bit
from tests.fakes.sip_peer import SipPeer

QUICK = Hearing(pause_s=0.4)


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def failure(peer: SipPeer, *says: str, **patience: float) -> CitizenError:
    with peer, pytest.raises(CitizenError) as caught:
        place_call(peer.uri, says, patience=Patience(**patience), hearing=QUICK)
    return caught.value


def test_citizen_and_front_door_take_turns(tmp_path: Path) -> None:
    wav = tmp_path / "call" / "sound.wav"
    with SipPeer() as peer:
        report = place_call(
            peer.uri, ["租房", "谢谢"], keys="0#", save=wav, hearing=QUICK,
            patience=Patience(reply_s=2.0),
        )  # fmt: skip
    assert [turn.who for turn in report.turns] == [
        "bot", "citizen", "bot", "citizen", "bot", "citizen",
    ]  # fmt: skip
    assert [turn.text for turn in report.turns if turn.who == "citizen"] == ["租房", "谢谢", "0#"]
    assert (report.ended_by, report.recorded, report.connected) == ("citizen", False, False)
    assert report.conversation == peer.heard.call_ids[0]
    assert peer.heard.requests == ["INVITE", "ACK", "BYE"]
    assert peer.heard.acks[0].endswith(";tag=fake")
    assert (peer.heard.keys, peer.heard.turns) == (["0", "#"], 2)
    assert (peer.heard.sequence_gaps, len(peer.heard.sources)) == (0, 1)
    with wave.open(str(wav)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    assert sound[:, 0].std() > 100
    assert sound[:, 1].std() > 100


def test_a_busy_line() -> None:
    peer = SipPeer("busy")
    assert failure(peer).code == "busy"
    assert peer.heard.requests == ["INVITE", "ACK"]


def test_a_refused_call() -> None:
    error = failure(SipPeer("refuse"))
    assert (error.code, "404" in str(error)) == ("rejected", True)


def test_nobody_answers_and_the_call_is_cancelled() -> None:
    peer = SipPeer("ring")
    assert failure(peer, answer_s=0.5).code == "no_answer"
    assert peer.heard.requests == ["INVITE", "CANCEL", "ACK"]


def test_nothing_there() -> None:
    assert failure(SipPeer("deaf"), there_s=0.6).code == "unreachable"


def test_never_any_sound() -> None:
    peer = SipPeer(media=False)
    error = failure(peer, "你好", greeting_s=0.6)
    assert error.code == "silent"
    assert isinstance(error.report, CallReport)
    assert peer.heard.requests == ["INVITE", "ACK", "BYE"]


def test_the_other_side_hangs_up_before_all_was_said() -> None:
    peer = SipPeer(hang_up_after=0)
    error = failure(peer, "租房可以提取公积金吗", "还有一件事")
    assert error.code == "lost"
    assert isinstance(error.report, CallReport)
    assert error.report.ended_by == "other"
    assert peer.bye_answered.is_set()


def test_the_other_side_may_hang_up_when_all_was_said() -> None:
    with SipPeer(hang_up_after=1, reply_s=0.2) as peer:
        report = place_call(peer.uri, ["再见"], hearing=Hearing(pause_s=3.0), patience=Patience())
    assert report.ended_by == "other"


def test_no_reply_is_waited_for_only_so_long() -> None:
    with SipPeer(reply_s=0.0) as peer:
        report = place_call(peer.uri, ["喂"], hearing=QUICK, patience=Patience(reply_s=0.5))
    assert [turn.who for turn in report.turns] == ["bot", "citizen"]


def test_a_lost_ack_is_sent_again() -> None:
    with SipPeer(lose_first_ack=True) as peer:
        place_call(peer.uri, [], hearing=QUICK)
    assert peer.heard.requests == ["INVITE", "ACK", "ACK", "BYE"]


def test_the_citizen_stays_for_the_voice_of_a_person() -> None:
    with SipPeer(second_voice_s=0.9) as peer:
        report = place_call(peer.uri, ["转人工"], hearing=QUICK, patience=Patience(stay_s=4.0))
    assert report.connected
    with SipPeer() as peer:
        report = place_call(peer.uri, ["转人工"], hearing=QUICK, patience=Patience(stay_s=0.5))
    assert not report.connected


@pytest.mark.parametrize(
    ("uri", "says", "extra"),
    [("12345", ["好"], {}), ("sip:1@127.0.0.1", ["好"], {"keys": "x"}),
     ("sip:1@127.0.0.1", ["好"], {"voice": "klingon"}),
     ("sip:1@127.0.0.1", [], {"local_ip": "203.0.113.9"})],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    uri: str, says: list[str], extra: dict[str, str]
) -> None:
    with pytest.raises(CitizenError) as caught:
        place_call(uri, says, **extra)  # type: ignore[arg-type]  # one dict for several options
    assert caught.value.code == "bad_input"


def test_keys_are_rfc_4733_events_with_a_marked_start_and_three_ends() -> None:
    slots = [slot for slot in key_payloads("5") if slot is not None]
    assert [marker for marker, _, _ in slots] == [True] + [False] * 7
    assert [age for _, age, _ in slots] == list(range(8))
    assert {payload[0] for _, _, payload in slots} == {5}
    assert [bool(payload[1] & 0x80) for _, _, payload in slots] == [False] * 5 + [True] * 3
    durations = [int.from_bytes(payload[2:], "big") for _, _, payload in slots]
    assert durations == [160, 320, 480, 640, 800, 800, 800, 800]


def test_eight_bits_and_back_stay_within_half_a_step() -> None:
    samples = np.arange(-32768, 32768, dtype=np.int32)
    back = np.frombuffer(to_16_bit(to_8_bit(samples.astype("<i2").tobytes())), dtype="<i2")
    error = np.abs(back - samples)
    assert error[samples < 32640].max() <= 128
    assert error.max() <= 255
