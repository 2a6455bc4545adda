"""An import as its user does it: the check shows what would change, the undo gives it back."""

from __future__ import annotations

import pytest
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from imports.choices import WORKING
from imports.models import ImportJob
from imports.running import work
from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e


def run_imports():
    """What a worker does."""
    from tenants.models import Tenant

    with tenant_context(Tenant.objects.get(slug="acme")):
        for job in ImportJob.objects.filter(state__in=WORKING):
            work(job.pk)


def test_a_file_is_checked_brought_in_and_taken_back(visit):
    seen = visit("vp", "/imports/new/")
    page = seen.page
    page.locator("[name=file]").set_input_files(
        {"name": "new.csv", "mimeType": "text/csv", "buffer": b"external_id,name,industry\nu-1,Umber Mills,Paper\n"}
    )
    page.locator("[name=target]").select_option("accounts")
    page.locator("[name=source]").fill("undo-test")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Check the rows").click()
    run_imports()
    page.reload()
    changes = page.get_by_role("region", name="Changes")
    expect(changes).to_contain_text("Umber Mills")
    expect(changes.locator("ins", has_text="Paper")).to_be_visible()
    page.get_by_role("button", name="Import now").click()
    run_imports()
    page.reload()
    expect(page.locator("#h-diff")).to_have_text("What changed")
    page.get_by_role("button", name="Undo this import").focus()
    press(page, "Enter")
    expect(page.locator("#h-state ~ .note")).to_contain_text("Being undone")
    run_imports()
    page.reload()
    expect(page.locator("#h-state ~ .note")).to_contain_text("Undone")
    assert seen.axe() == []
    page.goto(page.url.split("/imports/")[0] + "/accounts/?q=umber")
    expect(page.locator("main")).not_to_contain_text("Umber Mills")
    assert seen.problems == []
