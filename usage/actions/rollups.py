"""Keeping the daily rows: made anew from the events, and let go when their time is over."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Workspace
from usage.actions.draining import take_lock
from usage.fold import FOLD, MEANINGS
from usage.models import AccountDay, AppUser, HistoryMonth, IngestReceipt, MetricValue, ParkedEvent, UsageEvent
from usage.partitions import KEPT_MONTHS, drop_partition, ensure_partitions, existing_months, months_back, window_floor

KEPT_DAY_MONTHS = 25
KEPT_RECEIPT_DAYS = 90


class Busy(RuntimeError):
    """A drain is at work on this tenant; try again."""


REBUILD = f"""
WITH events AS (
    SELECT * FROM usage_event
    WHERE at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
        AND at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
),
{MEANINGS}
{FOLD}
"""


@transaction.atomic
def rebuild_account_days(first: dt.date, last: dt.date) -> int:
    """Make the daily rows from ``first`` to ``last`` anew from the stored events; return how many.

    Used after the key features or the workspace's time zone changed. Gives the very rows that draining the
    same events gave. Days whose events are no longer stored keep their rows. Raises Busy during a drain.
    """
    if not take_lock():
        raise Busy
    zone = Workspace.objects.values_list("timezone", flat=True).get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', '0', true), set_config('jit', 'off', true),"
            " set_config('work_mem', '64MB', true)"
        )
        rebuilt = 0
        for start, end in _runs_of_days(existing_months(), floor=window_floor(timezone.now()).date()):
            span = max(first, start), min(last, end)
            if span[0] <= span[1]:
                AccountDay.objects.filter(day__range=span).delete()
                cursor.execute(REBUILD, {"first": span[0], "last": span[1], "zone": zone})
                rebuilt += cursor.rowcount
    return rebuilt


def _runs_of_days(months: list[dt.date], *, floor: dt.date) -> list[tuple[dt.date, dt.date]]:
    """Stretches of days all of whose events are stored.

    Months are UTC, days the workspace's: the first day of the earliest month may begin in a month already
    dropped and is left alone; a month that simply had no event before it may own the day before.
    """
    runs: list[tuple[dt.date, dt.date]] = []
    for month in months:
        end = months_back(month, -1)
        if runs and runs[-1][1] == month:
            runs[-1] = runs[-1][0], end
        else:
            runs.append((month + dt.timedelta(days=1 if month <= floor else -1), end))
    return [(start, end - dt.timedelta(days=1)) for start, end in runs]


@transaction.atomic
def keep_within_window(*, at: dt.datetime) -> dict[str, int]:
    """Make next month's partition; let go of events after 13 months, daily rows after 25, receipts after 90 days.

    History that an import brought stays 13 months from its loading. Returns what went, by table.
    """
    floor = window_floor(at).date()
    HistoryMonth.objects.filter(loaded_at__lt=at - dt.timedelta(days=31 * KEPT_MONTHS)).delete()
    loaded = set(HistoryMonth.objects.values_list("month", flat=True))
    months = existing_months()
    expired = [month for month in months if month < floor and month not in loaded]
    for month in expired:
        drop_partition(month)
    if months:
        ensure_partitions([months_back(at.date(), 0), months_back(at.date(), -1)])
    days = AccountDay.objects.filter(day__lt=months_back(at.date(), KEPT_DAY_MONTHS))
    for month in loaded:
        days = days.exclude(day__gte=month, day__lt=months_back(month, -1))
    parked = ParkedEvent.objects.filter(at__lt=window_floor(at))
    if loaded:
        parked = parked.filter(at__lt=dt.datetime.combine(min(loaded), dt.time(), tzinfo=dt.UTC))
    receipts = IngestReceipt.objects.filter(
        created_at__lt=at - dt.timedelta(days=KEPT_RECEIPT_DAYS), parked=0, done_at__isnull=False
    )
    return {
        "partitions": len(expired),
        "days": days.delete()[0],
        "parked": parked.delete()[0],
        "receipts": receipts.delete()[0],
    }


@transaction.atomic
def forget_account(account_id: UUID) -> dict[str, int]:
    """Delete everything usage holds on an account, for an account whose data must go."""
    return {
        model._meta.label: model.objects.filter(account_id=account_id).delete()[0]
        for model in (UsageEvent, AccountDay, AppUser, MetricValue)
    }
