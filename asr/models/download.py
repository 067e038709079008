"""One file over HTTP to disk, taken up again where it broke off, digested on the way."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from asr.models.disk import need_space
from asr.models.errors import ModelError
from asr.models.part import Origin, Part

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes in all, None where the server does not tell."""
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)")
_WHOLE = re.compile(r"bytes \*/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for connecting, for silence in the middle, between attempts; attempts in vain."""

    connect_s: float = 10.0
    silence_s: float = 30.0
    pause_s: float = 2.0
    attempts: int = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is downloaded. ``bytes`` and ``sha256``: None where not known beforehand; then no more
    than ``limit`` bytes are taken."""

    url: str
    bytes: int | None
    sha256: str | None
    limit: int


class _BrokenOffError(Exception):
    """The server or the connection failed on the way: worth another attempt."""


class _AgainError(Exception):
    """What is there cannot be continued: from the start."""


def download(wanted: Wanted, part: Part, progress: Progress, patience: Patience) -> None:
    """Fill ``part``; after a failure or Ctrl-C another call goes on where this one stopped.

    Proxies are those of the environment (HTTPS_PROXY, NO_PROXY), certificates those of
    SSL_CERT_FILE where it is set. Raises `ModelError`: ``model_unreachable``,
    ``model_truncated``, ``model_checksum`` (not the size that is known), ``model_space``,
    ``model_unwritable``.
    """
    timeout = httpx.Timeout(patience.silence_s, connect=patience.connect_s)
    headers = {"User-Agent": "qianmen", "Accept-Encoding": "identity"}
    in_vain, reason = 0, ""
    with httpx.Client(follow_redirects=True, timeout=timeout, headers=headers) as client:
        while in_vain < patience.attempts:
            before = part.size
            try:
                return _attempt(client, wanted, part, progress)
            except _AgainError:
                part.begin()
            except _BrokenOffError as error:
                reason = str(error)
            in_vain = 0 if part.size > before else in_vain + 1
            time.sleep(patience.pause_s)
    if not part.size:
        raise unreachable(wanted.url, reason)
    raise ModelError(
        "model_truncated",
        f"{wanted.url} 只下载到 {part.size} 字节就断了（{reason}）；"
        "再运行一次同样的命令，会接着下载",
    )


def _attempt(client: httpx.Client, wanted: Wanted, part: Part, progress: Progress) -> None:
    if wanted.bytes is not None and part.size == wanted.bytes:
        return
    headers = _continuation(wanted, part)
    try:
        with client.stream("GET", wanted.url, headers=headers) as response:
            _receive(response, wanted, part, progress)
    except (httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout) as error:
        raise _BrokenOffError(type(error).__name__) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(wanted.url, f"{type(error).__name__}: {error}") from None


def _continuation(wanted: Wanted, part: Part) -> dict[str, str]:
    """Headers that ask for the rest, where what is there can be trusted to be its beginning."""
    if not part.size:
        return {}
    origin, asked = part.origin, {"Range": f"bytes={part.size}-"}
    if origin.mark and origin.url == wanted.url:
        return {**asked, "If-Range": origin.mark}
    if wanted.sha256:  # the digest will tell, whoever serves the rest
        return asked
    part.begin()
    return {}


def _receive(response: httpx.Response, wanted: Wanted, part: Part, progress: Progress) -> None:
    if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
        whole = _WHOLE.fullmatch(response.headers.get("Content-Range", ""))
        if whole and int(whole[1]) == part.size:
            return
        raise _AgainError
    _see_that_it_is_secure(response, wanted)
    total = _length(response, wanted, part)
    if wanted.bytes is not None and total not in (None, wanted.bytes):
        part.begin()
        raise _other_size(wanted, str(total))
    need_space(part.path.parent, (total or part.size) - part.size)
    for piece in response.iter_raw():
        part.add(piece)
        if part.size > (wanted.bytes or wanted.limit):
            part.begin()
            raise _other_size(wanted, f"超过 {wanted.bytes or wanted.limit}")
        progress(part.size, total or wanted.bytes)
    if part.size < (total or wanted.bytes or 0):  # HTTP/1.0 ends by closing, whole or not
        raise _BrokenOffError("连接提前关闭")


def _length(response: httpx.Response, wanted: Wanted, part: Part) -> int | None:
    """The file's size in bytes as the answer tells it, with ``part`` made ready for its body."""
    status = response.status_code
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not found or int(found[1]) != part.size:
            raise _AgainError
        return None if found[2] == "*" else int(found[2])
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise _BrokenOffError(f"HTTP {status}")
    if status != HTTPStatus.OK:
        raise unreachable(wanted.url, f"HTTP {status}")
    part.begin(Origin(wanted.url, _mark(response)))
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _mark(response: httpx.Response) -> str:
    """What If-Range may be asked with: a strong ETag, else the date (RFC 9110 section 13.1.5)."""
    etag = str(response.headers.get("ETag", ""))
    if etag.startswith('"'):
        return etag
    return str(response.headers.get("Last-Modified", ""))


def _see_that_it_is_secure(response: httpx.Response, wanted: Wanted) -> None:
    """No way from https down to http, unless a checksum protects what comes."""
    if wanted.url.startswith("https:") and response.url.scheme != "https" and not wanted.sha256:
        raise unreachable(wanted.url, "服务器转到了不加密的 http 地址，而这个模型没有校验和")


def _other_size(wanted: Wanted, size: str) -> ModelError:
    return ModelError(
        "model_checksum",
        f"{wanted.url} 给的文件大小是 {size} 字节，目录里是 {wanted.bytes or '未知'}："
        "不是这个模型（可能是登录页面或别的版本），已经丢弃",
    )


def unreachable(url: str, reason: str) -> ModelError:
    """No way to ``url``, with what the operator can do."""
    hint = ""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        hint = "证书不被信任：单位网络如果检查加密流量，把 SSL_CERT_FILE 设成单位的根证书文件；"
    return ModelError(
        "model_unreachable",
        f"从 {url} 下载不了（{reason}）。{hint}要经过代理就设 HTTPS_PROXY；这台机器不能上网，"
        "就在能上网的电脑上下载这个文件，拷过来，再加上 --from 文件或文件夹",
    )
