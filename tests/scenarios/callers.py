"""Callers that we did not write, with recorded speech: SIPp (A-law file) and Debian's baresip.

Install them with ``apt-get install sip-tester baresip``. By hand, the same call with baresip, from
the folder that `write_baresip_folder` makes::

    baresip -f FOLDER -e "/dial sip:12345@127.0.0.1:5060" -t 40
"""

from __future__ import annotations

import asyncio
import re
import shutil
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qianmen.bench import g711
from qianmen.citizen.ear import Ear, Utterance
from tests.ports import free_port
from tts.say import synthesise

SCENARIO = Path(__file__).parent / "sipp" / "recorded_question.xml"
_MODULES = Path("/usr/lib/baresip/modules")
_GRACE_S = 60.0

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="SIPp is not installed")
needs_baresip = pytest.mark.skipif(
    shutil.which("baresip") is None or not _MODULES.is_dir(), reason="baresip is not installed"
)


@dataclass(frozen=True)
class Recorded:
    """A finished call: the program's exit code, the number it called as, what it printed.

    ``call_id`` is SIPp's ('' for baresip, whose conversation is found by its number); ``heard``
    what baresip heard (SIPp does not listen), times in s from its answer.
    """

    code: int
    caller: str
    output: str
    call_id: str = ""
    heard: tuple[Utterance, ...] = ()


def speech(sentences: Sequence[str], lead_s: float, gap_s: float) -> bytes:
    """espeak-ng's speech as one recording (s16le, 8 kHz): silence before, between and after."""
    gap = bytes(int(gap_s * 8000) * 2)
    parts = [synthesise(sentence) + gap for sentence in sentences]
    return bytes(int(lead_s * 8000) * 2) + b"".join(parts)


async def sipp_call(
    host: str, port: int, sentences: Sequence[str], folder: Path, *,
    number: str = "12345", wait_s: float = 10.0, gap_s: float = 8.0,
) -> Recorded:  # fmt: skip
    """Call with SIPp: wait for the greeting, play the recording, wait for the answer, hang up."""
    pcm = speech(sentences, 0.0, gap_s)
    samples = np.frombuffer(pcm, dtype="<i2")
    (folder / "question.alaw").write_bytes(g711.encode(samples))
    answer_s = len(samples) / 8000 + wait_s
    waits = iter((wait_s, answer_s))
    scenario = re.sub(
        "<pause />",
        lambda _: f'<pause milliseconds="{next(waits) * 1000:.0f}" />',
        SCENARIO.read_text(),
    )
    (folder / SCENARIO.name).write_text(scenario)
    command = [
        "sipp", f"{host}:{port}", "-sf", SCENARIO.name, "-s", number, "-i", "127.0.0.1",
        "-p", str(free_port()), "-m", "1", "-nostdin", "-trace_msg",
        "-cid_str", "recorded-%u-%p@%s",
    ]  # fmt: skip
    code, output = await _run(command, folder, wait_s + answer_s + _GRACE_S)
    return Recorded(code, "13700137000", output, call_id=_call_id_in(folder))


def _call_id_in(folder: Path) -> str:
    log = "".join(path.read_text("utf-8", "replace") for path in folder.glob("*_messages.log"))
    found = re.search(r"^Call-ID: (\S+)", log, re.MULTILINE)
    return found[1] if found else ""


async def baresip_call(
    host: str, port: int, sentences: Sequence[str], folder: Path, *,
    number: str = "12345", caller: str = "13600136000", wait_s: float = 10.0, gap_s: float = 8.0,
) -> Recorded:  # fmt: skip
    """Call with baresip, its microphone a recording; what it heard is in ``heard``."""
    seconds = write_baresip_folder(folder, sentences, caller, wait_s, gap_s)
    command = [
        "baresip", "-f", str(folder), "-e", f"/dial sip:{number}@{host}:{port}", "-t", str(seconds),
    ]  # fmt: skip
    code, output = await _run(command, folder, seconds + _GRACE_S)
    return Recorded(code, caller, output, heard=_heard_in(folder))


def _heard_in(folder: Path) -> tuple[Utterance, ...]:
    ear = Ear()
    for path in folder.glob("dump-*-dec.wav"):
        with wave.open(str(path)) as file:
            ear.feed(file.readframes(file.getnframes()) + bytes(16_000))
    return ear.utterances


def write_baresip_folder(
    folder: Path, sentences: Sequence[str], caller: str, wait_s: float, gap_s: float
) -> int:
    """Configuration, account and recording; how long the call should last, s."""
    pcm = speech(sentences, wait_s, gap_s)
    sound = folder / "question.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(pcm + bytes(5 * 16_000))  # baresip hangs up where the file ends
    account = f"<sip:{caller}@127.0.0.1>;regint=0;audio_codecs=PCMA/8000/1\n"
    (folder / "accounts").write_text(account)
    (folder / "contacts").touch()
    modules = ("g711.so", "aufile.so", "aubridge.so", "sndfile.so")
    lines = [
        "poll_method epoll", "sip_listen 127.0.0.1:0", "net_interface 127.0.0.1",
        f"audio_source aufile,{sound}", "audio_player aubridge,nobody",
        "audio_alert aubridge,nobody", "ausrc_srate 8000", "auplay_srate 8000",
        "ausrc_channels 1", "auplay_channels 1", f"module_path {_MODULES}", f"snd_path {folder}",
        *(f"module {name}" for name in modules), "module_app account.so", "module_app menu.so",
    ]  # fmt: skip
    (folder / "config").write_text("\n".join(lines) + "\n")
    return int(len(pcm) / 16_000) + 1


async def _run(command: Sequence[str], folder: Path, patience_s: float) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(patience_s):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode("utf-8", "replace")
