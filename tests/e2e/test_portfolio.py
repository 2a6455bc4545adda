"""A leader before a board meeting: filter, drill down, compare, make a pack; and the same on a phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from documents.actions import write_document
from documents.models import Document
from health.receipts import check
from tests.e2e.conftest import PRINTED

pytestmark = pytest.mark.e2e


def test_a_filter_and_a_period_stay_in_the_address_and_reach_the_rows(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    page.locator("select[name=owner]").select_option(label="Mara Lind")
    page.wait_for_url(re.compile(r"owner="))
    page.locator("select[name=period]").select_option("90")
    page.wait_for_url(re.compile(r"period=90"))
    shown = page.locator(".kpi", has_text="ARR at risk").locator(".v").inner_text().split("\n")[0]
    page.get_by_role("link", name="ARR at risk").first.click()
    expect(page.locator("h1")).to_have_text("ARR at risk")
    expect(page.locator(".pagehead")).to_contain_text("Owner: Mara Lind")
    assert re.search(r"owner=[0-9a-f-]{36}", page.url)
    total = page.locator(".pagehead b.num").inner_text()
    assert shown[:2] == total[:2]
    assert seen.problems == []


def test_a_figure_gives_a_receipt_that_holds(visit):
    page = visit("vp", "/portfolio/figures/arr/").page
    with page.expect_download() as download:
        page.get_by_role("button", name="Receipt").click()
    with open(download.value.path(), "rb") as file:  # noqa: PTH123 - the browser's own path
        assert check(file.read()).problems == ()


def test_two_days_are_compared_and_the_accounts_named(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    page.get_by_role("link", name="What changed").click()
    day = (timezone.localdate() - timedelta(weeks=5)).isoformat()
    page.get_by_label("From").fill(day)
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(re.compile(f"since={day}"))
    expect(page.locator("#h-figures")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Net revenue retention"))).to_be_visible()
    assert seen.problems == []


def test_a_board_pack_is_ordered_seen_to_be_written_and_downloaded(visit, world):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    page.get_by_role("link", name="Board pack").click()
    page.get_by_role("button", name="Make board pack").click()
    expect(page.locator("progress")).to_be_visible()
    from tenants.models import Tenant

    with tenant_context(Tenant.objects.get(slug="acme")):
        write_document(Document.objects.latest("created_at").pk)
    # The page asks by itself and needs no reload.
    expect(page.locator("#pack-file")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#pack-file").click()
    with open(download.value.path(), "rb") as file:  # noqa: PTH123
        assert file.read(5) == b"%PDF-"
    assert (seen.axe(), seen.overflow(), seen.problems) == ([], [], [])
    assert seen.printed() == PRINTED


def test_a_segment_by_rule_narrows_the_portfolio_and_a_part_leads_on(visit):
    seen = visit("vp", "/portfolio/")
    page = seen.page
    split = page.locator("section:has(#h-split)")
    split.get_by_role("link", name="Segment by rule").click()
    expect(split.locator("[aria-current]")).to_have_text("Segment by rule")
    part = split.locator("tbody tr").first
    name, accounts = part.locator("th").inner_text(), part.locator("td").first.inner_text()
    part.locator("th a").click()
    expect(page.locator("select[name=segment] option:checked")).to_have_text(name)
    expect(page.locator(".kpi", has_text="ARR").first).to_be_visible()
    page.locator("main").get_by_role("link", name="Accounts", exact=True).click()
    expect(page.locator("h1")).to_have_text("Accounts")
    expect(page.locator(".pagehead")).to_contain_text(f"Segment: {name}")
    expect(page.locator(".pagehead b.num")).to_have_text(accounts)
    expect(page.locator("tbody tr")).to_have_count(int(accounts))
    assert seen.problems == []


def test_on_a_phone_the_leader_gets_from_the_figure_to_the_account(visit):
    seen = visit("vp", "/portfolio/", width=390, height=844)
    page = seen.page
    assert seen.overflow() == []
    page.locator("main").get_by_role("link", name="ARR", exact=True).first.click()
    assert seen.overflow() == []
    page.locator("tbody th a").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert seen.problems == []
