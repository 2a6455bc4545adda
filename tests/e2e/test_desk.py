"""A shift at the desk without a mouse, and a case that climbs a whole ladder."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from accounts.models import Account
from support import actions
from support.models import Escalation, Ticket
from tenants.models import Tenant
from tests.e2e.conftest import press

pytestmark = pytest.mark.e2e
TEN = 10


@pytest.fixture
def acme(world, django_db_blocker):
    with django_db_blocker.unblock(), tenant_context(Tenant.objects.get(slug="acme")):
        yield


@pytest.fixture
def waiting(acme, world):
    """Ten customers' tickets of one tag, oldest first."""
    account = Account.objects.get(pk=world.accounts["Fjord Transport"])
    began = timezone.now() - timedelta(hours=2)
    return [
        actions.open_ticket(
            account, subject=f"Key fob {number} is dead", body="It was new.", channel="phone", tags=["fob"],
            actor=None, at=began + timedelta(minutes=number),
        )
        for number in range(1, TEN + 1)
    ]  # fmt: skip


def test_ten_tickets_are_answered_tagged_and_taken_one_after_the_other_by_keys_alone(visit, waiting):
    seen = visit("vp", "/tickets/?tag=fob&sort=number")
    page = seen.page
    press(page, "j")
    expect(page.locator("tr[data-cursor]")).to_contain_text("Key fob 1 is dead")
    press(page, "Enter")
    for number in range(1, TEN + 1):
        expect(page.locator("h1")).to_have_text(f"Key fob {number} is dead")
        press(page, "t")
        expect(page.locator("[data-shortcut=t]")).to_be_focused()
        press(page, "End")
        page.keyboard.type(f", batch {number}")
        press(page, "Enter")
        expect(page.locator(".facts")).to_contain_text(f"batch {number}")
        press(page, "i")
        expect(page.locator(".facts div", has_text="Assignee").last).to_contain_text("Vera Paulsen")
        press(page, "r")
        expect(page.locator("#id_body")).to_be_focused()
        page.keyboard.type(f"A new one is on its way, number {number}.")
        press(page, "Control+Shift+Enter")
    # Behind the last one stands the queue they came from.
    expect(page.locator("h1")).to_have_text("Tickets")
    expect(page.get_by_role("textbox", name="Tag", exact=True)).to_have_value("fob")
    assert seen.problems == []
    worked = Ticket.objects.filter(pk__in=[ticket.pk for ticket in waiting]).order_by("number")
    for number, ticket in enumerate(worked, 1):
        assert (ticket.status, ticket.assignee.name, ticket.tags) == (
            "open",
            "Vera Paulsen",
            ["fob", f"batch {number}"],
        )
        [answer] = ticket.messages.filter(from_customer=False)
        assert answer.body == f"A new one is on its way, number {number}."


def test_what_was_written_and_not_sent_is_there_when_they_come_back(visit, world):
    seen = visit("vp", f"/tickets/{world.others['ticket']}/")
    page = seen.page
    press(page, "n")
    page.keyboard.type("Ask Pieter, not the customer.")
    page.goto(page.url)
    expect(page.locator("#id_body")).to_have_value("Ask Pieter, not the customer.")
    expect(page.get_by_label("Internal note")).to_be_checked()
    page.locator("#id_body").fill("")
    page.reload()
    expect(page.locator("#id_body")).to_have_value("")
    expect(page.get_by_label("To the customer")).to_be_checked()
    assert seen.problems == []


def write_the_message(form, words):
    """Every part of the ladder's message that is still empty."""
    for part in form.locator("textarea[name*=part-]").all():
        if not part.input_value():
            part.fill(words)


def test_a_case_climbs_from_the_csm_to_the_executive_and_is_ended_there(visit, acme, world):
    account = Account.objects.get(pk=world.accounts["Dovetail Couriers"])
    ticket = actions.open_ticket(
        account, subject="Fuel cards are not read", body="None of them.", channel="phone", actor=None, at=timezone.now()
    )
    # Tier 1 is the CSM, who raises it to the engineer.
    page = visit("csm", f"/tickets/{ticket.pk}/escalate/").page
    page.get_by_label("Escalate to").select_option(label="Implementation Engineer")
    page.get_by_label("What happened").fill("No card is read since the update")
    write_the_message(page, "Cards of all drivers fail")
    page.get_by_role("button", name="Escalate", exact=True).click()
    expect(page.locator(".pagehead .badge").first).to_have_text("Implementation Engineer")
    for promise in ("Acknowledgement", "First action", "Resolution"):
        expect(page.locator(".clocks")).to_contain_text(promise)
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".pagehead")).to_contain_text("Acknowledged")
    page.get_by_text("Note the first action").click()
    page.locator("form[action$='/begin/'] textarea").fill("Reading the logs")
    page.get_by_role("button", name="Note it").click()
    expect(page.get_by_text("Reading the logs")).to_be_visible()
    pass_on(page, "VP Customer Success", "They threaten to leave")
    address = page.url

    # Tier 3 owes an update every two days; only the VP may go further.
    page = visit("vp", urlsplit(address).path).page
    page.get_by_text("Post an update").click()
    page.locator("form[action$='/update/'] textarea").fill("Their director is called today")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.locator(".clocks")).to_contain_text("Next update")
    pass_on(page, "C-level executive", "A million is at stake", reason=1)
    for place, step in enumerate(("Implementation Engineer", "VP Customer Success", "C-level executive")):
        expect(page.locator("[aria-labelledby=h-way] li").nth(place)).to_contain_text(step)
    page.get_by_text("End it").first.click()
    page.get_by_label("Outcome", exact=True).select_option("resolved")
    page.locator("form[action$='/end/'] [name$=note]").fill("Cards are read again")
    page.locator("form[action$='/end/'] button").click()
    expect(page.locator(".callout")).to_contain_text("Cards are read again")

    steps = list(Escalation.objects.filter(ticket=ticket).order_by("raised_at"))
    assert [(step.level, step.outcome) for step in steps] == [
        ("T2", "passed_on"), ("T3", "passed_on"), ("T4", "resolved"),
    ]  # fmt: skip
    assert {kind for step in steps for kind in step.clocks.values_list("kind", flat=True)} == {
        "acknowledge", "first_action", "update", "resolution",
    }  # fmt: skip


def pass_on(page, level, why, reason=0):
    """Hand the open step to the next level, with one of its printed reasons or none of them."""
    page.get_by_text("Pass on").first.click()
    form = page.locator("form[action$='/pass-on/']")
    form.get_by_label("Pass to").select_option(label=level)
    form.get_by_label("Which reason is it").select_option(index=reason)
    form.get_by_label("Why").fill(why)
    write_the_message(form, "As before")
    form.get_by_role("button", name="Pass on").click()
    expect(page.locator(".pagehead .badge").first).to_have_text(level)
