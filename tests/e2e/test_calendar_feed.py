"""A CSM makes the secret address of their calendar, another program reads it, and it ends."""

from __future__ import annotations

import pytest
from django_tenants.utils import tenant_context
from icalendar import Calendar
from playwright.sync_api import expect

from myday.models import CalendarFeed
from tenants.models import Tenant

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def as_before(visit):
    yield
    with tenant_context(Tenant.objects.get(slug="acme")):
        CalendarFeed.objects.all().delete()


# What a calendar on a server does: no cookies, and the ETag it has.
READ = """async ([path, etag]) => {
    const headers = etag ? {"If-None-Match": etag} : {};
    const answer = await fetch(path, {credentials: "omit", cache: "no-store", headers});
    return [answer.status, answer.headers.get("Content-Type"), answer.headers.get("ETag"), await answer.text()];
}"""


def test_an_address_is_made_read_by_a_calendar_and_ended(visit):
    seen = visit("csm", "/people/profile/")
    page = seen.page
    page.get_by_role("link", name="Calendar").click()
    page.get_by_role("button", name="Make an address").click()
    shown = page.locator("code.secret").inner_text()
    assert shown.endswith(".ics")
    assert (seen.axe(), seen.overflow(), seen.problems) == ([], [], [])
    path = shown[shown.index("/day/calendar/") :]
    stranger = visit("", "/auth/login/").page
    status, kind, etag, body = stranger.evaluate(READ, [path, ""])
    assert (status, kind) == (200, "text/calendar; charset=utf-8")
    titles = [str(event["summary"]) for event in Calendar.from_ical(body).walk("VEVENT")]
    assert "CTA: Usage fell (Dovetail Couriers)" in titles
    assert stranger.evaluate(READ, [path, etag])[0] == 304
    page.get_by_role("button", name="End it").click()
    expect(page.locator(".toast")).to_contain_text("The address is no more.")
    assert stranger.evaluate(READ, [path, ""])[0] == 404
    phone = visit("csm", "/day/calendar/", width=320, scheme="dark")
    assert (phone.axe(), phone.overflow(), phone.problems) == ([], [], [])
