"""Copy what the pages need from node_modules to where the web process serves it.

Run by the set-up after ``npm ci``: ``python -m web.vendor``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = Path(__file__).resolve().parent / "static" / "vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "weui/dist/style/weui.min.css": "weui.min.css",
    "weui/LICENSE.txt": "weui.LICENSE.txt",
    "echarts/dist/echarts.common.min.js": "echarts.common.min.js",
    "echarts/LICENSE": "echarts.LICENSE.txt",
    "echarts/NOTICE": "echarts.NOTICE.txt",
}


def copy(modules: Path, target: Path) -> list[str]:
    """Copy ``FILES`` from ``modules`` to ``target``; returns those that are missing."""
    missing = [name for name in FILES if not (modules / name).is_file()]
    target.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        if source not in missing:
            shutil.copyfile(modules / source, target / name)
    return missing


def main() -> int:
    """0 when everything is in place."""
    missing = copy(ROOT / "node_modules", VENDOR)
    if missing:
        sys.stderr.write(f"not installed, run npm ci: {', '.join(missing)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
