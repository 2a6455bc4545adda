"""What administrators do with an endpoint at work: pause it, send again, change its secret or address, test it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from accounts.actions import update_account
from accounts.models import AuditEntry
from tests.factories import AT
from tests.webhooks.receiver import receiver
from tests.webhooks.world import happen, sent
from webhooks import delivery as delivering
from webhooks.actions import (
    change_endpoint,
    pause_endpoint,
    replay,
    replay_failed,
    resume_endpoint,
    rotate_secret,
    send_test,
)
from webhooks.collecting import collect
from webhooks.delivery import LEASE, deliver_due
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def test_a_paused_endpoint_hears_nothing_and_resumes_with_or_without_what_it_missed(endpoint, there, admin):
    happen(admin, "Before")
    collect(at=AT)
    pause_endpoint(endpoint, actor=admin, at=AT)
    happen(admin, "Meanwhile")
    assert not any(sent().values())
    resume_endpoint(endpoint, catch_up=True, actor=admin, at=AT)
    assert sent()["delivered"] == 2
    pause_endpoint(endpoint, actor=admin, at=AT)
    happen(admin, "Missed")
    resume_endpoint(endpoint, catch_up=False, actor=admin, at=AT)
    happen(admin, "After")
    assert sent()["delivered"] == 1
    assert [got.json["data"]["account"]["name"] for got in there.received] == ["Before", "Meanwhile", "After"]


def test_a_replay_sends_the_same_message_with_a_new_round_of_attempts(endpoint, there, admin):
    happen(admin)
    sent()
    there.answers = [500]
    assert replay(Delivery.objects.get(), actor=admin, at=AT + HOUR)
    assert deliver_due(now=AT + HOUR)["failed"] == 1
    first, second = there.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    row = Delivery.objects.get()
    assert (row.delivered_at, row.attempts, row.tries.count()) == (None, 1, 2)
    assert AuditEntry.objects.filter(action="webhook.replayed").count() == 1


def test_a_delivery_that_a_worker_has_is_not_replayed(endpoint, there, admin):
    happen(admin)
    collect(at=AT)
    delivering.claim(at=AT)
    assert not replay(Delivery.objects.get(), actor=admin, at=AT + SECOND)
    assert replay(Delivery.objects.get(), actor=admin, at=AT + LEASE)


def test_what_was_given_up_since_a_moment_is_sent_again(endpoint, there, admin):
    for number in range(3):
        happen(admin, f"Account {number}")
    collect(at=AT)
    old, new, fine = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=old.pk).update(failed_at=AT - HOUR)
    Delivery.objects.filter(pk=new.pk).update(failed_at=AT, attempts=10)
    Delivery.objects.filter(pk=fine.pk).update(delivered_at=AT)
    assert replay_failed(endpoint, since=AT, actor=admin, at=AT + HOUR) == 1
    assert deliver_due(now=AT + HOUR)["delivered"] == 1
    assert replay_failed(endpoint, since=AT, actor=admin, at=AT + HOUR) == 0


def test_both_secrets_sign_for_a_day_and_then_the_new_one_alone(endpoint, there, admin):
    old = endpoint.secret
    _endpoint, new = rotate_secret(endpoint, actor=admin, at=AT)
    day = timedelta(days=1)
    for number, at in enumerate((AT, AT + day - SECOND, AT + day)):
        happen(admin, f"Account {number}", at=at)
        sent(at)
    assert [(got.is_signed_with(new), got.is_signed_with(old)) for got in there.received] == [
        (True, True), (True, True), (True, False),
    ]  # fmt: skip


def test_a_test_sends_the_last_real_event_by_the_way_of_every_event(endpoint, there, admin):
    account = happen(admin)
    update_account(account, actor=admin, at=AT, industry="Mining")
    happen(admin, "Newest")
    sent()
    there.received.clear()
    send_test(endpoint, "account.created", actor=admin, at=AT + HOUR)
    assert deliver_due(now=AT + HOUR)["delivered"] == 1
    (got,) = there.received
    real = Event.objects.filter(type="account.created", entry__isnull=False).order_by("-entry").first()
    assert got.json == json.loads(real.body)
    assert got.json["data"]["account"]["name"] == "Newest"
    assert got.headers["webhook-id"] != str(real.pk)
    assert got.is_signed_with(endpoint.secret)


def test_a_test_reaches_a_paused_endpoint_is_not_tried_again_and_is_held_against_nobody(endpoint, there, admin):
    happen(admin)
    pause_endpoint(endpoint, actor=admin, at=AT)
    there.answers = [500]
    tested = send_test(endpoint, "account.created", actor=admin, at=AT)
    assert deliver_due(now=AT)["given_up"] == 1
    tested.refresh_from_db()
    assert (tested.failed_at, tested.last_error) == (AT, "Answered 500.")
    assert Endpoint.objects.get().failures == 0


def test_what_waits_goes_to_the_new_address(endpoint, there, admin):
    happen(admin)
    collect(at=AT)
    with receiver() as other:
        change_endpoint(endpoint, url=other.url, actor=admin, at=AT)
        assert deliver_due(now=AT)["delivered"] == 1
        assert len(other.received) == 1
    assert there.received == []
