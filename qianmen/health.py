"""Ask one health page, for a container's health check: ``python -m qianmen.health URL``.

The standard library only, so that it starts at once and runs in Rasa's environment as well.
"""

from __future__ import annotations

import sys
import urllib.request

TIMEOUT_S = 3.0


def healthy(url: str, timeout_s: float = TIMEOUT_S) -> bool:
    """Whether ``url`` (http) answers 200. Never by a proxy: the page is a neighbour's or ours."""
    if not url.startswith("http://"):
        return False
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=timeout_s) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):  # URLError and HTTPError are OSErrors
        return False


def main(words: list[str]) -> int:
    """0 healthy, 1 not, 2 asked wrongly."""
    if len(words) != 1:
        sys.stderr.write("usage: python -m qianmen.health URL\n")
        return 2
    return 0 if healthy(words[0]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
