"""Personal data at rest: encrypted, and nobody else's to read on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.secretfiles import SECRETS, STANDARD
from config.settings import Settings
from qianmen.doctor.check import Patient, check
from qianmen.doctor.finding import Finding, ok, warning

_OTHERS = 0o007


@dataclass(frozen=True, slots=True)
class PrivacyFacts:
    """``keyed``: a key encrypts; ``open_files``, ``open_folder``: others may enter, with modes."""

    keyed: bool
    open_files: tuple[tuple[str, int], ...] = ()
    open_folder: tuple[str, int] | None = None


def collect_privacy(patient: Patient) -> PrivacyFacts:
    """Look at modes, not at what stands in the files."""
    settings = patient.settings
    files = ((str(path), _mode(path)) for path in _secret_files(settings))
    folder = _mode(settings.data_dir)
    return PrivacyFacts(
        bool(settings.data_key),
        tuple((name, mode) for name, mode in files if mode & _OTHERS),
        (str(settings.data_dir), folder) if folder & _OTHERS else None,
    )


def _secret_files(settings: Settings) -> tuple[Path, ...]:
    """``.env``, and the folder of secrets unless a container's: that is as its engine made it."""
    folder = settings.secrets_dir
    if folder is None or folder == STANDARD or not _mode(folder) & _OTHERS:
        return (Path(".env").absolute(),)
    return (Path(".env").absolute(), *(folder / f"qianmen_{name}" for name in SECRETS))


def _mode(path: Path) -> int:
    """0 where it is not there."""
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return 0


def judge_encryption(facts: PrivacyFacts) -> Iterator[Finding]:
    """A stolen disk or backup tells nothing."""
    subject = "个人信息加密"
    if facts.keyed:
        yield ok("data_key_set", subject, "设了密钥")
    else:
        yield warning(
            "data_key_unset", subject,
            "没有设 QIANMEN_DATA_KEY：号码、原话、录音和备份都是明文",
            "qianmen data new-key 生成密钥，设为 QIANMEN_DATA_KEY，重新启动，"
            "再运行 qianmen data reseal。",
        )  # fmt: skip


def judge_modes(facts: PrivacyFacts) -> Iterator[Finding]:
    """Only the front door's own user reads them."""
    subject = "文件权限"
    for name, mode in facts.open_files:
        yield warning(
            "secrets_readable", subject, f"{name} 这台机器上的其他用户也能读（{mode:o}）",
            f"chmod 600 {name}；里面有密钥或密码的话，最好也换掉。",
        )  # fmt: skip
    if facts.open_folder:
        name, mode = facts.open_folder
        yield warning(
            "data_dir_open", subject, f"数据文件夹 {name} 其他用户也能进（{mode:o}）",
            f"chmod 700 {name}：数据库和录音在里面。",
        )  # fmt: skip
    if not facts.open_files and not facts.open_folder:
        yield ok("modes_ok", subject, "设置、密钥和数据文件夹别的用户都看不到")


CHECKS = (
    check("个人信息", collect_privacy, judge_encryption),
    check("个人信息", collect_privacy, judge_modes),
)
