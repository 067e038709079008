"""What the operating system says of a volume, as a stable code. Pure."""

from __future__ import annotations

import errno

_FAULTS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EROFS: "volume_readonly",
    errno.EACCES: "volume_readonly",
    errno.EPERM: "volume_readonly",
    errno.ENOENT: "volume_missing",
    errno.ENOTDIR: "volume_missing",
    errno.EEXIST: "volume_missing",
}


def volume_fault(number: int | None, otherwise: str = "volume_error") -> str:
    """``disk_full``, ``volume_readonly``, ``volume_missing`` for an ``errno``, or ``otherwise``."""
    return _FAULTS.get(number or 0, otherwise)
