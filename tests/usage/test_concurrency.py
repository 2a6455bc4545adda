"""Several posts and drains at once, and a drain that is killed: every event counts exactly once."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from tests.racing import at_once
from tests.usage.world import NOW, counts, days, event, make_account, post, post_metrics
from usage.actions import define_metric, drain, rebuild_account_days
from usage.models import AccountDay, AppUser, IngestReceipt, MetricValue, UsageEvent

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_same_batch_posted_and_drained_by_many_at_once_counts_once(tenants):
    accounts = [make_account(f"A-{n}", external_id=f"A-{n}") for n in range(5)]
    batch = [
        event(n, account=f"A-{n % 5}", user=f"u{n % 40}", name="gps", at=NOW - dt.timedelta(hours=n % 90))
        for n in range(1000)
    ]

    def post_and_drain():
        _, receipt = post(batch)
        for _ in range(3):
            drain(at=NOW, share=300)
        return receipt

    receipts = at_once(*[post_and_drain] * 4)
    drain(at=NOW)

    assert UsageEvent.objects.count() == 1000
    assert sum(row["quantity"] for row in days()) == 1000
    settled = [counts(receipt) for receipt in receipts]
    assert [one["state"] for one in settled] == ["done"] * 4
    assert (sum(one["accepted"] for one in settled), sum(one["duplicates"] for one in settled)) == (1000, 3000)
    incremental = days()
    rebuild_account_days(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    assert days() == incremental
    for account in accounts:
        numbers = sorted(AppUser.objects.filter(account_id=account.pk).values_list("ordinal", flat=True))
        assert numbers == list(range(len(numbers)))


def test_only_one_drain_works_a_workspace_and_the_other_says_so(tenants):
    from django.db import transaction

    from usage.actions.draining import take_lock

    make_account(external_id="A-1")
    post([event(0)])
    held, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            assert take_lock()
            held.set()
            release.wait(20)

    def try_it():
        held.wait(20)
        try:
            return drain(at=NOW)
        finally:
            release.set()

    _, refused = at_once(hold, try_it)
    assert (refused.busy, refused.taken) == (True, 0)
    assert drain(at=NOW).accepted == 1


def test_drains_of_two_workspaces_do_not_wait_for_each_other(tenants):
    from django.db import transaction

    from usage.actions.draining import take_lock

    with tenant_context(tenants["globex"]):
        make_account(external_id="A-1")
        post([event(0)])

    def drain_theirs():
        with tenant_context(tenants["globex"]):
            return drain(at=NOW)

    with transaction.atomic():
        assert take_lock()
        (done,) = at_once(drain_theirs)
    assert done.accepted == 1


def test_two_values_for_one_day_at_once_leave_one_current(tenants):
    make_account(external_id="A-1")
    define_metric("nps", name="NPS", at=NOW)

    def state(given):
        return lambda: post_metrics([{"account": "A-1", "metric": "nps", "on": "2026-11-20", "value": given}])

    at_once(*[state(n) for n in range(6)])
    assert MetricValue.objects.count() == 6
    assert MetricValue.objects.filter(superseded_at=None).count() == 1


def test_an_event_of_a_new_month_that_arrives_during_a_drain_is_not_lost(tenants):
    make_account(external_id="A-1")

    def many(month):
        def send():
            for n in range(20):
                post([event(f"{month}-{n}", at=dt.datetime(2026, month, 5, tzinfo=dt.UTC))])
                drain(at=NOW)

        return send

    at_once(many(2), many(5), many(8))
    drain(at=NOW)
    assert UsageEvent.objects.count() == 60


KILLED = """
import datetime as dt, sys, time
import django
django.setup()
from django.db import connection
from django_tenants.utils import tenant_context
from tenants.models import Tenant
from usage.actions import draining

def wait_to_be_killed(*args, **kwargs):
    print("there", flush=True)
    time.sleep(60)

setattr(draining, sys.argv[1], wait_to_be_killed)
connection.set_schema_to_public()
with tenant_context(Tenant.objects.get(slug="acme")):
    draining.drain(at=dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC))
"""


def database_url():
    """The address of the run's own database, for another process."""
    at = connection.settings_dict
    return f"postgresql://{quote(at['USER'])}:{quote(at['PASSWORD'])}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


# After the lock and before the statement; after the statement and before the commit.
@pytest.mark.parametrize("step", ["discover_features", "mark_changed"])
def test_a_drain_killed_in_the_middle_leaves_nothing_half_done(tenants, step):
    make_account(external_id="A-1")
    _, receipt = post([event(n, user=f"u{n % 9}") for n in range(500)])
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", KILLED, step], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database_url()},
    )  # fmt: skip
    try:
        assert process.stdout.readline().strip() == "there"
        assert not UsageEvent.objects.exists()
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        process.stdout.close()

    deadline = time.monotonic() + 20
    while drain(at=NOW).busy:  # until the server notices that its client is gone
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert counts(receipt) == {
        "state": "done", "received": 500, "accepted": 500, "duplicates": 0, "parked": 0, "rejected": 0,
    }  # fmt: skip
    assert UsageEvent.objects.count() == 500
    assert sum(AccountDay.objects.values_list("quantity", flat=True)) == 500
    assert IngestReceipt.objects.get().state == "done"
