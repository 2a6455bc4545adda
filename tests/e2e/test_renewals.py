"""A CSM calls a renewal against the system in its row; the VP finds the CTA and decides for one of the two."""

from __future__ import annotations

import pytest
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Activity
from engagement.models import Notification
from health.models import RenewalReview
from playbooks.models import Cta
from tenants.models import Tenant
from tests.e2e.conftest import press, tab_to

pytestmark = pytest.mark.e2e


@pytest.fixture
def waiting(world):
    """A renewal without a call for which the system says at risk; afterwards as it was before."""
    key, acme = world.others["waiting renewal"], Tenant.objects.get(slug="acme")
    with tenant_context(acme):
        rows = RenewalReview.objects.filter(pk=key)
        before = rows.values("signal", "reasons").get()
        rows.update(signal="at_risk", reasons=["Logins fell by half."])
        review = rows.select_related("account").get()
    yield review
    with tenant_context(acme):
        RenewalReview.objects.filter(pk=key).update(
            call="", first_call="", call_reason="", days_left=None, called_at=None, called_by=None, cta_id=None,
            side="", side_reason="", decided_at=None, decided_by=None, **before,
        )  # fmt: skip
        Cta.objects.filter(duplicate_key=f"renewal-signals-{key}").delete()
        Notification.objects.filter(title__contains="two signals disagree").delete()
        Activity.objects.filter(title__contains="Two signals disagree").delete()


def test_a_call_against_the_system_reaches_the_vp_who_decides(visit, waiting):
    name = waiting.account.name
    seen = visit("csm", "/health/renewals/")
    page = seen.page
    row = page.locator(f"#r-{waiting.pk}")
    expect(row).to_contain_text("Shown after the call")
    # With the keyboard alone.
    tab_to(page, row.get_by_role("link", name=f"Make the call on {name}"))
    press(page, "Enter")
    expect(row.get_by_label("Your call")).to_be_focused()
    assert (seen.axe(), seen.overflow()) == ([], [])
    row.get_by_label("Your call").select_option("will_renew")
    tab_to(page, row.get_by_role("button", name="Save the call"))
    press(page, "Enter")
    expect(row).to_contain_text("Please check this form")
    row.get_by_label("Why").fill("Their new depot goes live with us.")
    tab_to(page, row.get_by_role("button", name="Save the call"))
    press(page, "Enter")
    expect(row).to_contain_text("Disagree")
    expect(row).to_contain_text("Logins fell by half.")
    expect(row.get_by_role("link", name=f"Change the call on {name}")).to_be_focused()
    assert (seen.axe(), seen.overflow()) == ([], [])
    # The browser notes the form that was refused; nothing else went wrong.
    assert [problem for problem in seen.problems if "422" not in problem] == []

    leader = visit("vp", "/notifications/")
    page = leader.page
    page.get_by_role("link", name=f"{name}: two signals disagree").first.click()
    expect(page.locator("main")).to_contain_text("Their new depot goes live with us.")
    page.get_by_label("The system: at risk").check()
    page.get_by_label("Why").fill("The sponsor left.")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(f"#r-{waiting.pk}")).to_contain_text("counts: The sponsor left.")
    assert leader.problems == []


def test_without_script_the_call_is_made_on_a_page_of_its_own(visit, waiting):
    page = visit("csm", "/health/renewals/?state=no_call", java_script_enabled=False).page
    page.locator(f"#c-{waiting.pk}").click()
    page.get_by_label("Your call").select_option("at_risk")
    page.get_by_role("button", name="Save the call").click()
    expect(page.locator("main")).to_contain_text("Please check this form")
    page.get_by_label("Why").fill("Budget cut")
    page.get_by_role("button", name="Save the call").click()
    expect(page.locator(f"#r-{waiting.pk}")).to_contain_text("Agree")


def test_the_list_reflows_on_a_phone_and_in_the_dark(visit):
    seen = visit("csm", "/health/renewals/", width=320, scheme="dark")
    assert (seen.axe(), seen.overflow(), seen.problems) == ([], [], [])
