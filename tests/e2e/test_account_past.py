"""The time machine as it is used: with a mouse, with the keyboard alone, and on a phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e


def past(days=20):
    return (timezone.localdate() - timedelta(days=days)).isoformat()


def test_a_day_is_chosen_with_the_keyboard_kept_by_the_links_and_left_again(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Dovetail Couriers']}/")
    page = seen.page
    button = page.locator("#time-machine")
    button.focus()
    press(page, "Enter")
    expect(page.get_by_label("Show this account at the end of")).to_be_visible()
    assert seen.axe() == []
    press(page, "Escape")
    expect(page.get_by_label("Show this account at the end of")).to_be_hidden()
    expect(button).to_be_focused()
    press(page, "Enter")
    press(page, "Tab")
    expect(page.get_by_label("Show this account at the end of")).to_be_focused()
    page.get_by_label("Show this account at the end of").fill(past())
    page.get_by_label("With what is known today").focus()
    press(page, "ArrowDown")
    press(page, "Enter")

    expect(page).to_have_url(re.compile(rf"as_of={past()}&known=then"))
    banner = page.locator("#past")
    expect(banner).to_contain_text("as it was known then")
    expect(page.get_by_role("link", name="Log activity")).to_have_count(0)
    page.get_by_role("navigation", name="Account sections").get_by_role("link", name="People").click()
    expect(page).to_have_url(re.compile(rf"/people/\?as_of={past()}&known=then"))
    expect(page.get_by_role("link", name="Add a person")).to_have_count(0)
    banner.get_by_role("link", name="With what is known today").click()
    expect(page).to_have_url(re.compile("known=now"))
    banner.get_by_role("link", name="Back to today").focus()
    press(page, "Enter")
    expect(page.locator("#past")).to_have_count(0)
    expect(page.get_by_role("link", name="Add a person")).to_be_visible()
    assert seen.problems == []


def test_on_a_phone_a_past_day_is_looked_at_and_left(visit, world):
    address = f"/accounts/{world.accounts['Dovetail Couriers']}/health/"
    seen = visit("csm", address, width=390, height=844, has_touch=True)
    page = seen.page
    page.locator("#time-machine").tap()
    page.get_by_label("Show this account at the end of").fill(past())
    assert (seen.axe(), seen.overflow()) == ([], [])
    page.get_by_role("button", name="Show the day").tap()
    expect(page.locator("#past")).to_contain_text("with what is known today")
    expect(page.get_by_role("heading", name="With what is known today")).to_be_visible()
    assert (seen.axe(), seen.overflow()) == ([], [])
    page.get_by_role("link", name="Back to today").tap()
    expect(page.locator("#past")).to_have_count(0)
    expect(page).to_have_url(re.compile("/health/"))
    assert seen.problems == []
