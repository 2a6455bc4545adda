"""The rest of the workplace: a CTA from opening to history, files of a list, the team, the audit, receipts."""

from __future__ import annotations

from pathlib import Path

import pytest
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.actions.verification import read_on
from accounts.models import ChainCheck
from health.receipts import check
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to
from tests.e2e.test_pages import ACCOUNT, path_of

pytestmark = pytest.mark.e2e
TITLE = "Ask for the depot plan"


def test_with_the_keyboard_alone_a_cta_is_opened_worked_closed_and_opened_again(visit):
    seen = visit("vp", "/ctas/")
    page = seen.page
    tab_to(page, page.get_by_role("link", name="New CTA"))
    press(page, "Enter")
    tab_to(page, page.locator("[name=account]"))
    page.keyboard.type("Garrick")
    press(page, "Tab")
    page.keyboard.type(TITLE)
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text(TITLE)
    tab_to(page, page.locator("summary", has_text="Add a task"))
    press(page, "Enter")
    tab_to(page, page.locator("[name=task-title]"))
    page.keyboard.type("Write to the depot")
    press(page, "Enter")
    box = page.get_by_role("checkbox", name="Write to the depot")
    tab_to(page, box)
    press(page, "Space")
    expect(page.locator("#tasks")).to_contain_text("1 of 1 done")
    tab_to(page, page.locator("summary", has_text="Close"))
    press(page, "Enter")
    tab_to(page, page.locator("[name=close-outcome]"))
    page.keyboard.type("Resolved")
    tab_to(page, page.get_by_role("button", name="Close the CTA"))
    press(page, "Enter")
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    page.goto(page.url.split("/ctas/")[0] + "/ctas/?status=closed")
    row = page.locator("tbody tr", has_text=TITLE)
    expect(row).to_contain_text("Resolved")
    tab_to(page, row.get_by_role("link", name=TITLE))
    press(page, "Enter")
    tab_to(page, page.get_by_role("button", name="Open again"))
    press(page, "Enter")
    expect(page.locator("summary", has_text="Snooze")).to_be_visible()
    # As it was before: the other tests count on what is open.
    page.locator("summary", has_text="Close").click()
    page.locator("[name=close-outcome]").select_option("no_action")
    page.get_by_role("button", name="Close the CTA").click()
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    assert seen.problems == []


def test_a_file_of_the_list_is_what_the_list_shows(visit):
    page = visit("vp", "/accounts/?q=lin&sort=name").page
    names = page.locator("tbody th a").all_inner_texts()
    assert names
    found = {}
    for kind in ("csv", "xlsx"):
        page.locator("summary[aria-label=Download]").click()
        with page.expect_download() as download:
            page.locator(f"#export-{kind}").click()
        found[kind] = Path(download.value.path()).read_bytes()
        page.reload()
    lines = found["csv"].decode("utf-8-sig").splitlines()
    assert len(lines) == len(names) + 1
    assert all(name in line for name, line in zip(names, lines[1:], strict=True))
    assert found["xlsx"].startswith(b"PK")


def test_a_leader_sees_the_load_of_each_owner_and_goes_to_their_book(visit):
    page = visit("vp", "/portfolio/").page
    page.get_by_role("banner").get_by_role("link", name="Team").click()
    row = page.locator("tbody tr", has_text="Mara Lind")
    expect(row).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "Mara Lind" in Path(download.value.path()).read_text("utf-8-sig")


def test_the_receipt_of_a_score_holds_and_a_changed_one_does_not(visit, world):
    page = visit("vp", path_of("/health" + ACCOUNT + "/receipt/", world)).page
    with page.expect_download() as download:
        page.get_by_role("button", name="Receipt").click()
    content = Path(download.value.path()).read_bytes()
    assert check(content).problems == ()
    assert check(content.replace(b"Dovetail", b"Dovetaim", 1)).problems != ()


def test_the_audit_is_searched_and_its_chain_read_to_the_end(visit):
    seen = visit("owner", "/audit/")
    page = seen.page
    page.get_by_label("Action").fill("segment.")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr").first).to_contain_text("segment.")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.locator("#chain progress")).to_be_visible()
    with tenant_context(Tenant.objects.get(slug="acme")):
        read_on(ChainCheck.objects.latest("started_at").pk)
    # The page asks by itself.
    expect(page.locator("#chain")).to_contain_text("The chain is whole.", timeout=15_000)
    assert seen.problems == []


def test_quotas_are_one_step_from_the_settings(visit, world):
    page = visit("owner", "/settings/").page
    page.get_by_role("link", name="Quotas").click()
    expect(page.locator("tbody tr", has_text="Accounts").locator("td").first).to_have_text(str(len(world.accounts)))
