"""An account as a CSM reads it before a call: from the list, by keys, what changed; and the same on a phone."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e


def test_from_the_list_one_account_leads_to_the_next_by_keys(visit):
    seen = visit("vp", "/accounts/?sort=name")
    page = seen.page
    page.get_by_role("link", name="Beacon Logistics", exact=True).click()
    expect(page.locator("h1")).to_have_text("Beacon Logistics")
    expect(page.locator(".crumbs .place")).to_contain_text(re.compile(r"2 of \d+"))
    page.get_by_role("navigation", name="Account sections").get_by_role("link", name="Timeline").click()
    expect(page).to_have_url(re.compile(r"/timeline/\?list="))
    press(page, "j")
    expect(page.locator("h1")).to_have_text("Cinder Lines")
    expect(page.locator(".tabs [aria-current]")).to_have_text("Timeline")
    press(page, "k")
    expect(page.locator("h1")).to_have_text("Beacon Logistics")
    press(page, "k")
    expect(page.locator("h1")).to_have_text("Aldgate Freight")
    expect(page.locator(".crumbs [data-key=k]")).to_have_count(0)
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Accounts").click()
    expect(page).to_have_url(re.compile(r"/accounts/\?sort=name$"))
    assert seen.problems == []


def test_a_touch_is_logged_and_found_again_with_the_keyboard_alone(visit, world):
    """Ctrl K to the account from anywhere, ? tells the keys, L logs, Enter saves; off, the keys do nothing."""
    seen = visit("vp", "/portfolio/")
    page = seen.page
    press(page, "Control+k")
    page.keyboard.type("fjord")
    expect(page.get_by_role("group", name="Accounts").get_by_role("option")).to_have_count(1)
    press(page, "Enter")
    expect(page.locator("h1")).to_contain_text("Fjord")
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("log a call")
    assert seen.axe() == []
    press(page, "Escape")
    expect(keys).to_be_hidden()
    press(page, "l")
    expect(page.get_by_label("What happened")).to_be_focused()
    page.keyboard.type("Rang about the winter routes")
    press(page, "Enter")
    expect(page.locator(".tl").first).to_contain_text("Rang about the winter routes")
    expect(page).to_have_url(re.compile("/timeline/$"))

    press(page, "?")
    page.get_by_label("Single keys are on").press("Space")
    press(page, "Escape")
    press(page, "l")
    press(page, "Control+k")
    expect(page.locator("#palette")).to_be_visible()
    expect(page).to_have_url(re.compile("/timeline/$"))
    assert seen.problems == []


def test_the_warning_names_its_play_and_a_task_is_ticked_in_place(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Dovetail Couriers']}/")
    page = seen.page
    warning = page.locator(".callout", has_text="CTA")
    expect(warning.get_by_role("link")).to_contain_text("playbook")
    todo = page.locator("#next-actions")
    task = todo.get_by_role("checkbox").first
    label = task.evaluate("e => e.labels[0].firstChild.textContent")
    page.evaluate("window.stayed = true")
    task.check()
    expect(todo.get_by_role("checkbox", name=label)).to_have_count(0)
    assert page.evaluate("window.stayed") is True
    assert seen.problems == []


def test_what_changed_between_two_days_can_be_shared_as_an_address(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Dovetail Couriers']}/changes/")
    page = seen.page
    page.get_by_role("link", name="90 days", exact=True).click()
    expect(page).to_have_url(re.compile(r"since=\d{4}-\d\d-\d\d&until="))
    page.get_by_label("From the end of").fill(timezone.localdate().isoformat())
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#since-error")).to_contain_text("must come before")
    assert seen.axe() == []
    page.get_by_label("From the end of").fill((timezone.localdate() - timedelta(days=55)).isoformat())
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".chart title").first).to_contain_text("Why the score fell")
    asked = urlsplit(page.url)
    shared = visit("reader", f"{asked.path}?{asked.query}")
    expect(shared.page.locator(".chart title").first).to_contain_text("Why the score fell")


def test_on_a_phone_an_account_is_read_and_left_for_the_next(visit):
    seen = visit("csm", "/accounts/?sort=name", width=390, height=844, has_touch=True)
    page = seen.page
    page.get_by_role("link", name="Beacon Logistics", exact=True).tap()
    place = page.locator(".acct .place")
    expect(place).to_be_visible()
    assert seen.overflow() == []
    place.get_by_role("link", name=re.compile("^Next account")).tap()
    expect(page.locator("h1")).to_have_text("Cinder Lines")
    page.get_by_role("link", name=re.compile("^People")).first.tap()
    expect(page.get_by_role("table", name="Roles by influence")).to_be_visible()
    assert (seen.overflow(), seen.axe(), seen.problems) == ([], [], [])
