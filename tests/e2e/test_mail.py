"""A customer's mail from its arrival to the customer's own judgement, with the mails that really leave."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.utils import timezone
from django_tenants.utils import tenant_context
from playwright.sync_api import expect

from engagement.delivery import deliver_due
from support import actions
from support.models import Ticket
from tenants.models import Tenant
from tests.support.mails import arrive, known, trusting, written

pytestmark = pytest.mark.e2e
SENDER = "ola@dovetail-mail.example"
PASSED = "mx.acme.example; dkim=pass header.d=dovetail-mail.example"


@pytest.fixture
def acme(world, django_db_blocker):
    with django_db_blocker.unblock(), tenant_context(Tenant.objects.get(slug="acme")):
        yield


def came(words, number, to="support@acme.localhost"):
    raw = written(words, subject="Labels are cut off", sender=SENDER, passed=PASSED, to=to, number=f"e2e-{number}")
    return arrive(raw, recipient=to, at=timezone.now())


def left():
    """The mails to the customer that leave now, newest last."""
    deliver_due(now=timezone.now())
    actions.follow_mail(at=timezone.now())
    return [each for each in mail.outbox if each.to == [SENDER]]


def answer(page, words):
    page.fill("#reply [name=body]", words)
    page.select_option("#reply [name=status]", "resolved")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#talk")).to_contain_text(words)


def test_mail_becomes_a_ticket_is_answered_reopened_and_rated(visit, world, acme):
    from accounts.models import Account

    mail.outbox = []
    trusting()
    known(SENDER, "Ola", Account.objects.get(name="Dovetail Couriers"))
    came("Since today every label is cut off.", 1)
    page = visit("vp", "/tickets/?q=Labels").page
    page.get_by_role("link", name="Labels are cut off").click()
    expect(page.locator("#talk")).to_contain_text("Since today every label is cut off.")
    answer(page, "Choose the paper size A6.")
    (sent,) = left()
    assert sent.body == "Choose the paper size A6."
    came("Still cut off.\n\nOn Monday, Acme wrote:\n> Choose the paper size A6.", 2, to=sent.reply_to[0])
    page.reload()
    expect(page.get_by_text("Reopened")).to_be_visible()
    expect(page.locator("#talk li").last).to_contain_text("Still cut off.")
    answer(page, "We corrected the template.")
    actions.ask_for_ratings(at=timezone.now())
    link = re.search(r"/support/rate/\S+/", left()[-1].body).group(0)
    page = visit("", link).page
    page.get_by_label("4 – good").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Ticket.objects.get(subject="Labels are cut off").csat_score == 4
