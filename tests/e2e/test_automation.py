"""An administrator writes a trigger rule, tries it over the days ahead, puts it in force, and its CTAs are opened."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from health.actions import open_ctas, recompute
from health.actions.dry_runs import run
from health.models import DryRun, TriggerFiring
from tenants.models import Tenant
from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e


def fill_rule(page):
    page.get_by_label("Name, which is the CTA's title").fill("Doing well")
    page.get_by_label("Steps, one a line").fill("Ask for a reference")


def test_a_rule_is_written_tried_and_put_in_force_and_opens_its_ctas(visit):
    seen = visit("vp", "/health/triggers/")
    page = seen.page
    page.get_by_role("link", name="New trigger").click()
    fill_rule(page)
    page.get_by_label("Condition, test 1: what").select_option("metric:health_band")
    page.get_by_label("Green", exact=True).check()
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.locator("h1")).to_have_text("Doing well")
    expect(page.get_by_text("both open a CTA for accounts with health band")).to_be_visible()

    page.get_by_role("button", name="Dry run of 90 days").click()
    expect(page.locator("progress")).to_be_visible()
    # What a worker does.
    with tenant_context(Tenant.objects.get(slug="acme")):
        run(DryRun.objects.filter(state="queued").latest("created_at").pk)
    expect(page.locator("h1")).to_have_text(re.compile(r"\d+ CTAs in 90 days"))
    page.get_by_role("link", name="Doing well", exact=True).first.click()
    foreseen = page.locator("#h-rows ~ .note").inner_text()

    page.get_by_role("link", name="The trigger").click()
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("Version 1 is in force")).to_be_visible()
    with tenant_context(Tenant.objects.get(slug="acme")):
        recompute(at=timezone.now())
        open_ctas(at=timezone.now())
        fired = TriggerFiring.objects.filter(version__trigger__key="doing-well")
        assert foreseen.split()[0] == str(fired.count()) != "0"
        latest = fired.latest("id")
    page.goto(re.sub(r"/health/.*", f"/ctas/{latest.cta_id}/", page.url))
    expect(page.locator("h1")).to_contain_text("Doing well")
    expect(page.get_by_text("Ask for a reference").locator("visible=true").first).to_be_visible()
    page.goto(re.sub(r"/ctas/.*", "/health/triggers/", page.url))
    page.get_by_role("link", name="Run log").click()
    page.locator("tbody th a").first.click()
    expect(page.locator("section", has=page.locator("#h-by"))).to_contain_text("Doing well")
    expect(page.locator("section", has=page.locator("#h-fired")).locator("tbody tr")).not_to_have_count(0)
    assert seen.problems == []


def test_quiet_hours_and_a_cap_are_set_refused_by_halves_and_lifted(visit):
    page = visit("vp", "/health/triggers/").page
    page.get_by_role("link", name="Quiet hours and caps").click()
    page.get_by_label("Quiet from").fill("20:00")
    page.get_by_label("CTAs of triggers per account").fill("2")
    page.get_by_label("in so many days").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Quiet from")).to_have_value("20:00")
    page.get_by_label("Quiet until").fill("07:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toasts")).not_to_be_empty()
    page.reload()
    expect(page.get_by_label("Quiet until")).to_have_value("07:00")
    for label in ("Quiet from", "Quiet until", "CTAs of triggers per account", "in so many days"):
        page.get_by_label(label).fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Quiet from")).to_have_value("")


def test_a_rule_is_written_without_javascript(visit):
    page = visit("vp", "/health/automation/triggers/new/", java_script_enabled=False).page
    fill_rule(page)
    page.get_by_label("Condition, test 1: what").select_option("absent:meeting")
    page.get_by_role("button", name="Update").click()
    page.get_by_label("Condition, test 1: days").fill("0")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_role("alert")).to_contain_text("“Days” must be a whole number from 1 to 3660")
    page.get_by_label("Condition, test 1: days").fill("100")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.get_by_text("Fires when no meeting for 100 days.").first).to_be_visible()
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.locator("h1")).to_have_text("Triggers")


def test_a_trigger_is_explained_on_an_account_by_keyboard(visit):
    seen = visit("vp", "/health/triggers/")
    page = seen.page
    page.get_by_role("link", name=re.compile("Try it")).first.focus()
    press(page, "Enter")
    page.get_by_label("Account", exact=True).select_option("Beacon Logistics")
    page.get_by_label("Account", exact=True).focus()
    press(page, "Tab")
    press(page, "Enter")
    expect(page.locator("#h-why")).to_have_text("On Beacon Logistics")
    expect(page.locator("#why")).to_contain_text("It")
    expect(page.get_by_role("table", name="Each test with what is known").locator("tbody tr")).not_to_have_count(0)
    assert seen.problems == []
