"""A field of one's own, from its definition to a segment: an administrator defines it, a leader works with it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import press
from tests.e2e.test_accounts_list import settled
from tests.e2e.world import NAMES

pytestmark = pytest.mark.e2e


@pytest.fixture
def field(visit):
    """The field, defined on its page; archived afterwards, so that other tests find the list as it was."""
    seen = visit("owner", "/settings/")
    page = seen.page
    page.get_by_role("link", name="Account fields").click()
    page.get_by_role("link", name="New field").first.click()
    page.get_by_label("Label").fill("Data region")
    page.get_by_label("Kind").select_option(label="Choice")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("A choice needs at least one option.")
    expect(page.get_by_label("Label")).to_have_value("Data region")
    assert seen.axe() == []
    page.get_by_label("Options").fill("North\nSouth")
    page.get_by_label("What it is for").fill("Where their data has to stay")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toasts")).to_contain_text("Data region is there")
    expect(page.locator("tbody tr", has_text="Data region")).to_contain_text("North, South")
    yield
    page.goto(page.url.split("/settings/")[0] + "/settings/account-fields/")
    page.get_by_role("button", name="Archive Data region").click()
    expect(page.locator(".toasts")).to_contain_text("Data region is archived")
    assert seen.axe() == []


def test_a_field_is_defined_shown_edited_filtered_and_made_a_segment(visit, field, world):
    seen = visit("vp", "/accounts/?view=all&sort=name&cols=owner")
    page = seen.page
    page.locator("#choose-columns").click()
    page.locator("[name=cols][value='custom.data_region']").check()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.locator("thead th").last).to_contain_text("Data region")

    # One value where it stands, and back.
    row = page.locator(f"tr:has-text('{NAMES[0]}')")
    row.get_by_role("link", name=re.compile("Edit Data region")).click()
    page.locator("[data-inline] select").select_option("North")
    page.get_by_role("button", name="Save Data region").click()
    expect(row.locator("td").last).to_contain_text("North")
    expect(page.locator(".toasts")).to_contain_text(f"{NAMES[0]} was saved.")

    # Many at once.
    page.locator("tbody input[type=checkbox]").nth(1).check()
    page.locator("tbody input[type=checkbox]").nth(2).check()
    page.locator("[name=set]").select_option("custom.data_region:South")
    page.get_by_role("button", name="Apply", exact=True).last.click()
    expect(page.locator(".toasts")).to_contain_text("Data region is now South on 2 accounts")

    # A filter, its chip, and the view without it.
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="Data region").click()
    settled(page)
    page.locator("[name='custom.data_region'][value=South]").check()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#chips")).to_contain_text(re.compile(r"Data region\s*South"))
    expect(page).to_have_url(re.compile(r"custom\.data_region=South"))
    press(page, "Escape")
    assert seen.axe() == []
    page.locator("#chip-own-data_5f_region").click()
    expect(page.locator("tbody tr")).to_have_count(len(NAMES))

    # The key facts of one account.
    account = visit("vp", f"/accounts/{world.accounts[NAMES[0]]}/")
    facts = account.page.locator("#facts")
    facts.get_by_role("link", name="Edit Data region: North").click()
    expect(account.page.locator("[data-inline] select")).to_be_focused()
    account.page.locator("[data-inline] select").select_option("South")
    account.page.locator("[data-inline] select").press("Enter")
    expect(facts.get_by_role("link", name="Edit Data region: South")).to_be_focused()
    account.page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(facts.get_by_role("link", name="Edit Data region: North")).to_be_visible()

    # A segment by it.
    builder = visit("vp", "/accounts/segments/new/")
    builder.page.locator("#segment-name").fill("Northern data")
    builder.page.locator("#c-0-0-field").select_option("custom.data_region")
    expect(builder.page.locator("#c-0-0-value-1")).to_be_visible()
    settled(builder.page)
    builder.page.locator("#c-0-0-value-1").check()
    expect(builder.page.locator("#preview")).to_contain_text(f"1 of {len(NAMES)} accounts: Data region is North.")
    builder.page.locator("#save-segment").click()
    expect(builder.page.locator("h1")).to_have_text("Northern data")
    expect(builder.page.locator("section:has(#s-moves) li")).to_have_count(1)
    builder.page.locator("summary", has_text="Delete this segment").click()
    builder.page.get_by_role("button", name="Delete Northern data").click()
    assert [each.problems for each in (seen, account, builder)] == [[], [], []]

    for width, scheme in ((320, "light"), (390, "dark")):
        small = visit("owner", "/settings/account-fields/", width=width, scheme=scheme)
        assert small.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert small.axe() == []
