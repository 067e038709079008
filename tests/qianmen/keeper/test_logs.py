"""A log a day, and never a lost line: with a real supervisord and a child that does not stop."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from config.city import City
from config.settings import Settings
from qianmen.keeper.duty import Keeping
from qianmen.keeper.logs import DUTIES, compress, delete_old, manager_pid, rotate
from qianmen.processes import Process
from qianmen.supervise import start

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LINE = re.compile(rb"^line (\d+) x{200}$", re.MULTILINE)
CHATTY = """
import itertools, time
for number in itertools.count():
    print(f"line {number} " + "x" * 200, flush=True)
    if number % 20 == 0:
        time.sleep(0.002)
"""


@pytest.fixture
def keeping(tmp_path: Path, city: City) -> Keeping:
    settings = Settings(data_dir=tmp_path / "data")
    settings.log_dir.mkdir(parents=True)
    return Keeping(settings, city, create_engine("sqlite://"))  # logs need no database


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def chatty(keeping: Keeping) -> Iterator[subprocess.Popen[bytes]]:
    script = keeping.settings.data_dir / "chatty.py"
    script.write_text(CHATTY)
    argv = (sys.executable, str(script))
    manager = start(keeping.settings, [Process("chatty", "", argv, "", "")])
    try:
        log = keeping.settings.log_dir / "chatty.log"
        eventually(lambda: log.exists() and log.stat().st_size > 100_000)
        yield manager
    finally:
        manager.terminate()
        manager.wait(20)


def test_no_line_is_lost_and_none_doubled(
    keeping: Keeping, chatty: subprocess.Popen[bytes]
) -> None:
    folder = keeping.settings.log_dir
    assert manager_pid(keeping.settings) == chatty.pid
    for day in range(3):
        size = sum(file.stat().st_size for file in folder.glob("chatty*"))
        assert rotate(keeping, NOON + timedelta(days=day)) >= 1
        compress(keeping, NOON + timedelta(days=day))
        eventually(lambda: (folder / "chatty.log").exists())
        eventually(lambda: (folder / "chatty.log").stat().st_size > 50_000)
        assert sum(file.stat().st_size for file in folder.glob("chatty*")) != size
    chatty.terminate()
    chatty.wait(20)
    assert compress(keeping, NOON + timedelta(days=3)) >= 1
    numbers: list[int] = []
    for file in [*sorted(folder.glob("chatty-*")), folder / "chatty.log"]:
        assert file.suffix == ".gz" or file.name == "chatty.log"
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        numbers += [
            int(found) for found in re.findall(rb"^line (\d+) x{200}$", content, re.MULTILINE)
        ]
    assert numbers == list(range(len(numbers)))
    assert len(list(folder.glob("chatty-*.log.gz"))) == 3
    assert (folder / "supervisor-20261120.log.gz").is_file()


def dated(keeping: Keeping, name: str, days_old: float, content: str = "line\n") -> Path:
    path = keeping.settings.log_dir / name
    path.write_text(content)
    moment = (NOON - timedelta(days=days_old)).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_once_a_day_and_without_a_manager(keeping: Keeping) -> None:
    log = dated(keeping, "web.log", 0, "first\n")
    dated(keeping, "empty.log", 0, "")
    assert manager_pid(keeping.settings) is None
    assert rotate(keeping, NOON) == 1
    log.write_text("second\n")
    assert rotate(keeping, NOON + timedelta(hours=1)) == 0
    assert log.read_text() == "second\n"
    assert (keeping.settings.log_dir / "web-20261120.log").read_text() == "first\n"
    # 17:00 UTC is the next day in the city
    assert rotate(keeping, NOON + timedelta(hours=13)) == 1
    assert (keeping.settings.log_dir / "web-20261121.log").read_text() == "second\n"
    assert compress(keeping, NOON) == 0
    assert compress(keeping, NOON + timedelta(days=1)) == 1


def test_a_renaming_that_broke_off_is_ended(keeping: Keeping) -> None:
    log = dated(keeping, "web.log", 0, "first\n")
    os.link(log, keeping.settings.log_dir / "web-20261120.log")
    assert rotate(keeping, NOON) == 1
    assert [path.name for path in keeping.settings.log_dir.iterdir()] == ["web-20261120.log"]


def test_a_compression_that_broke_off_is_done_again(keeping: Keeping) -> None:
    plain = dated(keeping, "web-20261119.log", 1, "all of it\n")
    plain.with_name(plain.name + ".gz").write_bytes(b"half")
    assert compress(keeping, NOON) == 1
    (packed,) = keeping.settings.log_dir.iterdir()
    assert gzip.decompress(packed.read_bytes()) == b"all of it\n"
    assert packed.stat().st_mtime == pytest.approx((NOON - timedelta(days=1)).timestamp())


def test_only_what_is_older_than_the_rule_goes(keeping: Keeping) -> None:
    days = keeping.city.retention.logs_days
    assert days >= 184
    kept = [
        dated(keeping, f"web-{NOON - timedelta(days=days):%Y%m%d}.log.gz", days + 1),
        dated(keeping, "web-20200101.log.gz", 3),  # a name is easily wrong
        dated(keeping, "web.log", 400),
        dated(keeping, "web-99999999.log", 400),
        dated(keeping, "web.log.3", days - 1),
    ]
    gone = [
        dated(keeping, f"web-{NOON - timedelta(days=days + 1):%Y%m%d}.log.gz", days + 1),
        dated(keeping, "asr.log.3", days + 1),
    ]
    assert delete_old(keeping, NOON) == len(gone)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_only_deleting_waits_for_a_sure_clock() -> None:
    assert {duty.name: duty.deletes for duty in DUTIES} == {
        "logs_rotate": False,
        "logs_delete": True,
    }
