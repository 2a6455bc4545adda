"""An article from the first word to the customer who finds it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e


def test_written_reviewed_published_found_suggested_and_said_to_answer(visit):
    page = visit("csm", "/kb/new/").page
    page.fill("[name=title]", "Pair a tracker")
    page.fill("[name=body]", "## Steps\n\n- Hold the button for *five* seconds.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview h2")).to_have_text("Steps")
    page.select_option("[name=audience]", "public")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Ask for reviews").click()
    page = visit("vp", "/kb/articles/pair-a-tracker/").page
    for kind in ("technical", "editorial"):
        page.select_option("[name=kind]", kind)
        page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.locator("h1")).to_have_text("Pair a tracker")
    page = visit("portal", "/portal/help/").page
    page.fill("[name=q]", "pairing trackers")
    press(page, "Enter")
    page.get_by_role("link", name="Pair a tracker").click()
    expect(page.locator("article h2")).to_have_text("Steps")
    page.get_by_role("button", name="It answers “pairing trackers”").click()
    expect(page.get_by_text("Glad it helped.")).to_be_visible()
    page = visit("portal", "/portal/tickets/new/").page
    page.locator("#id_subject").press_sequentially("How is a tracker paired?")
    offered = page.get_by_role("link", name="Pair a tracker")
    expect(offered).to_have_attribute("href", re.compile(r"^/portal/help/pair-a-tracker/\?q="))
    page = visit("vp", "/tickets/new/").page
    page.locator("#id_subject").press_sequentially("Customer asks how a tracker is paired")
    expect(page.locator("#suggested").get_by_role("link", name="Pair a tracker")).to_be_visible()
    page = visit("vp", "/kb/insights/").page
    expect(page.get_by_role("row", name="Portal 1 0 100 %")).to_be_visible()
