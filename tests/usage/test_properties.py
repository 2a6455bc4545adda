"""Whatever comes in whichever order and however often: the daily rows equal a slow count, and their rebuild."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, ExternalId, Workspace
from tests.usage.world import NOW, days, event, make_account, post, reference_days, stored_days
from usage.actions import drain, rebuild_account_days
from usage.models import AccountDay, AppUser, FeatureSlot, IngestReceipt, ParkedEvent, Signal, UsageEvent

pytestmark = pytest.mark.django_db

NAMES = (
    "login",
    "Sign-in",
    "session",
    "gps.open",
    "GPS-open",
    "work orders",
    "work_orders",
    "mobile.tap",
    "export",
    "workflow.started",
)
one_event = st.builds(
    lambda number, account, user, name, hours, quantity, platform, minutes: event(
        number, account=account, user=user, name=name, at=NOW - dt.timedelta(hours=hours), quantity=quantity,
        properties={key: value for key, value in (("platform", platform), ("minutes", minutes)) if value is not None},
    ),
    st.integers(0, 12), st.sampled_from(["A-0", "A-1", "late", "never"]),
    st.one_of(st.none(), st.integers(0, 140).map("u{}".format)), st.sampled_from(NAMES), st.integers(0, 24 * 75),
    st.integers(1, 5), st.sampled_from([None, "ios", "web"]), st.sampled_from([None, 0, 7, 12.5]),
)  # fmt: skip


def consistent(batches):
    """The same batches where an id and moment always mean the same event, as its sender promises."""
    meant = {}
    return [[meant.setdefault((one["id"], one["at"]), one) for one in batch] for batch in batches]


ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata")


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    batches=st.lists(st.lists(one_event, max_size=30), min_size=1, max_size=3),
    repeats=st.lists(st.integers(0, 3), max_size=2),
    zone=st.sampled_from(ZONES),
    share=st.sampled_from([11, 50_000]),
)
def test_daily_rows_equal_a_slow_count_and_their_rebuild(batches, repeats, zone, share):
    for model in (
        UsageEvent,
        AccountDay,
        AppUser,
        FeatureSlot,
        IngestReceipt,
        ParkedEvent,
        Signal,
        ExternalId,
        Account,
    ):
        model.objects.all().delete()
    Workspace.objects.update(timezone=zone)
    accounts = {name: make_account(name, external_id=name).pk for name in ("A-0", "A-1")}
    batches = consistent(batches)
    sent = [batches[index] for index in range(len(batches))] + [batches[index % len(batches)] for index in repeats]
    for number, batch in enumerate(sent):
        post(batch)
        drain(at=NOW, share=share)
        if number == 0:
            accounts["late"] = make_account("late", external_id="late").pk
    drain(at=NOW, share=share)

    whole = [one for batch in sent for one in batch]
    slots = dict(FeatureSlot.objects.values_list("key", "slot"))
    assert stored_days() == reference_days(whole, accounts, slots, zone)
    incremental = days()
    rebuild_account_days(dt.date(2000, 1, 1), dt.date(9998, 12, 31))
    assert days() == incremental
    for receipt in IngestReceipt.objects.all():
        assert receipt.done_at is not None
        assert receipt.received == receipt.accepted + receipt.duplicates + receipt.parked + receipt.rejected
    assert sum(IngestReceipt.objects.values_list("accepted", flat=True)) == UsageEvent.objects.count()
