"""A site of the city that embeds the citizen's page by its one script tag."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>示例市人民政府</title>
<link rel="stylesheet" href="/site.css"></head>
<body><header><b>示例市人民政府</b><nav>首页　要闻　政务公开　办事服务　互动交流</nav></header>
<main><h1>关于2026—2027年度供热期有关事项的通知</h1>
<p>各供热单位、广大用户：根据《示例市城市供热管理办法》，现将本供热期有关事项通知如下。</p>
<p>一、供热时间：2026年10月15日零时至2027年4月15日24时。</p>
<p>二、供热标准：供热期内，居民卧室、起居室温度不低于18摄氏度。</p>
<p>三、室温不达标的，请先联系供热单位；24小时内没有解决的，可以通过12345热线反映。</p>
<p>　</p><p>示例市住房和城乡建设局</p></main>
<script src="{script}" defer></script></body></html>"""
_STYLE = """body { margin: 0; font: 17px/1.9 system-ui, sans-serif; color: #222; }
header { padding: 20px 8vw; background: #a61b1b; color: #fff; }
header b { font-size: 28px; } nav { margin-top: 6px; }
main { max-width: 820px; margin: 32px 8vw; } h1 { font-size: 26px; line-height: 1.4; }
button { text-transform: uppercase; background: yellow !important; }"""


@dataclass(slots=True)
class Embedder:
    """Serves the page; ``script`` is the address of the script it loads.

    The page forbids inline styles and scripts, as a careful site does. ``allowed`` is the origin by
    which it may embed; it is reached by ``other`` as well, which is an origin nobody has allowed.
    """

    script: str = ""
    port: int = 0

    @property
    def allowed(self) -> str:
        """The site's name."""
        return f"http://localhost:{self.port}"

    @property
    def other(self) -> str:
        """The same site under an address that may not embed."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self) -> Iterator[Embedder]:
        """Serve on a free port."""
        http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        http.daemon_threads = True
        self.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            http.shutdown()
            thread.join()
            http.server_close()

    def _answer(self, path: str) -> tuple[str, str]:
        if path == "/site.css":
            return "text/css; charset=utf-8", _STYLE
        return "text/html; charset=utf-8", _PAGE.format(script=self.script)

    def _policy(self) -> str:
        ours = "{0.scheme}://{0.netloc}".format(urlsplit(self.script))
        return f"default-src 'none'; style-src 'self'; script-src {ours}; frame-src {ours}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, text = site._answer(self.path)
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", site._policy())
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
                """Silent."""

        return Handler
