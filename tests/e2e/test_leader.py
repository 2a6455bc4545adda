"""What a leader and whoever helps customers ask last: do the figures fit, are they where they should be, who cannot
get in.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.actions.sign_in_tries import note_try
from accounts.choices import SignInOutcome
from health.models import FigureTarget
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to

pytestmark = pytest.mark.e2e


def test_the_leader_reconciles_and_reads_what_changed_in_a_sentence(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    page.get_by_role("link", name="Reconcile").click()
    expect(page.locator("h1")).to_have_text("Reconciliation")
    expect(page.get_by_role("heading", name="ARR and contracts")).to_be_visible()
    day = (timezone.localdate() - timedelta(weeks=5)).isoformat()
    page.get_by_label("From", exact=True).fill(day)
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url(re.compile(f"since={day}"))
    moved = page.locator("section:has(#h-arr)")
    expect(moved.get_by_role("row", name=re.compile("^Difference"))).to_contain_text("$0")
    assert (seen.axe(), seen.overflow(), seen.problems) == ([], [], [])
    page.goto(page.url.replace("/reconciliation/", "/compare/"))
    expect(page.locator(".pagehead .sub")).to_contain_text(re.compile(r"ARR (rose|fell|did not change|stands)"))


def test_with_the_keyboard_alone_a_target_is_set_and_stands_beside_its_figure(visit):
    seen = visit("vp", "/portfolio/targets/")
    page = seen.page
    tab_to(page, page.locator("[name=score]"))
    page.keyboard.type("99")
    press(page, "Enter")
    expect(page.locator(".toast")).to_contain_text("The targets are set.")
    figure = page.locator(".kpi", has_text="Average score")
    expect(figure).to_contain_text(re.compile(r"Target 99\.0, [\d.]+ to go"))
    figure.get_by_role("link", name="Average score").click()
    expect(page.locator(".pagehead")).to_contain_text("Target 99.0")
    assert seen.problems == []
    with tenant_context(Tenant.objects.get(slug="acme")):
        FigureTarget.objects.all().delete()  # as it was before


def test_without_script_a_target_that_cannot_be_is_told_at_its_field(visit):
    page = visit("vp", "/portfolio/targets/", java_script_enabled=False).page
    page.locator("[name=nrr]").fill("5000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[name=nrr]")).to_have_value("5000")
    expect(page.locator("main")).to_contain_text("Between 0 and 1,000.")


def test_a_quarter_of_renewals_leads_to_its_accounts(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    row = page.locator("section:has(#h-due) tbody tr:has(td a)").last
    quarter, money = row.locator("th").inner_text(), row.locator("td a").first.inner_text()
    row.locator("td a").first.click()
    expect(page.locator("h1")).to_have_text(f"Renewals due in {quarter}")
    total = page.locator(".pagehead b.num").inner_text()
    assert money[:2] == total[:2]
    assert seen.problems == []


def test_whoever_helps_a_customer_sees_why_they_do_not_get_in(visit, world):
    seen = visit("", "/auth/login/")
    page = seen.page
    page.locator("[name=login]").fill("portal@halden.test")
    page.locator("[name=password]").fill("not the password")
    press(page, "Enter")
    expect(page.locator("main")).to_contain_text("are not correct")
    with tenant_context(Tenant.objects.get(slug="acme")):  # what the worker does with the try
        note_try("portal@halden.test", SignInOutcome.WRONG_PASSWORD, at=timezone.now())
    helping = visit("csm", f"/accounts/{world.portal_account}/people/")
    card = helping.page.get_by_label("Portal access")
    expect(card).to_contain_text("Wrong password")
    expect(card).to_contain_text("Does not get in")
    assert (helping.axe(), helping.overflow(), helping.problems) == ([], [], [])
