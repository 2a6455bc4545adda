"""A leader keeps a view of the portfolio and has it sent; whoever gets it opens its receipt."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import SavedView
from documents.actions import write_document
from documents.models import Document
from health.actions.packs import order_due, send_written
from health.models import PackSchedule
from health.pages.board_data import board_data
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def as_before(visit):
    yield
    with tenant_context(Tenant.objects.get(slug="acme")):
        PackSchedule.objects.all().delete()
        SavedView.objects.filter(page="portfolio").delete()


def test_a_view_is_kept_scheduled_sent_and_its_receipt_read(visit, address):
    seen = visit("vp", "/portfolio/?period=90&split=tier")
    page = seen.page
    expect(page.locator("#unsaved")).to_be_visible()
    page.get_by_text("Save as new").click()
    page.get_by_label("Name of the view").fill("Ninety days by tier")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("navigation", name="Views").locator("[aria-current=page]")).to_contain_text("Ninety days")
    expect(page.locator("#unsaved")).to_have_count(0)
    assert (seen.axe(), seen.overflow()) == ([], [])
    page.locator("select[name=period]").select_option("year")
    expect(page.locator("#unsaved")).to_be_visible()
    expect(page.get_by_role("button", name="Update view")).to_be_visible()
    page.get_by_role("link", name="Reset").first.click()
    page.get_by_role("link", name="Ninety days by tier").first.click()
    page.get_by_role("link", name="Send as board pack").click()

    # With the keyboard alone: on the first of the month, to oneself, which is ticked already.
    tab_to(page, page.get_by_label("How often"))
    page.keyboard.type("Every month")
    tab_to(page, page.get_by_role("button", name="Schedule", exact=True))
    press(page, "Enter")
    expect(page.locator(".pagehead")).to_contain_text("Every month on day 1 at 08:00")
    page.get_by_role("button", name="Send now").click()
    expect(page.locator("main")).to_contain_text("Being written")
    assert (seen.axe(), seen.overflow()) == ([], [])

    # What the workers do within a minute.
    with tenant_context(Tenant.objects.get(slug="acme")):
        schedule = PackSchedule.objects.get()
        now = timezone.now()
        assert order_due(at=now, draw=board_data) == 0
        for document in Document.objects.unfinished():
            write_document(document.pk)
        assert send_written(at=now) == 1

    page.goto(address("/notifications/?kind=board_pack"))
    page.get_by_role("button", name=re.compile("^Open and mark read: Board pack: Ninety days by tier")).click()
    expect(page.locator("h1")).to_have_text("Receipt: Ninety days by tier")
    expect(page.locator("#h-digests")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#pack-file").click()
    assert re.fullmatch(r"board-pack-\d{4}-\d\d-\d\d\.pdf", download.value.suggested_filename)
    assert (seen.axe(), seen.overflow(), seen.problems) == ([], [], [])

    phone = visit("vp", f"/portfolio/board-packs/schedules/{schedule.pk}/", width=320, scheme="dark")
    assert (phone.axe(), phone.overflow(), phone.problems) == ([], [], [])
    page.goto(address(f"/portfolio/board-packs/schedules/{schedule.pk}/"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".pagehead")).to_contain_text("Paused")
    page.get_by_text("Delete this schedule").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("main")).to_contain_text("Nothing is scheduled")


def test_without_script_a_refusal_keeps_what_was_chosen(visit):
    page = visit("vp", "/portfolio/?period=365", java_script_enabled=False).page
    page.get_by_text("Save as new").click()
    page.get_by_label("Name of the view").fill("A year")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("link", name="Send as board pack").click()
    page.get_by_label("Day of the week").select_option("4")
    for box in page.get_by_role("checkbox", checked=True).all():
        box.uncheck()
    page.get_by_role("button", name="Schedule", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Sent to")
    expect(page.get_by_label("Day of the week")).to_have_value("4")
