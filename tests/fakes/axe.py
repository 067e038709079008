"""axe-core in the page under test: what breaks WCAG 2.2 A or AA, or axe's best practice."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Frame, Page

from config.settings import ROOT

_FILE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.target.join(" ")} ${node.failureSummary.replace(/\\s+/g, " ")}`));
}"""


def violations(page: Page | Frame) -> list[str]:
    """One line for each element that breaks a rule; skips the test where axe is not installed."""
    if not _FILE.is_file():
        pytest.skip("axe-core is not installed (npm ci)")
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(_FILE.read_text(encoding="utf-8"))
    found: Any = page.evaluate(_RUN, _TAGS)
    return [str(line) for line in found]
