"""The tasks: what each does, when one is asked for, and what happens without a broker."""

import datetime as dt

import pytest
from django.db import transaction

from accounts.models import ExternalId
from tests.usage.world import counts, event, make_account, post, post_metrics
from usage import tasks
from usage.actions import define_metric
from usage.models import IngestReceipt, MetricValue, UsageEvent


def now():
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def sent(monkeypatch):
    """The messages that would have gone to the broker."""
    found = []
    monkeypatch.setattr(tasks, "_nudged", {})
    for task in (tasks.drain, tasks.rebuild):
        monkeypatch.setattr(task, "apply_async", lambda *a, task=task, **options: found.append((task.name, options)))
    return found


@pytest.mark.django_db
def test_the_drain_settles_events_and_parked_values():
    define_metric("nps", name="NPS", at=now())
    _, events = post([event(0, account="late", at=now())], now=now())
    _, values = post_metrics([{"account": "late", "metric": "nps", "on": "2026-01-01", "value": 1}], now=now())
    tasks.drain.run()
    assert (counts(events)["parked"], counts(values)["parked"]) == (1, 1)

    ExternalId.objects.create(account=make_account(), source="crm", external_id="late")
    assert tasks.drain.run() == {"taken": 1, "accepted": 1, "replayed": 1}
    assert (UsageEvent.objects.count(), MetricValue.objects.count()) == (1, 1)
    assert [receipt.state for receipt in IngestReceipt.objects.all()] == ["done", "done"]
    assert tasks.drain.run() == {"taken": 0, "accepted": 0, "replayed": 0}


@pytest.mark.django_db
def test_the_windows_are_kept_and_rebuilding_needs_no_argument():
    make_account(external_id="A-1")
    post([event(0, at=now())], now=now())
    tasks.drain.run()

    assert tasks.keep_within_window.run() == {"partitions": 0, "days": 0, "parked": 0, "receipts": 0}
    assert tasks.rebuild.run() == 1


@pytest.mark.django_db(transaction=True)
def test_a_nudge_goes_out_after_the_commit_and_at_most_once_a_second(sent):
    with transaction.atomic():
        tasks.nudge()
        tasks.nudge()
        assert sent == []
    assert sent == [("usage.drain", {"retry": False, "expires": 60})]
    tasks.nudge()
    assert len(sent) == 1


@pytest.mark.django_db(transaction=True)
def test_a_batch_rolled_back_asks_for_nothing(sent):
    with pytest.raises(RuntimeError), transaction.atomic():
        tasks.nudge()
        raise RuntimeError
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_does_not_fail_the_request(sent, monkeypatch, caplog):
    def away(*args, **options):
        raise OSError("no route")

    monkeypatch.setattr(tasks.drain, "apply_async", away)
    tasks.nudge()
    assert "the broker did not take usage.drain" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_change_of_the_key_features_asks_for_a_rebuild(sent):
    tasks.rebuild_on_commit()
    assert [name for name, _ in sent] == ["usage.rebuild"]
