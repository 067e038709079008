"""A slow line, and how little goes over it before the page can be used."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.web.citizen.conftest import Phones
from tests.web.citizen.steps import bubbles, greeted, say

MOST_BYTES = 150_000
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000,
           "uploadThroughput": 50_000}  # fmt: skip
"""Milliseconds, and bytes a second: 400 kbit/s."""


def test_little_goes_over_a_slow_line_before_the_page_can_be_used(phones: Phones) -> None:
    page = phones.open(visit=False)
    network = page.context.new_cdp_session(page)
    arrived: list[float] = []

    def loaded(event: dict[str, Any]) -> None:
        arrived.append(event["encodedDataLength"])

    def framed(event: dict[str, Any]) -> None:
        arrived.append(len(event["response"]["payloadData"].encode()))

    network.on("Network.loadingFinished", loaded)
    network.on("Network.webSocketFrameReceived", framed)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW_3G)
    page.goto(phones.place.url())
    greeted(page)
    expect(page.locator("#voice-open")).to_be_visible()
    assert len(arrived) > 10
    assert sum(arrived) <= MOST_BYTES, f"{sum(arrived):.0f} bytes"
    say(page, "公积金怎么取")
    expect(bubbles(page, "听到：公积金怎么取")).to_have_count(1)
    print(f"{len(arrived)} answers, {sum(arrived):.0f} bytes")  # noqa: T201  # shown by -s
