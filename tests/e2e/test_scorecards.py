"""An administrator changes a scorecard, looks at what that does, activates it, takes it back, and backtests it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from health.actions.backtests import run
from health.models import Backtest
from tenants.models import Tenant

pytestmark = pytest.mark.e2e
CARD = "/health/scorecards/fleet-health/"


def test_edit_preview_activate_and_roll_back_without_javascript(visit):
    page = visit("vp", CARD, java_script_enabled=False).page
    page.get_by_role("link", name="New version").click()
    green = page.locator("[name='/bands/0/min']")
    green.fill("60")
    page.get_by_role("button", name="Keep as a draft and preview").click()

    expect(page.get_by_role("alert")).to_contain_text("each band must begin below the one before it")
    expect(page.locator("[name='/bands/1/min']")).to_have_attribute("aria-invalid", "true")
    expect(green).to_have_value("60")

    green.fill("95")
    page.get_by_label("Why this version").fill("Stricter green")
    page.get_by_role("button", name="Keep as a draft and preview").click()
    expect(page.locator("h1")).to_have_text(re.compile(r"\d+ of 12 accounts would change band|No"))
    expect(page.get_by_role("button", name="Activate now")).to_be_visible()
    moves = page.get_by_role("table", name="Measures, those that move most accounts first")
    expect(moves).to_contain_text("Objectives")

    page.get_by_role("link", name="What differs").click()
    expect(page.locator("del")).to_have_text("90")
    expect(page.locator("ins")).to_have_text("95")
    page.go_back()
    page.get_by_role("button", name="Activate now").click()
    expect(page.locator("main .sub").first).to_contain_text("active: Stricter green")

    page.get_by_role("link", name="Version 1", exact=True).click()
    page.get_by_role("link", name="Preview and roll back").click()
    page.get_by_role("button", name="Roll back to version 1").click()
    expect(page.locator("main .sub").first).to_contain_text("active: Back to version 1")


def test_the_editor_says_who_would_change_band_while_a_band_is_changed(visit):
    seen = visit("vp", CARD + "edit/")
    page = seen.page
    page.locator("[name='/bands/0/min']").fill("100")
    page.locator("[name='/bands/0/min']").press("Tab")
    expect(page.locator("#what-if")).to_contain_text(re.compile(r"[1-9]\d* of 12 accounts would change band"))
    page.locator("[name='/bands/0/min']").fill("60")
    page.locator("[name='/bands/0/min']").press("Tab")
    expect(page.locator("#what-if")).to_contain_text("to put right first")
    assert seen.problems == []


def test_a_version_is_scheduled_and_taken_off_again_and_segments_say_who_uses_it(visit):
    seen = visit("vp", CARD + "edit/")
    page = seen.page
    page.get_by_label("Why this version").fill("For next week")
    page.get_by_role("button", name="Keep as a draft and preview").click()
    page.get_by_label("Or on a day").fill((timezone.localdate() + timedelta(days=7)).isoformat())
    page.get_by_role("button", name="Schedule").click()
    page.get_by_role("link", name=re.compile("Preview and activate")).click()
    expect(page.locator("main")).to_contain_text("Goes live on")
    page.get_by_role("button", name="Do not go live by itself").click()
    expect(page.locator("main")).not_to_contain_text("Scheduled")
    page.get_by_role("button", name="Discard draft").click()
    page.get_by_role("link", name="Who uses it").click()
    expect(page.locator("h1")).to_contain_text("scores 12 accounts")
    assert seen.problems == []


def test_rows_are_added_and_removed_with_what_was_typed_kept(visit):
    page = visit("vp", CARD + "edit/").page
    page.get_by_label("Why this version").fill("Another band")
    page.get_by_role("button", name="Band", exact=True).click()

    expect(page.locator("[name='/bands/2/name']")).to_be_focused()
    expect(page.get_by_label("Why this version")).to_have_value("Another band")
    page.locator("[name='/bands/2/name']").fill("Orange")
    page.locator("button[value='remove /bands/2']").click()
    expect(page.locator("[name='/bands/3/name']")).to_have_count(0)


def test_a_backtest_is_run_watched_and_read(visit, world):
    seen = visit("vp", "/health/backtests/")
    page = seen.page
    page.get_by_label("Over").select_option("3")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("progress")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="days replayed")).to_be_visible()

    # What a worker does.
    with tenant_context(Tenant.objects.get(slug="acme")):
        run(Backtest.objects.filter(state="queued").latest("created_at").pk)

    expect(page.locator("#verdict")).to_be_visible()
    expect(page.get_by_role("heading", name="Lost without a warning in time")).to_be_visible()
    expect(page.get_by_role("heading", name="Where to warn from")).to_be_visible()
    expect(page.get_by_role("table", name="Measures and losses, the sharpest first")).to_contain_text("Login Frequency")
    page.get_by_role("link", name="Warns from yellow").click()
    expect(page).to_have_url(re.compile("warn=yellow"))
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("h1")).to_have_text("Backtest lab")
    assert seen.problems == []


def test_five_methodologies_are_one_step_from_the_health_tab(visit, world):
    page = visit("vp", f"/accounts/{world.accounts['Dovetail Couriers']}/health/").page
    page.get_by_role("link", name="Five methodologies").click()
    expect(page.locator("main h3")).to_have_count(5)
