"""What colleagues are told of a ticket: that it is theirs, that the customer wrote, that a note names them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from engagement.models import Notification, OutboxMessage
from support import actions
from support.actions.telling import mentioned
from tests.factories import UserFactory
from tests.support.world import customer, install, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return UserFactory(role="support_agent", name="Ann Lee", email="ann.lee@desk.example")


@pytest.fixture
def bob():
    return UserFactory(role="support_agent", name="Bob Stone", email="bstone@desk.example")


def titles(user):
    return list(Notification.objects.filter(user=user).order_by("created_at", "pk").values_list("title", flat=True))


def test_whoever_is_given_a_ticket_is_told_and_whoever_takes_one_is_not(ann, bob):
    found = ticket(customer(), timezone.now())
    actions.assign(found, ann, actor=ann, at=timezone.now())
    assert titles(ann) == []
    actions.assign(found, bob, actor=ann, at=timezone.now())
    actions.assign(found, bob, actor=ann, at=timezone.now())
    assert titles(bob) == [f"Yours now: {found}"]
    assert "Ann Lee gave it to you" in Notification.objects.get(user=bob).body
    many = [ticket(customer(), timezone.now()).pk for _number in range(2)]
    actions.bulk_assign(many, bob, actor=UserFactory(role="vp_cs"), at=timezone.now())
    assert titles(bob)[1:] == ["2 tickets are yours now"]


def test_the_one_who_has_it_hears_that_the_customer_wrote(ann):
    found = ticket(customer(), timezone.now(), assignee=ann)
    actions.customer_reply(found, "Any news?", contact=None, at=timezone.now())
    assert titles(ann) == [f"The customer wrote: {found}"]
    actions.customer_reply(found, "I am away", contact=None, at=timezone.now(), is_automatic=True)
    assert len(titles(ann)) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("@Ann Lee, please look", ["Ann Lee"]),
        ("@ann lee and @BSTONE: see above", ["Ann Lee", "Bob Stone"]),
        ("@bob?", ["Bob Stone"]),
        ("@ann.lee", ["Ann Lee"]),
        ("mail to x@ann.lee or x@bob", []),
        ("@annabel and @bobby", []),
        ("@Clara Berg", []),
        ("@", []),
    ],
)
def test_a_note_names_people_by_what_they_are_called(ann, bob, body, told):
    UserFactory(role="portal_user", name="Clara Berg")
    assert sorted(str(person) for person in mentioned(body, besides=None)) == told


def test_a_first_name_two_have_names_neither_and_nobody_tells_themselves(ann, bob):
    UserFactory(role="csm", name="Ann Gray", email="gray@desk.example")
    assert mentioned("@Ann", besides=None) == []
    assert mentioned("@Bob", besides=bob) == []


def test_a_mention_is_told_once_in_the_app_and_by_mail_and_stands_in_the_history(client, ann, bob):
    found = ticket(customer(), timezone.now())
    client.force_login(ann)
    page = f"/tickets/{found.pk}/"
    client.post(f"{page}reply/", {"kind": "note", "body": "@Bob @bstone can you read the log?", "seen": "1"})
    assert titles(bob) == [f"Ann Lee mentions you: {found}"]
    assert OutboxMessage.objects.filter(user=bob, kind="mention").count() == 1
    assert "for Bob Stone" in client.get(page).content.decode()
    client.post(f"{page}reply/", {"kind": "reply", "body": "@Bob reads it", "seen": "2"})
    assert len(titles(bob)) == 1


@pytest.mark.requirement("FLEET-9.1")
def test_tickets_of_24_hours_that_nobody_escalated_are_told_of_once(ann, bob):
    install("fleet")
    now = timezone.now()
    owner = UserFactory(role="csm")
    account = customer("standard", pack="fleet", owner=owner)
    old = ticket(account, now - timedelta(hours=24), assignee=ann)
    young = ticket(account, now - timedelta(hours=23, minutes=59), assignee=ann)
    waiting = ticket(account, now - timedelta(days=3), assignee=ann)
    actions.change_status(waiting, "waiting_customer", actor=ann, at=now)
    Notification.objects.all().delete()
    assert actions.tell_unescalated(at=now) == 1
    assert actions.tell_unescalated(at=now) == 0
    assert titles(ann) == titles(owner) == [f"Open for 24 hours and not escalated: {old}"]
    assert titles(bob) == []
    assert OutboxMessage.objects.filter(user=ann, kind="sla_warning").count() == 1
    second = ticket(account, now - timedelta(hours=30), assignee=ann)
    assert actions.tell_unescalated(at=now + timedelta(minutes=2)) == 2
    assert titles(ann)[1:] == ["2 tickets are open for 24 hours and not escalated"]
    told = Notification.objects.get(user=ann, title__startswith="2 tickets")
    assert str(young) in told.body
    assert str(second) in told.body


def test_where_no_methodology_asks_for_it_nobody_is_told(ann):
    ticket(customer(), timezone.now() - timedelta(days=3), assignee=ann)
    assert actions.tell_unescalated(at=timezone.now()) == 0
    assert titles(ann) == []
