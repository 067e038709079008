"""Whether a model's folder can be used, without loading it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asr.models.seal import SEAL, broken_files, read_seal

_ACOUSTICS = ("am/final.mdl", "final.mdl")
_GRAPHS = ("graph/HCLG.fst", "HCLG.fst", "graph/HCLr.fst", "HCLr.fst")
_SYMBOLS = ("graph/words.txt", "words.txt")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable ``code`` and what to tell the operator, in Chinese."""

    code: str
    message: str


def check(folder: Path, *, thorough: bool = False) -> tuple[Problem, ...]:
    """What is wrong with the model in ``folder``; empty when nothing can be seen.

    Codes: ``model_missing`` (no folder), ``model_corrupt``. A model that ``models fetch`` placed
    is compared with its seal, by size or, when ``thorough``, by SHA-256; of any other only the
    structure can be seen. It is not loaded: see `asr.vosk_local.try_model`.
    """
    if not folder.is_dir():
        return (Problem("model_missing", f"没有模型文件夹 {folder}"),)
    return (*_structure(folder), *_sealed(folder, thorough))


def _structure(folder: Path) -> tuple[Problem, ...]:
    problems = []
    for names in (_ACOUSTICS, _GRAPHS, _SYMBOLS):
        found = next((name for name in names if (folder / name).is_file()), None)
        if found is None:
            problems.append(Problem("model_corrupt", f"模型 {folder} 缺少 {names[0]}"))
        elif not (folder / found).stat().st_size:
            problems.append(Problem("model_corrupt", f"模型 {folder} 的 {found} 是空的"))
    return tuple(problems)


def _sealed(folder: Path, thorough: bool) -> tuple[Problem, ...]:
    seal = read_seal(folder)
    if seal is None:
        if (folder / SEAL).exists():
            return (Problem("model_corrupt", f"模型 {folder} 的清单 {SEAL} 读不出来"),)
        return ()
    return tuple(
        Problem("model_corrupt", f"模型 {folder} 的 {name} 和安装时不一样（缺少、不完整或被改过）")
        for name in broken_files(folder, seal, thorough=thorough)
    )
