"""An incident over three accounts from the alert to the review, with the mails that really leave."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from engagement.delivery import deliver_due
from support import actions
from support.models import Incident
from tenants.models import Tenant
from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e
NAMES = ("Aldgate Freight", "Beacon Logistics", "Cinder Lines")


@pytest.fixture
def acme(world, django_db_blocker):
    with django_db_blocker.unblock(), tenant_context(Tenant.objects.get(slug="acme")):
        yield


@pytest.fixture
def three(acme):
    """The accounts, each with somebody who has an address."""
    from accounts.actions import create_contact
    from accounts.models import Account

    found = [Account.objects.get(name=name) for name in NAMES]
    for number, account in enumerate(found):
        create_contact(
            account, name=f"Pat {account.name.split()[0]}", email=f"pat{number}@incident.example", actor=None,
            stakeholder_role="administrator", at=timezone.now(),
        )  # fmt: skip
    return found


def test_an_incident_over_three_accounts_from_alert_to_review(visit, world, three):
    mail.outbox = []
    given = {"subject": "Route planning stops", "channel": "phone", "actor": None, "at": timezone.now()}
    ticket = actions.open_ticket(three[0], **given)
    page = visit("vp", f"/tickets/{ticket.pk}/").page
    page.get_by_role("link", name="Open an incident").click()
    page.get_by_label("Title").fill("Route planning is down")
    page.get_by_label("What is known").fill("Routes cannot be planned.")
    page.get_by_label("Impact").select_option("1")
    page.get_by_label("Affected service").fill("routes")
    page.get_by_role("button", name="Open the incident").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Route planning is down")
    expect(page.locator("main")).to_contain_text(f"#{ticket.number} Route planning stops")

    press(page, "a")
    expect(page.get_by_role("heading", level=1)).to_have_text("Whom does it affect?")
    for name in NAMES[1:]:
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("button", name="Add the selected").click()
    expect(page.get_by_text("2 accounts added.")).to_be_visible()

    page.get_by_role("link", name="Incident alert").click()
    page.get_by_label("Severity").fill("High")
    for name in NAMES:
        page.get_by_label(f"Pat {name.split()[0]}").check()
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="As they will read it")
    expect(preview).to_contain_text("Dear Pat Aldgate,")
    expect(preview).to_contain_text("3 accounts")
    preview.get_by_role("button", name="Send to 3 people").click()
    expect(page.get_by_text("Incident alert sent to 3 people of 3 accounts.")).to_be_visible()
    deliver_due(now=timezone.now())
    letters = {each.to[0]: each for each in mail.outbox if each.to[0].endswith("@incident.example")}
    assert len(letters) == 3
    assert "Issue: Routes cannot be planned." in letters["pat2@incident.example"].body
    page.reload()
    expect(page.locator("#h-words").locator("xpath=ancestor::section")).to_contain_text("First notice")

    page.get_by_text("Move to a stage").click()
    page.get_by_label("Stage", exact=True).select_option("closure")
    page.get_by_label("How it was resolved").fill("The planner was restarted with more memory.")
    page.get_by_label("Customers agreed that it works").check()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("Resolved", exact=True).first).to_be_visible()

    press(page, "r")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Review of INC-")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Still empty").first).to_be_visible()
    for part in ("Root cause", "Contributing factors", "Impact", "Lessons"):
        page.get_by_label(part).fill(f"What we know of the {part.lower()}.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("The review is published.")).to_be_visible()
    page.get_by_label("What is to be done").fill("Watch the memory of the planner")
    page.get_by_label("Due", exact=True).fill((timezone.localdate() + timedelta(days=7)).isoformat())
    page.get_by_label("For", exact=True).select_option(label=NAMES[0])
    page.get_by_role("button", name="Add the measure").click()
    expect(page.get_by_role("link", name="Watch the memory of the planner")).to_be_visible()

    incident = Incident.objects.get(title="Route planning is down")
    page = visit("vp", f"/incidents/{incident.pk}/").page
    page.get_by_text("Close it").click()
    page.get_by_role("button", name=f"Close {incident.code}").click()
    expect(page.get_by_text(f"{incident.code} is closed.")).to_be_visible()
    page.goto(page.url.partition("/incidents/")[0] + f"/accounts/{three[2].pk}/timeline/")
    expect(page.locator("main")).to_contain_text("Incident reviewed: " + str(incident))
