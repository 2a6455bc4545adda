"""What a CSM judges and agrees on an account's tabs: a band by hand, a meeting ahead; who left a segment."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e


def test_a_band_is_set_by_hand_beside_the_computed_one_and_given_back(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Juniper Cold Chain']}/health/")
    page = seen.page
    form = page.locator("#override")
    computed = page.get_by_label("Band", exact=True).locator("option").first.inner_text()
    page.get_by_label("Reason").fill("")
    form.get_by_role("button", name="Set the band").click()
    expect(page.locator("#id_reason_error")).to_be_visible()
    page.get_by_label("Band", exact=True).select_option(label=computed)
    page.get_by_label("Reason").fill("Their board decided to stay")
    form.get_by_role("button", name="Set the band").click()
    expect(form).to_contain_text("computed is")
    tabs = page.get_by_role("navigation", name="Account sections")
    tabs.get_by_role("link", name="Overview").click()
    expect(page.locator(".callout", has_text="Band set by hand")).to_contain_text("Their board decided to stay")
    tabs.get_by_role("link", name="Health").click()
    form.get_by_role("button", name="Use the computed band again").click()
    expect(form).not_to_contain_text("computed is")
    expect(page.locator("section", has=page.locator("#h-past"))).to_contain_text("ended")
    assert [problem for problem in seen.problems if "422" not in problem] == []


@pytest.mark.parametrize(("kind", "button"), [("meeting", "Meeting"), ("email", "E-mail")])
def test_what_was_agreed_stands_on_the_overview_with_its_hour_and_who_takes_part(visit, world, kind, button):
    seen = visit("vp", f"/accounts/{world.accounts['Garrick Distribution']}/timeline/")
    page = seen.page
    page.get_by_role("link", name=button, exact=True).click()
    expect(page.locator("[name=kind]")).to_have_value(kind)
    page.get_by_label("What happened").fill(f"Agreed by {kind}")
    page.get_by_label("Others").fill("Rosa Quist")
    page.get_by_label("Next step").fill(f"Review after the {kind}")
    page.locator("[name=next_step_on]").fill((timezone.localdate() + timedelta(days=40)).isoformat())
    page.locator("[name=next_step_time]").fill("14:30")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator(".tl li", has_text=f"Agreed by {kind}")).to_contain_text("Rosa Quist")
    page.get_by_role("navigation", name="Account sections").get_by_role("link", name="Overview").click()
    ahead = page.locator("section", has=page.locator("#h-steps"))
    expect(ahead).to_contain_text(re.compile(rf"Review after the {kind}.* at 14:30, with Rosa Quist", re.DOTALL))
    assert seen.problems == []


def test_on_a_phone_a_note_is_logged_and_usage_is_read(visit, world):
    seen = visit("vp", f"/accounts/{world.accounts['Fjord Transport']}/", width=390, height=844)
    page = seen.page
    page.get_by_role("link", name="Log activity").click()
    page.locator("[name=kind]").select_option("note")
    page.get_by_label("What happened").fill("Seen at the fair")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator(".tl", has_text="Seen at the fair").first).to_be_visible()
    assert seen.overflow() == []
    page.get_by_role("navigation", name="Account sections").get_by_role("link", name="Usage").click()
    page.locator("summary", has_text="Show as table").first.click()
    expect(page.locator("details[open] table").first).to_be_visible()
    assert seen.overflow() == []
    assert seen.problems == []


def test_a_segment_tells_who_left_when_its_rule_changes(visit):
    seen = visit("vp", "/accounts/segments/new/")
    page = seen.page
    page.locator("#segment-name").fill("Leavers")
    page.locator("#c-0-0-value").fill("80000")
    page.locator("#save-segment").click()
    expect(page.locator("h1")).to_have_text("Leavers")
    moves = page.locator("section:has(#s-moves) li")
    came = moves.count()
    assert came > 0
    page.get_by_role("link", name="Edit", exact=True).click()
    page.locator("#c-0-0-value").fill("9000000")
    page.locator("#save-segment").click()
    expect(page.locator("section:has(#s-in)")).to_contain_text("Nobody is in it")
    expect(moves.filter(has_text="Left")).to_have_count(came)
    expect(moves.filter(has_text="Entered")).to_have_count(came)
    page.locator("summary", has_text="Delete this segment").click()
    page.get_by_role("button", name="Delete Leavers").click()
    expect(page.locator("main")).not_to_contain_text("Leavers")
    assert seen.problems == []
