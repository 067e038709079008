"""The secret that a backup's audit was signed with: in place before the rows come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings
from config.wholefile import write_whole
from store.backup import secret_mark
from store.faults import StoreError


@dataclass(frozen=True, slots=True)
class Choice:
    """``place``: the secret to put in place, '' for none; ``anew``: the audit is chained anew."""

    place: str = ""
    anew: bool = False


def choose(settings: Settings, mark: str, given: Path | None, *, anew: bool) -> Choice:
    """What a backup with this ``mark`` of its secret needs here; touches nothing.

    Raises :class:`StoreError` ``secret_differs`` where neither the installation's secret nor
    ``given`` is the backup's and nobody wants the audit ``anew``; ``secret_unreadable``.
    """
    here = settings.secret_key or _read(settings.data_dir / "secret", missing="")
    offered = _read(given) if given else here
    if mark and secret_mark(offered) != mark:
        if given:
            raise StoreError("secret_differs", f"{given} 不是做这个备份时的 secret；什么也没有恢复")
        if not anew:
            raise StoreError(
                "secret_differs",
                "这台机器的 secret 和做备份时的不同，直接恢复会让审计对不上；什么也没有恢复。"
                "请加 --secret 旧的secret文件；旧的确实找不到了，"
                "才加 --new-secret（审计链从此重新开始）",
            )
        return Choice(anew=True)
    if offered == here:
        return Choice()
    if settings.secret_key:
        raise StoreError(
            "secret_differs", "设置了 QIANMEN_SECRET_KEY：请把它改成做备份时的；什么也没有恢复"
        )
    return Choice(place=offered)


@contextmanager
def placed(settings: Settings, choice: Choice) -> Iterator[None]:
    """The secret in its file (0600) if it must be; put back where the restore fails.

    The one it replaces stays beside it, named by the moment.
    """
    if not choice.place:
        yield
        return
    path = settings.data_dir / "secret"
    former = path.with_name(f"secret.{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    try:
        if path.exists():
            path.replace(former)
        write_whole(path, choice.place.encode("ascii"))
    except OSError as error:
        _put_back(former, path)
        raise StoreError("secret_unwritable", f"{path} 写不进去（{error.strerror}）") from None
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        _put_back(former, path)
        raise


def _put_back(former: Path, path: Path) -> None:
    if former.exists():
        former.replace(path)


def _read(path: Path, missing: str | None = None) -> str:
    try:
        secret = path.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        if missing is not None:
            return missing
        raise StoreError("secret_unreadable", f"{path} 读不出来（{error.strerror}）") from None
    except (OSError, UnicodeError):
        raise StoreError("secret_unreadable", f"{path} 读不出来") from None
    if not secret:
        raise StoreError("secret_unreadable", f"{path} 是空的")
    return secret
