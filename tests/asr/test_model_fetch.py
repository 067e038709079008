"""Models installed: from the catalogue's address, a mirror, a file; damaged, doubled, killed."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import pytest

from asr import vosk_local
from asr.models.catalogue import load_catalogue
from asr.models.check import check
from asr.models.download import Patience
from asr.models.errors import ModelError
from asr.models.fetch import Fetched, fetch
from asr.models.inventory import list_models, verify_models
from asr.models.shelf import chosen, find
from asr.models.tried import Tried
from asr.recogniser import RecogniserError
from asr.server import make_recogniser
from asr.vosk_local import VoskRecogniser, check_model
from config.errors import ConfigError
from config.settings import Settings
from tests.asr.model_town import NAME, Told, archive, known, sha256, starter, town, zipped
from tests.asr.test_model_download import no_proxy
from tests.fakes.file_server import PATH, FileServer

__all__ = ["archive", "no_proxy", "starter"]
BRISK = Patience(connect_s=5, silence_s=5, pause_s=0, attempts=2)


def get(settings: Settings, source: str = "", told: Told | None = None) -> Fetched:
    return fetch(settings, NAME, source, told or Told(), BRISK)


def refusal(settings: Settings, source: str = "") -> str:
    with pytest.raises(ModelError) as caught:
        get(settings, source)
    left = [path.name for path in (settings.data_dir / "models").glob(f"{NAME}*")]
    assert left == [], "half a model was left"
    return caught.value.code


def on_disk(folder: Path, content: bytes) -> str:
    path = folder / "download.zip"
    path.write_bytes(content)
    return str(path)


def test_from_the_catalogue_s_address_to_a_recogniser(tmp_path: Path, archive: bytes) -> None:
    told = Told()
    with FileServer(archive).serving() as server:
        settings = town(tmp_path, f"url: {server.url}{PATH}\n{known(archive)}", model=NAME)
        with pytest.raises(ModelError, match=f"qianmen models fetch {NAME}"):
            chosen(settings)
        fetched = get(settings, told=told)
        assert fetched.new
        assert fetched.verified
        assert fetched.folder.name == f"{NAME}-{sha256(archive)[:12]}"
        assert told.counts[-1] == (len(archive), len(archive))
        assert not get(settings).new
    assert len(server.asked) == 1
    assert check(fetched.folder, thorough=True) == ()
    assert chosen(settings) == fetched.folder
    with ThreadPoolExecutor(1) as executor:
        assert isinstance(make_recogniser(settings, executor), VoskRecogniser)
    row = next(row for row in list_models(settings) if row.name == NAME)
    assert (row.intact, row.in_use) == (True, True)
    assert [path.name for path in (settings.data_dir / "models" / ".fetching").iterdir()] == [
        f"{NAME}.lock"
    ]


@pytest.mark.parametrize("kind", ["file", "folder", "address", "base"])
def test_from_a_mirror_of_the_city_s_own(tmp_path: Path, archive: bytes, kind: str) -> None:
    settings = town(tmp_path, known(archive))
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / f"{NAME}.zip").write_bytes(archive)
    with FileServer(archive).serving() as server:
        sources = {
            "file": f"{mirror}/{NAME}.zip",
            "folder": str(mirror),
            "address": f"{server.url}{PATH}",
            "base": f"{server.url}/models/",
        }
        assert get(settings, sources[kind]).verified


def test_without_a_known_checksum_the_computed_one_is_told(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path)
    fetched = get(settings, on_disk(tmp_path, archive))
    assert not fetched.verified
    assert fetched.archive_sha256 == sha256(archive)
    (found,) = verify_models(settings, NAME)
    assert (found.ok, found.checksum, found.archive_sha256) == (True, "unknown", sha256(archive))


def test_what_is_no_such_model_is_refused(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive))
    assert refusal(settings, on_disk(tmp_path, archive[:-1])) == "model_truncated"
    spoiled = archive[:5000] + b"?" + archive[5001:]
    assert refusal(settings, on_disk(tmp_path, spoiled)) == "model_checksum"
    assert refusal(settings, str(tmp_path / "nothing.zip")) == "model_missing"
    assert refusal(settings, str(tmp_path)) == "model_missing"
    assert refusal(settings) == "model_missing"


def test_a_spoiled_download_is_thrown_away_and_tried_anew(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive))
    half = settings.data_dir / "models" / ".fetching" / NAME / "archive.zip"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"x" * 1000)
    with FileServer(archive).serving() as server:
        assert get(settings, server.url + PATH).verified
    assert [ranged for _, ranged, _ in server.asked] == ["bytes=1000-", None]


def test_a_server_with_another_file_of_the_same_size(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive))
    with FileServer(archive[:-1] + b"?").serving() as server:
        assert refusal(settings, server.url + PATH) == "model_checksum"
    assert not (settings.data_dir / "models" / ".fetching" / NAME / "archive.zip").stat().st_size


def test_archives_that_hold_no_usable_model(tmp_path: Path, starter: Path) -> None:
    settings = town(tmp_path)
    spoiled = tmp_path / "spoiled"
    (spoiled / "am").mkdir(parents=True)
    (spoiled / "graph").mkdir()
    for name in ("graph/HCLr.fst", "graph/words.txt"):
        (spoiled / name).write_bytes((starter / name).read_bytes())
    assert refusal(settings, on_disk(tmp_path, zipped(spoiled))) == "model_corrupt"
    half = (starter / "am" / "final.mdl").read_bytes()[:100_000]
    (spoiled / "am" / "final.mdl").write_bytes(half)
    assert refusal(settings, on_disk(tmp_path, zipped(spoiled))) == "model_corrupt"
    assert refusal(settings, on_disk(tmp_path, b"<html>")) == "model_corrupt"


def test_a_damaged_model_is_named_file_by_file_and_replaced(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive), model=NAME)
    source = on_disk(tmp_path, archive)
    folder = get(settings, source).folder
    words = folder / "graph" / "words.txt"
    whole = words.read_bytes()
    words.write_bytes(whole[:-1])
    problems = check(folder)
    assert [problem.code for problem in problems] == ["model_corrupt"]
    assert "graph/words.txt" in problems[0].message
    words.write_bytes(whole[:-1] + b"?")
    assert check(folder) == ()
    (found,) = verify_models(settings, NAME)
    assert [problem.code for problem in found.problems] == ["model_corrupt"]
    again = get(settings, source)
    assert again.new
    assert again.folder == folder
    assert words.read_bytes() == whole


def test_a_half_copied_model_does_not_start(tmp_path: Path, archive: bytes) -> None:
    """As after `cp` was interrupted: the seal tells what Kaldi would crash on, or not notice."""
    settings = town(tmp_path, known(archive))
    folder = get(settings, on_disk(tmp_path, archive)).folder
    (folder / "graph" / "Gr.fst").unlink()
    with pytest.raises(RecogniserError, match=r"graph/Gr\.fst") as caught:
        check_model(folder)
    assert caught.value.code == "model_corrupt"
    (folder / "qianmen-model.json").write_text("{")
    assert {problem.code for problem in check(folder)} == {"model_corrupt"}


def test_a_recogniser_whose_model_is_not_installed_says_how_to_get_it(tmp_path: Path) -> None:
    settings = town(tmp_path, model=NAME)
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(RecogniserError, match=f"qianmen models fetch {NAME}") as caught,
    ):
        make_recogniser(settings, executor)
    assert caught.value.code == "model_missing"


def test_what_a_killed_fetch_left_is_cleared_away(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive))
    here = settings.data_dir / "models" / ".fetching" / NAME
    (here / "unpacked" / "am").mkdir(parents=True)
    (here / "unpacked" / "am" / "final.mdl").write_bytes(b"half")
    assert get(settings, on_disk(tmp_path, archive)).new
    assert not here.exists()


def test_an_interrupted_download_is_taken_up_again(tmp_path: Path, archive: bytes) -> None:
    class Stopped(Told):
        def progress(self, done: int, total: int | None) -> None:
            if done > len(archive) // 3:
                raise KeyboardInterrupt

    settings = town(tmp_path, known(archive))
    with FileServer(archive).serving() as server:
        with pytest.raises(KeyboardInterrupt):
            get(settings, server.url + PATH, Stopped())
        assert get(settings, server.url + PATH).verified
    assert server.asked[0][1] is None
    ranged = server.asked[1][1]
    assert ranged is not None
    assert int(ranged[6:-1]) > len(archive) // 3


def test_two_fetches_at_once_install_once(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive))
    fetched: list[Fetched] = []
    with FileServer(archive).serving() as server:
        jobs = [
            threading.Thread(target=lambda: fetched.append(get(settings, server.url + PATH)))
            for _ in range(2)
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    assert sorted(each.new for each in fetched) == [False, True]
    assert len(server.asked) == 1


def test_a_place_that_cannot_be_written(tmp_path: Path, archive: bytes) -> None:
    settings = town(tmp_path, known(archive))
    (settings.data_dir / "models").write_text("a file in the way")
    with pytest.raises(ModelError) as caught:
        get(settings, on_disk(tmp_path, archive))
    assert caught.value.code == "model_unwritable"


def test_an_unpacked_model_needs_no_fetch(tmp_path: Path, starter: Path) -> None:
    settings = town(tmp_path)
    with pytest.raises(ModelError, match=f"MODEL={starter}"):
        get(settings, str(starter))
    assert find(settings, str(starter)) == starter


def test_names_that_nobody_knows(tmp_path: Path) -> None:
    settings = town(tmp_path)
    with pytest.raises(ModelError) as caught:
        fetch(settings, "no-such-model", "", Told())
    assert caught.value.code == "model_unknown"
    for name in ("no-such-model", "**", "[", "a/b", "../x"):
        with pytest.raises(ModelError) as caught:
            find(settings, name)
        assert caught.value.code == "model_missing"


def test_a_model_set_to_nothing_is_the_starter(tmp_path: Path) -> None:
    """As a container's environment has it where nobody chose."""
    assert chosen(Settings(data_dir=tmp_path, model=Path())) == chosen(Settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    "entry", ["bytes: -1", "sha256: abc", "url: ftp://x", "colour: red", "sample_rate: 1"]
)
def test_a_wrong_catalogue_of_the_city_s_names_the_line(tmp_path: Path, entry: str) -> None:
    settings = town(tmp_path, entry)
    with pytest.raises(ConfigError, match=r"models\.yaml:4: models\.0\."):
        load_catalogue(settings)


async def test_a_model_is_tried_once_and_again_after_any_change(
    tmp_path: Path, starter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials: list[Path] = []

    async def counted(folder: Path, rate: int) -> None:
        trials.append(folder)

    monkeypatch.setattr(vosk_local, "try_model", counted)
    model = tmp_path / "model"
    copytree(starter, model)
    tried = Tried(tmp_path)
    with ThreadPoolExecutor(1) as executor:
        for _ in range(2):
            await VoskRecogniser(model, executor, tried).start()
        assert len(trials) == 1
        os.utime(model / "am" / "final.mdl")
        await VoskRecogniser(model, executor, tried).start()
    assert len(trials) == 2
    assert tried.take(model)
    assert not tried.has(model), "a start that crashes must be followed by a trial"
