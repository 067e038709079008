"""What the tests of the citizen's page do again and again."""

from __future__ import annotations

from playwright.sync_api import FrameLocator, Locator, Page, Route, WebSocketRoute, expect

# Whatever can be pressed and is smaller than 44 px; a control that its label or form enlarges is
# none of its own. Text in the middle of a sentence is no target (WCAG 2.5.8), we have none.
SMALL_TARGETS = """() => [...document.querySelectorAll("button, input, textarea, a[href]")]
  .filter((item) => item.checkVisibility({ visibilityProperty: true }) && !item.closest("[hidden]"))
  .map((item) => [item, item.getBoundingClientRect()])
  .filter(([item, box]) => box.bottom > 0 && (box.width < 44 || box.height < 44))
  .map(([item, box]) => `${item.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""
SMALLEST_TEXT = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = Infinity;
  while (texts.nextNode()) {
    const item = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !item.checkVisibility()) continue;
    if (item.matches("script, noscript")) continue;
    least = Math.min(least, parseFloat(getComputedStyle(item).fontSize));
  }
  return least;
}"""


def bubbles(page: Page | FrameLocator, text: str) -> Locator:
    """The sentences in the conversation that hold ``text``."""
    return page.locator(".turn__bubble", has_text=text)


def greeted(page: Page | FrameLocator) -> None:
    """The page is connected: the bot has said hello."""
    expect(bubbles(page, "智能助手")).to_have_count(1)


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#words", text)
    page.click("#send")


class Line:
    """The way between a page and the server, which a test can cut and mend."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._whole = True
        self._sockets: list[WebSocketRoute] = []
        page.route_web_socket("**/chat/ws*", self._between)
        page.route("**/chat/attachment?*", self._request)

    def _between(self, socket: WebSocketRoute) -> None:
        if self._whole:
            socket.connect_to_server()
            self._sockets.append(socket)
        else:
            socket.close(code=1001)

    def _request(self, route: Route) -> None:
        if self._whole:
            route.fallback()
        else:
            route.abort("internetdisconnected")

    def cut(self) -> None:
        """Nothing goes through from here on."""
        self._whole = False
        for socket in self._sockets:
            socket.close(code=1001)
        self._sockets.clear()

    def mend(self) -> None:
        """The line is back, and the browser notices."""
        self._whole = True
        self._page.evaluate("dispatchEvent(new Event('online'))")
