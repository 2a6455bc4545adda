"""What a customer sees of their requests and does with them; nothing internal, nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.actions import create_contact
from accounts.choices import Role
from support import actions
from support.models import Attachment, Ticket
from tests.factories import AccountFactory, UserFactory
from tests.support.world import agent, customer, install

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    install("fmea")
    return customer("enterprise", pack="fmea", name="Halden Logistics")


@pytest.fixture
def sanne(client, account):
    person = UserFactory(role=Role.PORTAL_USER, name="Sanne Bakker", email="sanne@halden.test")
    person.portal_accounts.add(account)
    client.force_login(person)
    return client


def text(response) -> str:
    return response.content.decode()


def ask(browser, account, **changes) -> Ticket:
    form = {"account": account.pk, "subject": "Map is empty", "body": "Since noon", "severity": "S2", "impact": "2"}
    assert browser.post("/portal/tickets/new/", form | changes).status_code == 302
    return Ticket.objects.get(subject=changes.get("subject", "Map is empty"))


def test_they_ask_and_see_what_is_promised_next(sanne, account):
    refused = sanne.post("/portal/tickets/new/", {"account": account.pk, "subject": "x", "body": "y"})
    assert refused.status_code == 422
    assert text(refused).count('class="err"') == 2
    found = ask(sanne, account, files=SimpleUploadedFile("log.txt", b"all gone"))
    assert (found.requester.email, found.channel, found.severity.key) == ("sanne@halden.test", "portal", "S2")
    for address in ("/portal/tickets/", f"/portal/tickets/{found.pk}/"):
        shown = text(sanne.get(address))
        assert "Map is empty" in shown
        assert "First answer due" in shown
        assert f'datetime="{timezone.localtime(found.next_due_at).isoformat()}"' in shown
    kept = Attachment.objects.get()
    assert sanne.get(f"/portal/tickets/files/{kept.pk}/").content == b"all gone"
    settings = actions.settings_row()
    settings.customers_see_deadlines = False
    settings.save()
    assert "First answer due" not in text(sanne.get("/portal/tickets/"))


def test_notes_and_tickets_of_others_are_never_shown(sanne, account):
    found = ask(sanne, account)
    worker = agent()
    note = actions.note(found, "SECRET-NOTE", actor=worker, at=timezone.now())
    actions.reply(found, "We look into it", actor=worker, at=timezone.now())
    colleague = create_contact(account, name="Other", email="other@halden.test", actor=None, at=timezone.now())
    others = [
        actions.open_ticket(at, subject="SECRET-TICKET", channel="email", requester=who, actor=None, at=timezone.now())
        for at, who in ((account, colleague), (AccountFactory(), None))
    ]
    shown = text(sanne.get(f"/portal/tickets/{found.pk}/")) + text(sanne.get("/portal/tickets/"))
    assert "We look into it" in shown
    assert "SECRET" not in shown
    secret = Attachment.objects.create(
        message=note, name="x.txt", content_type="text/plain", size=1, sha256="0", created_at=timezone.now()
    )
    assert sanne.get(f"/portal/tickets/files/{secret.pk}/").status_code == 404
    for other in others:
        assert sanne.get(f"/portal/tickets/{other.pk}/").status_code == 404
        for verb in ("answer", "close", "reopen", "rate"):
            assert sanne.post(f"/portal/tickets/{other.pk}/{verb}/", {"answer-body": "x"}).status_code == 404


def test_they_are_answered_agree_rate_and_open_it_again(sanne, account):
    found = ask(sanne, account)
    address = f"/portal/tickets/{found.pk}/"
    actions.reply(found, "Try again", actor=agent(), at=timezone.now(), status="waiting_customer")
    assert "Waiting for you" in text(sanne.get(address))
    assert sanne.post(address + "answer/", {"answer-body": " "}).status_code == 422
    sanne.post(address + "answer/", {"answer-body": "Still empty"})
    found.refresh_from_db()
    assert found.status == "open"
    actions.resolve(found, actor=agent(), at=timezone.now())
    assert sanne.post(address + "rate/", {"rating-score": "9"}).status_code == 422
    sanne.post(address + "rate/", {"rating-score": "4", "rating-comment": "Quick"})
    sanne.post(address + "close/")
    found.refresh_from_db()
    assert (found.status, found.confirmed_by_customer, found.csat_score) == ("closed", True, 4)
    assert "You gave 4 of 5" in text(sanne.get(address))
    assert "Map is empty" in text(sanne.get("/portal/tickets/?done=1"))
    sanne.post(address + "reopen/")
    found.refresh_from_db()
    assert (found.status, found.reopened_count) == ("open", 1)


def test_one_that_was_merged_is_answered_where_it_goes_on(sanne, account):
    first, second = ask(sanne, account), ask(sanne, account, subject="Again")
    actions.merge(second, first, actor=agent(), at=timezone.now() + timedelta(seconds=1))
    address = f"/portal/tickets/{second.pk}/"
    shown = text(sanne.get(address))
    assert re.search(rf'href="/portal/tickets/{first.pk}/">This request goes on', shown)
    assert sanne.post(address + "answer/", {"answer-body": "Hello"}).status_code == 422
    sanne.post(address + "reopen/")
    second.refresh_from_db()
    assert second.status == "cancelled"
