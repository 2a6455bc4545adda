"""Deliveries to a real server on a socket: signed, tried again, given up, sent twice rather than never."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import AuditEntry
from engagement.models import Notification
from tenants.backlog import oldest_waiting
from tests.factories import AT
from tests.webhooks.receiver import receiver
from tests.webhooks.world import happen, sent
from webhooks import delivery as delivering
from webhooks import sending
from webhooks.actions import (
    create_endpoint,
    delete_endpoint,
    pause_endpoint,
)
from webhooks.choices import EndpointState
from webhooks.collecting import collect
from webhooks.delivery import LEASE, OFF_AFTER, WARN_AFTER, deliver_due
from webhooks.events import log_end
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.retention import forget_deleted
from webhooks.schedule import BREAKER, MAX_ATTEMPTS, RESTS, WAITS
from webhooks.tasks import deliver as deliver_task

pytestmark = pytest.mark.django_db
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def test_an_event_arrives_signed_with_its_id_and_what_the_api_shows(endpoint, there, admin):
    account = happen(admin)
    assert sent() == {"delivered": 1, "failed": 0, "given_up": 0}
    (got,) = there.received
    assert got.is_signed_with(endpoint.secret)
    assert got.headers["webhook-id"] == str(Event.objects.get().pk)
    assert 0 <= int(got.headers["webhook-timestamp"]) - AT.timestamp() < 30
    assert got.headers["content-type"] == "application/json"
    assert set(got.json) == {"type", "timestamp", "data"}
    assert got.json["type"] == "account.created"
    assert got.json["timestamp"] == "2026-11-24T09:00:00Z"
    assert got.json["data"]["id"] == got.json["data"]["account"]["id"] == str(account.pk)
    assert got.json["data"]["account"]["name"] == "Halden"
    row = Delivery.objects.get()
    assert (row.delivered_at, row.last_status, row.attempts) == (AT, 200, 1)
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_body, attempt.url) == (200, "ok", there.url)
    assert attempt.request_headers["webhook-id"] == got.headers["webhook-id"]
    assert sent(AT + HOUR) == {"delivered": 0, "failed": 0, "given_up": 0}


def test_a_failed_delivery_is_tried_at_each_step_of_the_schedule_and_then_given_up(endpoint, there, admin):
    there.answers = [500]
    happen(admin)
    collect(at=AT)
    at, outcomes = AT, []
    for wait in (*WAITS, None):
        outcomes.append(deliver_due(now=at))
        row = Delivery.objects.get()
        if wait is None:
            break
        assert at + wait <= row.not_before <= at + wait * 1.1
        # Neither a moment before, nor while a failing endpoint rests.
        assert not any(deliver_due(now=row.not_before - SECOND).values())
        at = max(row.not_before, Endpoint.objects.get().rests_until or row.not_before)
    assert [outcome["failed"] for outcome in outcomes] == [1] * 9 + [0]
    assert outcomes[-1]["given_up"] == 1
    assert len(there.received) == Attempt.objects.count() == MAX_ATTEMPTS
    assert len({got.headers["webhook-id"] for got in there.received}) == 1
    assert (row.failed_at, row.last_error) == (at, "Answered 500.")
    assert not any(deliver_due(now=at + timedelta(days=9)).values())


def test_a_worker_that_dies_after_sending_sends_the_same_message_again(endpoint, there, admin, monkeypatch):
    happen(admin)
    collect(at=AT)

    def die(*_arguments, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(delivering, "note", die)
        with pytest.raises(KeyboardInterrupt):
            deliver_due(now=AT)
    assert not any(deliver_due(now=AT + LEASE - SECOND).values())
    assert deliver_due(now=AT + LEASE)["delivered"] == 1
    first, second = there.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert second.is_signed_with(endpoint.secret)


def test_a_delivery_that_kills_its_workers_is_given_up(endpoint, there, admin):
    happen(admin)
    collect(at=AT)
    Delivery.objects.update(attempts=MAX_ATTEMPTS)
    assert not any(deliver_due(now=AT).values())
    assert Delivery.objects.get().failed_at == AT
    assert there.received == []


def test_410_switches_the_endpoint_off_and_tells_administrators(endpoint, there, admin):
    there.answers = [410]
    happen(admin)
    sent()
    row = Endpoint.objects.get()
    assert (row.state, row.state_reason) == (EndpointState.DISABLED, "It answered 410 Gone: it wants no more events.")
    notice = Notification.objects.get(user=admin)
    assert notice.title.startswith("Webhook was switched off")
    assert notice.url == f"/settings/webhooks/{row.pk}/"
    assert AuditEntry.objects.filter(action="webhook.state", after__state="disabled").count() == 1
    happen(admin, "Second")
    assert collect(at=AT + HOUR) == 0
    assert not any(deliver_due(now=AT + 9 * HOUR).values())


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_for_the_whole_endpoint(endpoint, there, admin, status):
    there.answers = [lambda handler: handler.plain(status, retry_after="3600"), 200]
    happen(admin)
    happen(admin, "Second")
    assert sent()["failed"] == 1
    assert len(there.received) == 1  # the second was not even tried
    waiting = Delivery.objects.get(attempts=0)
    assert waiting.lease_until is None
    assert Delivery.objects.get(attempts=1).not_before == AT + HOUR
    assert not any(deliver_due(now=AT + HOUR - SECOND).values())
    assert deliver_due(now=AT + HOUR)["delivered"] == 2


def test_redirects_are_not_followed(endpoint, there, admin):
    there.answers = [lambda handler: handler.plain(302, Location=f"{there.url}/elsewhere")]
    happen(admin)
    assert sent()["failed"] == 1
    assert [got.path for got in there.received] == ["/hook"]
    assert "not followed" in Delivery.objects.get().last_error


def test_a_long_answer_is_cut(endpoint, there, admin):
    there.answers = [lambda handler: handler.plain(200, b"x" * 1_000_000)]
    happen(admin)
    assert sent()["delivered"] == 1
    assert len(Attempt.objects.get().response_body) == sending.MOST_KEPT


def drip(handler):
    """Begins an answer and never ends its header."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _byte in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def test_an_answer_that_drips_is_cut_at_the_deadline(endpoint, there, admin, monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT_SECONDS", 0.4)
    there.answers = [drip]
    happen(admin)
    assert sent()["failed"] == 1
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error) == (None, "No answer within 15 s.")
    assert attempt.duration_ms < 4500  # all of it would take five seconds


def test_nobody_at_home_is_an_error_in_words(endpoint, there, admin):
    there.shutdown()
    there.server_close()
    happen(admin)
    assert sent()["failed"] == 1
    attempt = Attempt.objects.get()
    assert Delivery.objects.get().last_error == attempt.error == "The host refused the connection."
    assert attempt.error_detail.startswith("ConnectionRefusedError: ")


def test_one_endpoint_that_does_not_answer_delays_no_other(endpoint, there, admin, monkeypatch):
    """The other's event is in before the silent one has been given up."""
    silent, arrived = threading.Event(), threading.Event()
    there.answers = [lambda handler: silent.wait(20) and handler.plain(200)]
    with receiver() as other:
        create_endpoint(url=other.url, event_types=["account.created"], actor=admin, at=AT)
        other.answers = [lambda handler: (handler.plain(200), arrived.set())]
        threading.Thread(target=lambda: arrived.wait(20) and silent.set(), daemon=True).start()
        happen(admin)
        assert sent()["delivered"] == 2  # had the other waited, the silent one would never have answered
        assert len(other.received) == 1


def test_after_five_failures_an_endpoint_is_asked_with_one_delivery_after_a_rest(endpoint, there, admin):
    there.answers = [500]
    for number in range(8):
        happen(admin, f"Account {number}")
    assert sent()["failed"] == 8
    row = Endpoint.objects.get()
    assert row.failures == 8 > BREAKER
    assert row.rests_until == AT + RESTS[-1]
    at = row.rests_until
    assert not any(deliver_due(now=at - SECOND).values())
    assert deliver_due(now=at)["failed"] == 1
    there.answers = [200]
    at += RESTS[-1]
    assert deliver_due(now=at)["delivered"] == 1
    row.refresh_from_db()
    assert (row.failures, row.failing_since, row.rests_until, row.last_success_at) == (0, None, None, at)
    assert deliver_due(now=at + HOUR)["delivered"] == 7


@pytest.mark.parametrize(("failing", "state", "told"), [
    (WARN_AFTER - SECOND, EndpointState.ACTIVE, []),
    (WARN_AFTER, EndpointState.ACTIVE, ["Webhook fails"]),
    (OFF_AFTER - SECOND, EndpointState.ACTIVE, ["Webhook fails"]),
    (OFF_AFTER, EndpointState.DISABLED, ["Webhook was switched off"]),
])  # fmt: skip
def test_an_endpoint_that_only_fails_is_told_of_after_a_day_and_switched_off_after_five(
    endpoint, there, admin, failing, state, told
):
    there.answers = [500]
    happen(admin)
    sent()
    Endpoint.objects.update(failing_since=AT, rests_until=None)
    happen(admin, "Second", at=AT + failing)
    Delivery.objects.update(not_before=AT + timedelta(days=30))
    sent(AT + failing)
    assert Endpoint.objects.get().state == state
    titles = list(Notification.objects.filter(user=admin).values_list("title", flat=True))
    assert [title.partition(":")[0] for title in titles] == told
    # Nobody is told twice of the same days.
    happen(admin, "Third", at=AT + failing)
    sent(AT + failing + SECOND)
    assert Notification.objects.filter(user=admin, title__startswith="Webhook fails").count() <= 1


def test_a_success_in_between_begins_the_count_anew(endpoint, there, admin):
    Endpoint.objects.update(failures=30, failing_since=AT - OFF_AFTER * 2, warned_at=AT)
    happen(admin)
    sent()
    there.answers = [500]
    happen(admin, "Second")
    sent(AT + SECOND)
    row = Endpoint.objects.get()
    assert (row.state, row.failures, row.failing_since) == (EndpointState.ACTIVE, 1, AT + SECOND)


@pytest.mark.parametrize("rows", [1, 3])
def test_claiming_costs_the_same_for_one_delivery_and_three(endpoint, there, admin, rows, django_assert_num_queries):
    for number in range(rows):
        happen(admin, f"Account {number}")
    collect(at=AT)
    with django_assert_num_queries(5):  # with its savepoint
        (batch,) = delivering.claim(at=AT)
    assert len(batch) == rows


def test_one_worker_at_a_time_sends_to_an_endpoint(endpoint, there, admin):
    for number in range(4):
        happen(admin, f"Account {number}")
    collect(at=AT)
    (first,) = delivering.claim(at=AT)
    happen(admin, "Later")
    collect(at=AT)
    assert len(first) == 4
    assert delivering.claim(at=AT) == []
    assert [len(batch) for batch in delivering.claim(at=AT + LEASE)] == [5]


def test_a_slow_receiver_gives_the_worker_back_and_is_gone_on_with(endpoint, there, admin, monkeypatch):
    monkeypatch.setattr(delivering, "BATCH_SECONDS", -1.0)
    happen(admin)
    assert not any(sent().values())
    row = Delivery.objects.get()
    assert (row.attempts, row.lease_until, there.received) == (0, None, [])
    monkeypatch.undo()
    assert deliver_due(now=AT)["delivered"] == 1


def test_an_endpoint_deleted_while_it_is_sent_to_disturbs_nobody(endpoint, there, admin):
    """Its delivery arrives; the other endpoint's is noted as ever."""
    with receiver() as other:
        create_endpoint(url=other.url, event_types=["account.created"], actor=admin, at=AT)
        happen(admin)
        collect(at=AT)
        batches = delivering.claim(at=AT)
        delete_endpoint(endpoint, actor=admin, at=AT)
        outcomes = [delivering.note(letter, found, at=AT) for letter, found in delivering._sent(batches, AT)]
        assert sorted(outcomes) == ["delivered", "given_up"]
        assert (len(there.received), len(other.received)) == (1, 1)
    forget_deleted()
    assert Delivery.objects.get().delivered_at == AT


def test_an_answer_no_column_can_hold_is_kept_without_it(endpoint, there, admin):
    there.answers = [lambda handler: handler.plain(200, b"a\x00b\xff", X_Odd="a\x00b")]
    happen(admin)
    assert sent()["delivered"] == 1
    attempt = Attempt.objects.get()
    assert attempt.response_body == "ab\ufffd"
    assert attempt.response_headers["X-Odd"] == "ab"


@pytest.mark.parametrize("waits", ["nothing", "an event", "a delivery", "a delivery of a paused endpoint"])
def test_the_dispatcher_sees_what_waits(endpoint, there, admin, waits):
    if waits != "nothing":
        happen(admin)
    if "delivery" in waits:
        collect(at=AT)
    else:
        Endpoint.objects.update(position=log_end() - (waits == "an event"))
    if "paused" in waits:
        pause_endpoint(endpoint, actor=admin, at=AT)
    schema = connection.schema_name
    found = oldest_waiting(deliver_task.waiting, [schema])
    assert found == ({} if waits in {"nothing", "a delivery of a paused endpoint"} else {schema: AT})
