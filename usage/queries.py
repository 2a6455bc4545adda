"""Wide reads of usage: what was received, what waits, an account's course, its features and its figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Case, CharField, F, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from accounts.models import Account, Workspace
from accounts.observations import Observation
from usage.catalogue import DERIVED
from usage.metrics import provide
from usage.models import FeatureSlot, IngestReceipt, MetricDefinition, MetricValue

if TYPE_CHECKING:
    from accounts.models import User


def today() -> dt.date:
    """The workspace's calendar day now. One query."""
    zone = Workspace.objects.values_list("timezone", flat=True).get()
    return timezone.now().astimezone(ZoneInfo(zone)).date()


def values_shown(user: User) -> Any:
    """Metric values of accounts ``user`` may see, ``value`` as text. No query yet."""
    trimmed = Cast(F("number"), CharField())
    return MetricValue.objects.visible_to(user).annotate(
        value=Case(When(choice="", then=_plain(trimmed)), default=F("choice"), output_field=CharField())
    )


def _plain(text: Any) -> Any:
    """85.000000 as 85, 85.500000 as 85.5."""
    from django.db.models import Func

    zeros = Func(text, Value("0"), function="rtrim", output_field=CharField())
    return Func(zeros, Value("."), function="rtrim", output_field=CharField())


def figures_of(account_id: UUID, on: dt.date) -> dict[str, Observation]:
    """Every computed and stated metric of an account as of ``on``. At most nine queries."""
    keys = set(MetricDefinition.objects.values_list("key", flat=True)) | set(DERIVED)
    columns = provide([account_id], keys, on)
    return {metric: column[account_id] for metric, column in columns.items() if account_id in column}


@dataclass(frozen=True, slots=True)
class Week:
    """One week of an account's use, from its Monday."""

    starts_on: dt.date
    active_users: int
    quantity: int


# The accounts that stopped using the product show as zeros, so weeks without rows are there too.
WEEKS = """
WITH words AS (
    SELECT date_trunc('week', day)::date AS week, word, bit_or(act) AS act, sum(quantity) AS quantity
    FROM usage_accountday WHERE account_id = %(account)s AND day >= %(first)s AND day <= %(on)s
    GROUP BY 1, 2
)
SELECT s::date, coalesce(sum(bit_count(w.act::bit(64))), 0), coalesce(sum(w.quantity), 0)
FROM generate_series(%(first)s::date::timestamp, %(on)s::date::timestamp, interval '7 days') AS s
LEFT JOIN words w ON w.week = s::date
GROUP BY 1 ORDER BY 1
"""


def weeks_of(account_id: UUID, on: dt.date, *, weeks: int = 26) -> list[Week]:
    """Different users and volume of each of the last ``weeks`` weeks, the current one last. One query."""
    monday = on - dt.timedelta(days=on.weekday())
    first = monday - dt.timedelta(weeks=weeks - 1)
    with connection.cursor() as cursor:
        cursor.execute(WEEKS, {"account": account_id, "first": first, "on": on})
        return [Week(start, int(users), int(quantity)) for start, users, quantity in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """How many different users used a key feature in 30 days, and in the 30 before."""

    feature: FeatureSlot
    users: int
    before: int


def features_of(account_id: UUID, on: dt.date) -> list[FeatureUse]:
    """The use of each key feature. Two queries."""
    slots = list(FeatureSlot.objects.all())
    if not slots:
        return []
    columns = ", ".join(
        f"coalesce(sum(bit_count(k{slot.slot}::bit(64))) FILTER (WHERE {part}), 0)"
        for slot in slots
        for part in ("recent", "NOT recent")
    )
    merged = ", ".join(f"bit_or(k{slot.slot}) AS k{slot.slot}" for slot in slots)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM (SELECT day > %(on)s::date - 30 AS recent, word, {merged} FROM usage_accountday"
            " WHERE account_id = %(account)s AND day > %(on)s::date - 60 AND day <= %(on)s GROUP BY 1, 2) AS words",
            {"account": account_id, "on": on},
        )
        row = cursor.fetchone()
    return [FeatureUse(slot, int(row[2 * n]), int(row[2 * n + 1])) for n, slot in enumerate(slots)]


@dataclass(frozen=True, slots=True)
class ParkedAccount:
    """An account that senders name and nobody knows."""

    source: str
    account: str
    events: int
    values: int
    first_at: dt.datetime
    last_at: dt.datetime


def parked_accounts(limit: int = 200) -> list[ParkedAccount]:
    """Unknown accounts with what waits for them, most first. One query over everything parked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, account, sum(events), sum(told), min(first_at), max(last_at) FROM ("
            " SELECT source, account, count(*) AS events, 0 AS told, min(at) AS first_at, max(at) AS last_at"
            " FROM usage_parkedevent GROUP BY 1, 2"
            " UNION ALL SELECT source, account, 0, count(*), min(recorded_at), max(recorded_at)"
            " FROM usage_parkedobservation GROUP BY 1, 2) AS parked"
            " GROUP BY 1, 2 ORDER BY sum(events) + sum(told) DESC, 1, 2 LIMIT %s",
            [limit],
        )
        return [ParkedAccount(row[0], row[1], int(row[2]), int(row[3]), row[4], row[5]) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Feed:
    """How usage comes in: batches waiting, events stored in 24 hours, the latest event."""

    pending: int
    received_24h: int
    rejected_24h: int
    latest_at: dt.datetime | None


def feed(now: dt.datetime) -> Feed:
    """The state of the feed. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE done_at IS NULL),"
            " coalesce(sum(received) FILTER (WHERE created_at > %(since)s), 0),"
            " coalesce(sum(rejected) FILTER (WHERE created_at > %(since)s), 0),"
            " (SELECT max(last_at) FROM usage_accountday WHERE day = (SELECT max(day) FROM usage_accountday))"
            " FROM usage_ingestreceipt WHERE created_at > %(since)s OR done_at IS NULL",
            {"since": now - dt.timedelta(hours=24)},
        )
        return Feed(*cursor.fetchone())


def receipts() -> Any:
    """Receipts as rows for a keyset page, newest first. No query yet."""
    return IngestReceipt.objects.values(
        "pk", "kind", "source", "received", "accepted", "duplicates", "parked", "rejected", "created_at", "done_at"
    )


@dataclass(frozen=True, slots=True)
class StatedMetric:
    """A metric that may be stated, and its current value for an account."""

    definition: MetricDefinition
    seen: Observation | None

    @property
    def shown(self) -> str:
        """The value as a person reads it: an option's name, or the number."""
        if self.seen is None:
            return ""
        names = {option["key"]: option["name"] for option in self.definition.options}
        return names.get(str(self.seen.value), f"{self.seen.value}")


def metrics_of(account_id: UUID, on: dt.date) -> list[StatedMetric]:
    """Every defined metric with the account's value as of ``on``, computed ones included, by name. Nine queries."""
    definitions: Sequence[MetricDefinition] = list(MetricDefinition.objects.all())
    columns = provide([account_id], {one.key for one in definitions}, on)
    return [StatedMetric(one, columns.get(one.key, {}).get(account_id)) for one in definitions]


def history_of(account: Account, metric: str, limit: int = 200) -> list[MetricValue]:
    """Every value of a metric ever given for an account, newest day first, replaced ones after their successor."""
    rows = MetricValue.objects.filter(account=account, metric=metric).select_related("recorded_by")
    return list(rows.order_by("-on", "-recorded_at", "-id")[:limit])
