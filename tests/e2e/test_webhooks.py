"""An administrator connects another system: chooses events, tests with a real one, sees a failure, sends it again."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Account
from playbooks.actions import close_cta, open_cta
from tenants.models import Tenant
from tests.webhooks.receiver import receiver
from webhooks.collecting import collect
from webhooks.delivery import deliver_due

pytestmark = pytest.mark.e2e


@pytest.fixture
def there():
    assert not settings.WEBHOOKS_UNGUARDED
    with override_settings(WEBHOOKS_UNGUARDED=True), receiver() as server:
        yield server


def a_worker_comes_by():
    """One round of the task, which no worker runs here."""
    with tenant_context(Tenant.objects.get(slug="acme")):
        collect(at=timezone.now())
        deliver_due(now=timezone.now())


def a_cta_is_opened_and_closed():
    """So that nothing more waits for anybody than before."""
    with tenant_context(Tenant.objects.get(slug="acme")):
        account, now = Account.objects.get(name="Kestrel Energy"), timezone.now()
        cta = open_cta(account, title="Connected", reason="", kind="activity", priority="low", at=now)
        close_cta(cta, outcome="resolved", actor=None, at=now)


def test_an_administrator_connects_a_system_tests_it_and_sends_a_failure_again(visit, world, there):
    seen = visit("owner", "/settings/webhooks/new/")
    page = seen.page
    page.get_by_label("What it is").fill("Sales chat")
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one type of event.")
    expect(page.get_by_label("What it is")).to_have_value("Sales chat")
    page.get_by_label("Address").fill(there.url)
    page.get_by_label("A call to action was opened, by a person or a rule").check()
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.get_by_text("copy it now, it is shown this once")).to_be_visible()
    secret = page.locator("code.secret").inner_text()
    assert seen.axe() == []

    page.get_by_role("link", name="Webhooks", exact=True).first.click()
    page.get_by_role("link", name="Sales chat").click()
    expect(page.locator("code.secret")).to_have_count(0)

    # A test is the last CTA that was opened, by the way of every event; the page shows the answer by itself.
    page.get_by_role("button", name="Send a test").click()
    status = page.locator("#delivery [role=status]")
    expect(status).to_contain_text("Waiting")
    a_worker_comes_by()
    expect(status).to_contain_text("Delivered")
    (test,) = there.received
    assert test.is_signed_with(secret)
    assert test.json["type"] == "cta.opened"

    # A real one, which the other system does not take at first.
    there.answers = [lambda handler: handler.plain(500, b"The queue is full")]
    a_cta_is_opened_and_closed()
    a_worker_comes_by()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Sales chat").click()
    page.get_by_role("navigation", name="State").get_by_role("link", name="Trying again").click()
    page.get_by_role("table", name="Deliveries").get_by_role("link", name="cta.opened").click()
    expect(page.get_by_text("The queue is full")).to_be_visible()
    expect(status).to_contain_text("Trying again")
    assert seen.axe() == []

    there.answers = [200]
    page.get_by_role("button", name="Send now").click()
    expect(page.locator(".toasts")).to_contain_text("It is sent again.")
    a_worker_comes_by()
    expect(status).to_contain_text("Delivered")
    failed, again = there.received[1:]
    assert failed.headers["webhook-id"] == again.headers["webhook-id"]
    assert again.is_signed_with(secret)
    assert again.json["data"]["cta"]["title"] == "Connected"

    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Sales chat").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Nothing is sent; what waits is kept for 30 days.")).to_be_visible()
    page.get_by_text("Delete this webhook").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("link", name="Sales chat")).to_have_count(0)
    assert [problem for problem in seen.problems if "422" not in problem] == []
