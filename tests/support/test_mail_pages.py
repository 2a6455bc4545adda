"""The mail room's pages: what waits is looked at, released, discarded and brought back, with a trail."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Contact
from engagement.models import OutboxMessage
from support import actions
from support.choices import MailState
from support.models import IncomingMail, Ticket
from tests.factories import AT, AccountFactory
from tests.support.mails import CUSTOMER, arrive, known, trusting, written
from tests.support.world import agent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def desk(client):
    trusting()
    client.force_login(agent())
    return client


@pytest.fixture
def held():
    return arrive(written())


def text(response):
    return response.content.decode()


def test_held_mail_is_listed_with_its_reason(desk, held):
    shown = text(desk.get("/support/mail/"))
    assert "Map broken" in shown
    assert f"Nobody here knows {CUSTOMER}." in shown
    assert "Map broken" not in text(desk.get("/support/mail/?q=nothing-like-it"))
    assert "Map broken" not in text(desk.get("/support/mail/?state=worked"))


def test_one_mail_and_three_are_listed_in_the_same_number_of_queries(desk, held):
    desk.get("/support/mail/")
    cache.clear()
    with CaptureQueriesContext(connection) as one:
        desk.get("/support/mail/")
    for number in (2, 3):
        arrive(written(number=number, subject=f"Mail {number}"))
    cache.clear()
    with CaptureQueriesContext(connection) as three:
        assert "Mail 3" in text(desk.get("/support/mail/"))
    assert len(three) <= len(one)
    assert not any('"raw"' in query["sql"] for query in three)


def test_a_mail_is_shown_as_text_and_saved_as_it_came(desk):
    row = arrive(written("", html="<p>Hi<script>alert(1)</script></p>"))
    shown = text(desk.get(f"/support/mail/{row.pk}/"))
    assert "Hi" in shown
    assert "alert(1)" not in shown
    saved = desk.get(f"/support/mail/{row.pk}/source/")
    assert saved.content == bytes(row.raw)
    assert saved["Content-Type"] == "application/octet-stream"
    assert "attachment" in saved["Content-Disposition"]


def test_bytes_that_are_no_mail_have_a_page_and_stay(desk):
    row = arrive(b"\x00\xff nonsense")
    assert "Nothing in it can be read" in text(desk.get(f"/support/mail/{row.pk}/"))
    refused = desk.post(f"/support/mail/{row.pk}/", {"account": str(AccountFactory().pk)})
    assert refused.status_code == 422
    assert "Download it" in text(refused)


def test_an_unknown_sender_is_assigned_to_an_account_and_becomes_a_contact(desk, held):
    account = AccountFactory()
    done = desk.post(f"/support/mail/{held.pk}/", {"account": str(account.pk), "add_contact": "on"})
    assert done.status_code == 302
    held.refresh_from_db()
    ticket = Ticket.objects.get()
    assert (held.state, held.ticket, ticket.account) == (MailState.OPENED, ticket, account)
    assert ticket.requester == Contact.objects.get(email=CUSTOMER, account=account)
    entry = AuditEntry.objects.get(action="mail.release")
    assert (entry.before["state"], entry.after["state"]) == ("quarantined", "opened")
    assert not OutboxMessage.objects.exists()
    again = desk.post(f"/support/mail/{held.pk}/", {"account": str(account.pk)}, follow=True)
    assert "It is decided already" in text(again)


def test_a_mail_is_released_into_a_ticket(desk, held):
    contact = known("bo@dovetail.example")
    ticket = actions.open_ticket(contact.account, subject="Old", channel="email", requester=contact, actor=None, at=AT)
    wrong = desk.post(f"/support/mail/{held.pk}/", {"account": str(AccountFactory().pk), "ticket": ticket.number})
    assert "belongs to" in text(wrong)
    assert "There is no such ticket" in text(desk.post(f"/support/mail/{held.pk}/", {"ticket": "99999"}))
    desk.post(f"/support/mail/{held.pk}/", {"ticket": ticket.number})
    held.refresh_from_db()
    assert (held.state, held.ticket) == (MailState.JOINED, ticket)
    assert ticket.messages.get().body == "The map does not load."


def test_an_account_must_be_chosen_where_nobody_knows_the_sender(desk, held):
    refused = desk.post(f"/support/mail/{held.pk}/", {})
    assert refused.status_code == 422
    assert "Choose the account" in text(refused)
    assert not Ticket.objects.exists()


def test_many_are_released_discarded_and_brought_back(desk, held):
    stranger = arrive(written(number=2, sender="eve@evil.example"))
    known()
    both = [str(held.pk), str(stranger.pk)]
    shown = text(desk.post("/support/mail/bulk/", {"do": "release", "id": both}, follow=True))
    assert "1 released." in shown
    assert "Choose the account it belongs to." in shown
    assert Ticket.objects.count() == 1
    desk.post("/support/mail/bulk/", {"do": "discard", "id": both})
    states = dict(IncomingMail.objects.values_list("pk", "state"))
    assert states == {held.pk: MailState.OPENED, stranger.pk: MailState.DISCARDED}
    assert AuditEntry.objects.filter(action="mail.discard").count() == 1
    desk.post("/support/mail/bulk/", {"do": "back", "id": both})
    stranger.refresh_from_db()
    assert stranger.state == MailState.QUARANTINED
    assert bytes(stranger.raw)


def test_mail_settings_are_changed_by_those_who_may(desk, client):
    assert desk.get("/support/mail/settings/").status_code == 403
    client.force_login(agent("admin"))
    values = {"support_address": "help@acme.example", "trusted_relay": "mx.other.example", "mails_per_hour": "5"}
    assert client.post("/support/mail/settings/", values).status_code == 302
    row = actions.settings_row()
    assert (row.support_address, row.trusted_relay, row.mails_per_hour) == (
        "help@acme.example", "mx.other.example", 5,
    )  # fmt: skip
    assert not row.acknowledge_mail
    assert AuditEntry.objects.filter(action="support.mail_settings").exists()
    refused = client.post("/support/mail/settings/", values | {"trusted_relay": "a b; c"})
    assert (refused.status_code, "one host name" in text(refused)) == (422, True)
