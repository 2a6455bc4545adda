"""An account is chosen by its name where there are too many for a list: with suggestions, and without script."""

from __future__ import annotations

import pytest
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Account
from tenants.models import Tenant

pytestmark = pytest.mark.e2e


@pytest.fixture
def name(world, monkeypatch, django_db_blocker):
    """An account of a workspace in which every number of accounts is a large one."""
    monkeypatch.setattr("accounts.account_fields.LISTED", 0)
    with django_db_blocker.unblock(), tenant_context(Tenant.objects.get(slug="acme")):
        return Account.objects.unarchived().exclude(owner=None).order_by("name")[0].name


def test_names_are_suggested_while_one_types(visit, name):
    seen = visit("vp", "/ctas/new/")
    page = seen.page
    field = page.get_by_role("combobox", name="Account", exact=True)
    field.press_sequentially(name[:4].lower())
    expect(page.locator("#id_account-names option").filter(has_text=name)).to_have_count(1)
    field.fill("Nobody at all")
    page.get_by_label("Title").fill("Ask about the roll-out")
    page.get_by_role("button", name="Open the CTA").click()
    expect(page.get_by_text("No account that you may choose is called Nobody at all.").first).to_be_visible()
    field.fill(name)
    page.get_by_role("button", name="Open the CTA").click()
    expect(page.locator("h1")).to_contain_text("Ask about the roll-out")
    expect(page.get_by_role("link", name=name).first).to_be_visible()
    assert [problem for problem in seen.problems if "422" not in problem] == []


def test_the_field_is_in_order_in_both_schemes_and_on_a_phone(visit, name):
    for scheme, width in (("light", 1440), ("dark", 390)):
        seen = visit("vp", "/tickets/new/", width=width, scheme=scheme)
        expect(seen.page.get_by_role("combobox", name="Account", exact=True)).to_have_attribute(
            "list", "id_account-names"
        )
        assert seen.axe() == []
        assert (seen.overflow(), seen.problems) == ([], [])


def test_without_script_the_name_is_typed(visit, name):
    page = visit("vp", "/ctas/new/", java_script_enabled=False).page
    page.get_by_role("combobox", name="Account", exact=True).fill(name.upper())
    page.get_by_label("Title").fill("Ask without script")
    page.get_by_role("button", name="Open the CTA").click()
    expect(page.locator("h1")).to_contain_text("Ask without script")
