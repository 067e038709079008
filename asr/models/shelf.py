"""Where installed models stand: ``DATA_DIR/models/NAME-DIGEST``, one folder a version."""

from __future__ import annotations

from glob import escape
from pathlib import Path

from asr.models.catalogue import STARTER, load_catalogue
from asr.models.errors import ModelError
from asr.models.seal import SEAL, read_seal
from asr.starter import archive
from config.settings import Settings


def shelf(settings: Settings) -> Path:
    """The folder that holds all installed models."""
    return settings.data_dir / "models"


def folder_name(name: str, archive_sha256: str) -> str:
    """What an installed model's folder is called."""
    return f"{name}-{archive_sha256[:12]}"


def installed(settings: Settings, name: str) -> Path | None:
    """The folder of the newest installed model called ``name`` (not the starter)."""
    found = [
        path.parent
        for path in shelf(settings).glob(f"{escape(name)}-{'[0-9a-f]' * 12}/{SEAL}")
        if path.parent.name.rpartition("-")[0] == name
    ]
    return max(found, key=_placed_at, default=None)


def _placed_at(folder: Path) -> float:
    try:
        return (folder / SEAL).stat().st_mtime
    except OSError:
        return 0.0


def starter_folder(settings: Settings) -> Path:
    """The unpacked starter model, unpacked now if it is not; raises `ModelError`."""
    try:
        return archive.ensure_model(shelf(settings) / STARTER)
    except archive.ModelError as error:
        raise ModelError(
            error.code,
            f"入门模型不能用（{error}）：恢复 asr/starter/ 里的文件，"
            "或者把 MODEL 设成一个 Vosk 模型的文件夹",
        ) from None


def find(settings: Settings, name: str) -> Path:
    """The folder of ``name``: a model's folder, the name of an installed one, or ``starter``.

    Raises `ModelError` ``model_missing`` that says how to get it, and what the starter raises.
    """
    if name == STARTER:
        return starter_folder(settings)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    by_name = installed(settings, name) if folder.name == name else None
    if by_name is not None:
        return by_name
    if name in load_catalogue(settings):
        raise ModelError(
            "model_missing", f"模型 {name} 还没有安装：运行 qianmen models fetch {name}"
        )
    raise ModelError(
        "model_missing",
        f"没有模型文件夹 {name}：把 MODEL 设成 Vosk 模型的文件夹或已安装模型的名字"
        "（qianmen models list），或者不设 MODEL，用入门模型",
    )


def wanted(settings: Settings) -> str:
    """What MODEL names; `STARTER` where it is not set, or set to nothing."""
    return STARTER if settings.model in (None, Path()) else str(settings.model)


def chosen(settings: Settings) -> Path:
    """The folder of the model that the settings name; raises as `find`."""
    return find(settings, wanted(settings))


def in_use(settings: Settings) -> Path | None:
    """The folder of the model that calls are recognised with; None with ASR_URL or none there."""
    if settings.asr_url:
        return None
    try:
        return chosen(settings).resolve()
    except ModelError:
        return None


def sealed_name(folder: Path) -> str:
    """What the model in ``folder`` is called: by its seal, else by its folder."""
    seal = read_seal(folder)
    return seal.name if seal else folder.name
