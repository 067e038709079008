"""Help pages that show Chinese whole: typer's own, with their lines folded instead of cut.

Chinese has no spaces, so rich takes a sentence for one long word and ends it with ``…`` where a
column of its tables is too narrow. Typer has no setting for this.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from typer import rich_utils


class FoldingConsole(Console):
    """A console on which a word too long for its column goes on in the next line."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As rich does, but fold where it would cut."""
        chosen = options or self.options
        if chosen.overflow == "ellipsis":
            chosen = chosen.update(overflow="fold")
        return super().render(renderable, chosen)


def speak_chinese() -> None:
    """Give typer's help pages and usage errors this console and Chinese headings."""
    rich_utils.Console = FoldingConsole  # type: ignore[attr-defined]  # no setting of typer's
    rich_utils.ARGUMENTS_PANEL_TITLE = "参数"
    rich_utils.OPTIONS_PANEL_TITLE = "选项"
    rich_utils.COMMANDS_PANEL_TITLE = "命令"
    rich_utils.ERRORS_PANEL_TITLE = "用法不对"
    rich_utils.REQUIRED_LONG_STRING = "[必填]"
    rich_utils.DEFAULT_STRING = "[默认：{}]"
