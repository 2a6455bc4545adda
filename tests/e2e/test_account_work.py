"""A CSM's work on an account: a call with who was there and the next step, a sponsor who left, a new contract."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def day(days=0):
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_a_call_is_logged_with_who_was_there_and_found_by_kind_and_person(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Kestrel Energy']}/timeline/")
    page = seen.page
    page.get_by_role("link", name="Log a call").click()
    page.get_by_label("What happened").fill("Went through the depots")
    page.get_by_label("Pieter Vos 10").check()
    page.get_by_label("Others").fill("Rosa Quist")
    page.get_by_label("Next step").fill("Send the depot plan")
    page.locator("[name=next_step_on]").fill(day(3))
    page.get_by_role("button", name="Log it").click()
    entry = page.locator(".tl li", has_text="Went through the depots")
    expect(entry).to_contain_text("Pieter Vos 10")
    expect(entry).to_contain_text("Rosa Quist")
    expect(entry).to_contain_text("Send the depot plan")

    page.locator("details.pick > summary").click()
    page.get_by_label("Call", exact=True).check()
    page.get_by_label("Person").fill("Rosa Quist")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile(r"kind=call.*person=Rosa"))
    expect(page.locator(".tl li")).to_have_count(1)
    page.get_by_role("link", name="Reset").click()
    assert page.locator(".tl li").count() > 1
    assert seen.problems == []


def test_a_note_is_corrected_with_its_history_pinned_deleted_and_brought_back(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Kestrel Energy']}/timeline/log/?kind=note")
    page = seen.page
    page.get_by_label("What happened").fill("Thay want a third depot")
    page.get_by_role("button", name="Log it").click()
    page.locator(".tl li", has_text="Thay want").locator("a:has(time)").click()
    page.get_by_role("link", name="Correct").click()
    page.get_by_label("What happened").fill("They want a third depot")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h2").first).to_have_text("They want a third depot")
    before = page.locator("section", has=page.locator("#h-edits"))
    expect(before.locator("del")).to_have_text("Thay want a third depot")

    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_role("button", name="Take down")).to_be_visible()
    page.get_by_role("navigation", name="Account sections").get_by_role("link", name="Overview").click()
    expect(page.locator(".tl").first).to_contain_text("They want a third depot")

    page.locator(".tl").first.locator("a:has(time)").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".tl", has_text="They want a third depot")).to_have_count(0)
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(page.locator(".tl").first).to_contain_text("They want a third depot")
    expect(page.locator(".tl-day").first).to_have_text("Pinned")
    page.locator(".tl").first.locator("a:has(time)").click()
    page.get_by_role("button", name="Take down").click()
    expect(page.get_by_role("button", name="Pin")).to_be_visible()
    assert seen.problems == []


def test_the_sponsor_leaves_the_page_warns_and_a_successor_ends_the_warning(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Garrick Distribution']}/people/")
    page = seen.page
    page.get_by_role("link", name="Ilse Boer 6 left").click()
    page.get_by_label("Left on").fill(day(-1))
    page.locator("main form [type=submit]").first.click()
    warning = page.locator(".callout", has_text="sponsor")
    expect(warning).to_be_visible()
    expect(page.locator("section", has=page.locator("#h-left"))).to_contain_text("Ilse Boer 6")
    page.get_by_role("navigation", name="Account sections").get_by_role("link", name="Overview").click()
    expect(page.locator("main")).to_contain_text(re.compile("sponsor.* left", re.IGNORECASE))

    page.get_by_role("navigation", name="Account sections").get_by_role("link", name=re.compile("^People")).click()
    page.get_by_role("link", name="Add a person").click()
    page.get_by_label("Name").fill("Nadia Storm")
    page.get_by_label("Role", exact=True).select_option("executive_sponsor")
    page.locator("main form [type=submit]").first.click()
    expect(page.get_by_role("table", name="Roles by influence")).to_contain_text("Nadia Storm")
    expect(warning).to_have_count(0)
    assert seen.problems == []


def test_a_contract_is_entered_and_its_money_counts(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Ibsen Freight']}/contracts/")
    page = seen.page
    page.get_by_role("link", name="New contract").click()
    page.get_by_label("Number").fill("K-900")
    page.get_by_label("Starts on").fill(day(5))
    page.get_by_label("Ends on").fill(day())
    line = page.get_by_role("group", name="Line 1")
    line.get_by_label("Product").fill("Routes")
    line.get_by_label("Seats").fill("12")
    line.get_by_label("ARR").fill("4800")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Number")).to_have_value("K-900")
    expect(line.get_by_label("ARR")).to_have_value("4800")
    page.get_by_label("Ends on").fill(day(400))
    page.get_by_role("button", name="Save").click()
    row = page.locator("tr, section", has_text="K-900").first
    expect(row).to_contain_text("$4,800")
    assert [problem for problem in seen.problems if "422" not in problem] == []
