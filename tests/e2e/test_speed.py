"""From a key or a click to the next frame in under 200 ms, as the browser itself times it, on the pages as they are.

The limit is for a machine that has nothing else to do. How busy this one is, two things tell: how many tasks wait for
each core, and how long an empty page in the same browser takes to answer a click, which is a frame or two. By as much
as the worse of them is over the ordinary the limit is wider: a median of five is not to fail by its neighbours.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e
LIMIT_MS = 200
TIMES = 5
# Two frames of 60 Hz: what the browser's clock, which counts in steps of 8 ms, says of an idle machine's empty page.
IDLE_MS = 32
# The event, its handlers and the frame after them; entries come late, so the page is given a frame and a timer.
WATCH = """() => {
  window.timed = [];
  new PerformanceObserver(list => list.getEntries().forEach(e => e.interactionId && window.timed.push(e.duration)))
    .observe({type: 'event', durationThreshold: 16});
}"""
TAKE = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
  const longest = Math.max(8, ...(window.timed || []));
  window.timed = [];
  done(longest);
}, 60))))"""
# A click that leaves the page is never followed by a frame of it, and its timers may never run: the next page can be
# there before. The window's last listener, which the link's own action waits for, tells when its handlers are done.
HANDLED = """() => addEventListener('click', event => {
  sessionStorage.handled = performance.now() - event.timeStamp;
}, {once: true})"""
PAINTED = """() => Math.max(0, performance.getEntriesByType('paint')[0].startTime
  - performance.getEntriesByType('navigation')[0].responseEnd)"""
EMPTY = "<button>Press</button><script>document.querySelector('button').onclick = e => e.target.append('.')</script>"


def _median(page: Page, act: Callable[[], None], undo: Callable[[], None] | None = None) -> float:
    """The median of the longest events of five times the same act. What takes it back is not timed."""
    page.evaluate(WATCH)
    found = []
    for _ in range(TIMES):
        page.evaluate(TAKE)
        act()
        found.append(page.evaluate(TAKE))
        if undo is not None:
            undo()
    return statistics.median(found)


@pytest.fixture
def limit(browser: Any) -> float:
    """The limit in milliseconds, widened by what slows down an empty page here and now."""
    context = browser.new_context()
    page = context.new_page()
    page.set_content(EMPTY)
    idle = _median(page, lambda: page.get_by_role("button").click())
    context.close()
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return LIMIT_MS * max(1, idle / IDLE_MS, waiting)


def test_the_palette_opens(visit, limit):
    page = visit("vp", "/accounts/").page

    def shut() -> None:
        press(page, "Escape")
        expect(page.locator("#palette")).to_be_hidden()

    assert _median(page, lambda: press(page, "Control+k"), shut) < limit
    press(page, "Control+k")
    assert _median(page, lambda: page.keyboard.type("k")) < limit


def _settled(page: Page) -> None:
    """Wait until the answer of the last request stands on the page."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, [aria-busy=true]")).to_have_count(0)


def test_a_list_is_searched(visit, limit):
    page = visit("vp", "/accounts/").page
    page.locator("main input[type=search]").focus()

    def back() -> None:
        press(page, "Backspace")
        _settled(page)

    assert _median(page, lambda: page.keyboard.type("e"), back) < limit


def test_a_list_is_filtered(visit, limit):
    page = visit("vp", "/accounts/").page
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="Health").click()
    box = page.locator(".facet [name=band][value=green]")
    assert _median(page, box.click, lambda: _settled(page)) < limit


def _left(page: Page, link: str, arrived: Callable[[], None]) -> tuple[float, float]:
    """Medians of five times following a link: until its handlers are done, and from the next page's last byte until it
    is painted. What lies between is the network's and the server's, and measured elsewhere.
    """
    handled, painted = [], []
    for _ in range(TIMES):
        page.evaluate(HANDLED)
        page.locator(link).first.click()
        page.wait_for_function("() => sessionStorage.handled")
        arrived()
        handled.append(float(page.evaluate("sessionStorage.handled")))
        page.wait_for_function("() => performance.getEntriesByType('paint').length")
        painted.append(page.evaluate(PAINTED))
        page.evaluate("delete sessionStorage.handled")
        page.go_back()
        page.locator(link).first.wait_for()
    return statistics.median(handled), statistics.median(painted)


def test_accounts_are_sorted(visit, limit):
    page = visit("vp", "/accounts/").page
    handled, painted = _left(
        page,
        "thead .sort:has-text('ARR')",
        lambda: expect(page.locator("th[aria-sort]")).to_contain_text("ARR"),
    )
    assert handled < limit
    assert painted < limit


def test_a_cta_of_the_day_is_completed(visit, limit):
    page = visit("csm", "/day/").page
    row = page.locator("[data-item][id^=cta-]", has_text="Usage fell")
    dialog = page.locator("dialog#panel")

    def ask() -> None:
        row.get_by_role("link", name="Close").first.click()

    def shut() -> None:
        expect(dialog).to_be_visible()
        press(page, "Escape")
        expect(dialog).to_be_hidden()

    assert _median(page, ask, shut) < limit
    ask()

    def close() -> None:
        dialog.locator("select").select_option("resolved")
        dialog.get_by_role("button", name="Close the CTA").click()

    def again() -> None:
        expect(row).to_have_count(0)
        page.locator(".toast", has_text="closed").last.get_by_role("button", name="Undo").click()
        expect(row).to_have_count(1)
        ask()

    assert _median(page, close, again) < limit


def test_a_card_of_the_board_is_opened(visit, limit):
    page = visit("vp", "/ctas/board/").page
    handled, painted = _left(
        page,
        "[data-card] > a:has-text('Usage fell')",
        lambda: expect(page.locator("h1")).to_have_text("Usage fell"),
    )
    assert handled < limit
    assert painted < limit
