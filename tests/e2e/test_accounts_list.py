"""The accounts list as its users work it: views, values edited in place, many at once, segments; also by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import press
from tests.e2e.world import NAMES

pytestmark = pytest.mark.e2e
LIST = "/accounts/?view=all&sort=name&cols=owner,tier,industry"


def settled(page):
    """Wait until what was swapped in is wired: htmx takes its marks away then. No hand is as fast as a test."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-added, .htmx-settling")).to_have_count(0)


def test_a_view_is_made_changed_and_reset_with_the_mouse(visit):
    seen = visit("vp", "/accounts/")
    page = seen.page
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="Renewal").click()
    settled(page)
    page.locator("[name=renewal][value='90']").check()
    expect(page.locator("#unsaved")).to_be_visible()
    page.locator("summary", has_text="Save as new").click()
    page.locator("#view-name").fill("Renewing soon")
    page.get_by_role("button", name="Save view").click()
    expect(page.locator(".tabs [aria-current]")).to_contain_text("Renewing soon")
    expect(page.locator(".side-nav a[aria-current]")).to_have_text(re.compile("Renewing soon"))
    expect(page.locator("#unsaved")).to_have_count(0)
    page.locator("thead").get_by_role("link", name="ARR").first.click()
    expect(page.locator("#unsaved")).to_be_visible()
    page.get_by_role("link", name="Reset").click()
    expect(page.locator("#unsaved")).to_have_count(0)
    page.locator("thead").get_by_role("link", name="ARR").first.click()
    page.get_by_role("button", name="Update view").click()
    expect(page.locator("#unsaved")).to_have_count(0)
    expect(page).to_have_url(re.compile("sort=-arr"))
    page.locator("#chip-renewal").click()
    expect(page.locator("tbody tr")).to_have_count(len(NAMES))
    page.get_by_role("link", name="Reset").click()
    page.locator("summary", has_text=re.compile("^ *View")).click()
    page.get_by_role("button", name="Delete the view").click()
    expect(page.locator(".tabs")).not_to_contain_text("Renewing soon")
    assert seen.problems == []


def test_a_view_that_is_shared_stands_in_a_colleagues_list(visit):
    page = visit("vp", "/accounts/?sort=-arr&cols=arr,owner").page
    page.locator("summary", has_text="Save as new").click()
    page.locator("#view-name").fill("Largest first")
    page.get_by_label("Share with everybody").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.locator(".tabs [aria-current]")).to_contain_text("Largest first")
    other = visit("csm", "/accounts/").page
    other.locator(".tabs").get_by_role("link", name=re.compile("Largest first")).click()
    expect(other.locator("thead th").nth(2)).to_contain_text("ARR")
    expect(other.locator("tbody th a").first).to_have_text(NAMES[-1])
    other.locator("summary", has_text=re.compile("^ *View")).click()
    expect(other.get_by_role("button", name="Delete the view")).to_have_count(0)
    page.locator("summary", has_text=re.compile("^ *View")).click()
    page.get_by_role("button", name="Delete the view").click()
    expect(page.locator(".tabs")).not_to_contain_text("Largest first")


def test_the_list_narrows_to_what_changed_since_one_looked(visit, world, address):
    name = NAMES[9]
    path = f"/accounts/{world.accounts[name]}/"
    seen = visit("owner", f"{path}since/")
    page = seen.page
    page.get_by_role("button", name="Mark as seen").click()
    expect(page.locator("#since")).to_contain_text("Nothing changed since you last looked")
    colleague = visit("vp", f"{path}timeline/log/?kind=note").page
    colleague.get_by_label("What happened").fill("They asked for a second depot")
    colleague.get_by_role("button", name="Log it").click()
    expect(colleague).to_have_url(re.compile("/timeline/$"))

    page.goto(address("/accounts/?view=all"))
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="News").click()
    page.get_by_label("Changed since I looked").check()
    expect(page.locator(".chip")).to_contain_text("Changed since I looked")
    expect(page).to_have_url(re.compile("seen=changed"))
    row = page.locator("tbody th a", has_text=name)
    expect(row).to_have_count(1)
    expect(page.locator("tbody th a", has_text=NAMES[2])).to_have_count(0)
    narrowed = page.url
    row.click()
    expect(page.locator("#since")).to_contain_text("They asked for a second depot")
    page.locator("#since").get_by_role("button", name="Mark as seen").click()
    expect(page.locator("#since")).to_contain_text("Nothing changed since you last looked")
    page.goto(narrowed)
    expect(page.locator("tbody th a", has_text=name)).to_have_count(0)
    assert seen.problems == []


def test_columns_are_chosen_and_moved(visit):
    page = visit("vp", "/accounts/?view=all").page
    page.locator("#choose-columns").click()
    page.locator("[name=cols][value=trend]").uncheck()
    for _twice in range(2):
        page.get_by_role("button", name="Move ARR up").click()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.locator("thead th").nth(2)).to_contain_text("ARR")
    expect(page.locator("thead th").nth(3)).to_contain_text("Health")
    expect(page.locator("thead")).not_to_contain_text("8 weeks")


def test_many_accounts_are_edited_and_taken_back_with_the_mouse(visit):
    seen = visit("vp", LIST)
    page = seen.page
    owners = page.locator("tbody td:nth-child(3)").all_inner_texts()
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(0).click()
    boxes.nth(3).click(modifiers=["Shift"])
    page.locator("[name=set]").select_option(label="Nobody")
    page.get_by_role("button", name="Apply", exact=True).last.click()
    expect(page.locator(".toasts")).to_contain_text("on 4 accounts")
    expect(page.locator("tbody td:nth-child(3)", has_text="Nobody")).to_have_count(4)
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_contain_text("Owner set to nothing")
    expect(page.locator("tbody td", has_text="Restored")).to_have_count(4)
    page.goto(page.url.split("/accounts/")[0] + LIST)
    assert page.locator("tbody td:nth-child(3)").all_inner_texts() == owners
    assert seen.problems == []


def test_the_list_is_worked_with_the_keyboard_alone(visit):
    """J, X, E, Enter, Escape, and the bar by Tab: select, edit one value, set another on the selection, undo."""
    seen = visit("vp", LIST)
    page = seen.page
    press(page, "j")
    press(page, "j")
    row = page.locator("tr[data-cursor]")
    before = row.locator("td").nth(1).inner_text()
    press(page, "e")
    expect(row.locator("[data-inline] select")).to_be_focused()
    press(page, "Escape")
    expect(row.locator("[data-inline]")).to_have_count(0)
    assert row.locator("td").nth(1).inner_text() == before
    # From the owner's value to the industry's, which is typed.
    press(page, "Tab")
    press(page, "Tab")
    press(page, "e")
    field = page.locator("[data-inline] input[name=value]")
    expect(field).to_be_focused()
    press(page, "Control+a")
    page.keyboard.type("Cold chain")
    press(page, "Enter")
    expect(page.locator(".toasts")).to_contain_text(f"{NAMES[1]} was saved.")
    expect(page.locator("tr[data-cursor]")).to_contain_text("Cold chain")
    expect(page.locator("tr[data-cursor] a:focus")).to_contain_text("Cold chain")
    page.locator(".toasts").get_by_role("button", name="Undo").focus()
    press(page, "Enter")
    expect(page.locator("tbody")).not_to_contain_text("Cold chain")
    press(page, "j")
    press(page, "x")
    press(page, "j")
    press(page, "x")
    expect(page.locator(".bulk [data-n]")).to_have_text("2")
    page.locator(".bulk [name=set]").focus()
    page.keyboard.type("No segment")
    press(page, "Tab")
    press(page, "Tab")
    press(page, "Enter")
    expect(page.locator(".toasts")).to_contain_text("on 2 accounts")
    page.locator(".toasts").get_by_role("button", name="Undo").focus()
    press(page, "Enter")
    expect(page.locator("tbody td", has_text="Restored")).to_have_count(2)
    assert seen.problems == []


def test_leaving_a_value_saves_it_and_a_lost_race_shows_both(visit):
    one, other = visit("vp", LIST), visit("vp", LIST)
    for seen, value in ((one, "Barges"), (other, "Rail")):
        seen.page.locator(f"tr:has-text('{NAMES[2]}') [data-edit]").last.click()
        expect(seen.page.locator("[data-inline] input[name=value]")).to_be_focused()
        press(seen.page, "Control+a")
        seen.page.keyboard.type(value)
    one.page.locator("h1").click()
    expect(one.page.locator(f"tr:has-text('{NAMES[2]}')")).to_contain_text("Barges")
    press(other.page, "Enter")
    both = other.page.locator(".both")
    expect(both).to_contain_text("There now: Barges. Yours: Rail.")
    other.page.locator("[data-inline] [type=submit]").click()
    expect(other.page.locator(f"tr:has-text('{NAMES[2]}')")).to_contain_text("Rail")


def test_a_segment_is_built_with_a_live_count_and_shown_in_the_list(visit):
    seen = visit("vp", "/accounts/segments/new/")
    page = seen.page
    page.locator("#segment-name").fill("Big ones")
    page.locator("#c-0-0-value").fill("80000")
    page.locator("#c-0-0-value").press("Tab")
    expect(page.locator("#preview")).to_contain_text("of 12 accounts: ARR at least 80000.")
    count = int(page.locator("#preview b").inner_text())
    page.locator("#add-0").click()
    expect(page.locator("#c-0-1-field")).to_be_visible()
    settled(page)
    page.locator("#c-0-1-field").select_option(label="Name")
    expect(page.locator("#c-0-1-op option").first).to_have_text("is")
    settled(page)
    page.locator("#c-0-1-op").select_option("contains")
    page.locator("#c-0-1-value").fill("e")
    page.locator("#segment-name").focus()
    expect(page.locator("#preview")).to_contain_text("and Name contains e.")
    page.locator("#c-0-1-remove").click()
    expect(page.locator("#c-0-1-field")).to_have_count(0)
    page.locator("#save-segment").click()
    expect(page.locator("h1")).to_have_text("Big ones")
    expect(page.locator("section:has(#s-moves) li")).to_have_count(count)
    page.get_by_role("link", name="Show in the list").click()
    expect(page.locator("tbody tr")).to_have_count(count)
    expect(page.locator(".chip")).to_contain_text("Big ones")
    assert seen.problems == []


def test_on_a_phone_the_name_tells_money_and_renewal_and_panels_fit(visit):
    seen = visit("vp", "/accounts/", width=390, height=844)
    page = seen.page
    expect(page.locator("tbody .sub-m").first).to_contain_text("$")
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="Health").click()
    page.locator("[name=band][value=red]").check()
    expect(page.locator(".chip")).to_contain_text("Red")
    assert seen.overflow() == []
    press(page, "Escape")
    expect(page.locator("details[data-pop][open]")).to_have_count(0)


def test_editing_and_filtering_work_without_script(visit):
    page = visit("vp", LIST, java_script_enabled=False).page
    page.locator("#add-filter").click()
    page.locator(".facet > summary", has_text="Owner").click()
    page.locator("[name=owner][value=me]").check()
    page.locator(".facets > .apply").click()
    expect(page.locator(".chip")).to_contain_text("Me")
    page.locator("tbody [data-edit]").last.click()
    page.locator("[name=value]").fill("Written without script")
    page.locator("form.inline [type=submit]").click()
    expect(page.locator("tbody")).to_contain_text("Written without script")
    expect(page.locator(".chip")).to_contain_text("Me")
    page.locator("#choose-columns").click()
    page.get_by_role("button", name="Move Industry up").click()
    expect(page.locator("thead th").nth(3)).to_contain_text("Industry")
