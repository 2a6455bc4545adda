"""A CSM goes on leave: sets who stands in, who then meets the work in their own day, marked, until it is ended."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.choices import Role
from accounts.models import StandIn, User
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def as_before(visit):
    yield
    with tenant_context(Tenant.objects.get(slug="acme")):
        StandIn.objects.all().delete()


def test_who_goes_on_leave_says_who_stands_in_and_who_does_sees_it(visit):
    seen = visit("csm", "/people/profile/")
    page = seen.page
    page.get_by_role("link", name="Stand-ins").click()
    today = timezone.localdate()
    # With the keyboard alone.
    for label, day in (("From", today), ("Until", today + timedelta(days=3))):
        tab_to(page, page.get_by_label(label, exact=True))
        page.get_by_label(label, exact=True).fill(day.isoformat())
    tab_to(page, page.get_by_label("Stands in"))
    page.get_by_label("Stands in").select_option(index=1)
    tab_to(page, page.get_by_role("button", name="Save"))
    press(page, "Enter")
    expect(page.locator("table")).to_contain_text("Away")
    assert (seen.axe(), seen.overflow(), seen.problems) == ([], [], [])
    with tenant_context(Tenant.objects.get(slug="acme")):
        period = StandIn.objects.select_related("absent", "colleague").get()
        StandIn.objects.update(colleague=User.objects.get(role=Role.VP_CS))
        name = str(period.absent)

    helping = visit("vp", "/day/")
    marked = helping.page.locator("li[data-item]", has_text=re.compile(f"for {re.escape(name)} until"))
    expect(marked.first).to_be_visible()
    assert (helping.axe(), helping.overflow(), helping.problems) == ([], [], [])
    phone = visit("vp", "/people/stand-ins/", width=320, scheme="dark")
    assert (phone.axe(), phone.overflow(), phone.problems) == ([], [], [])
    phone.page.get_by_role("button", name=re.compile("^End now")).click()
    expect(phone.page.locator("main")).to_contain_text("Everybody is here")


def test_without_script_a_period_that_overlaps_is_told_at_its_field(visit):
    page = visit("csm", "/people/stand-ins/", java_script_enabled=False).page
    for _twice in range(2):
        day = (timezone.localdate() + timedelta(days=30)).isoformat()
        page.get_by_label("From", exact=True).fill(day)
        page.get_by_label("Until", exact=True).fill(day)
        page.get_by_label("Stands in").select_option(index=1)
        page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Periods must not share a day.")
    expect(page.get_by_label("From", exact=True)).to_have_value(day)
