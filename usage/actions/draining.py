"""The drain: what lies in the inbox becomes stored events, daily rows and settled receipts.

One transaction takes a share of the inbox, stores each event once, folds only the rows really stored into
``AccountDay`` and settles the receipts. A process killed at any point leaves either all of it or nothing.
An advisory lock lets one drain a tenant work at a time; posts go on meanwhile.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from psycopg import errors

from accounts.actions.changes import mark_changed
from accounts.models import Workspace
from usage.actions.features import discover_features
from usage.actions.parking import release_parked
from usage.fold import FOLD, MEANINGS, MOBILE, RESOLVED
from usage.partitions import ensure_partitions, window_floor

SHARE = 100_000
# Up to here single index look-ups win; above, the planner's guesses about CTEs are kept from nested loops.
SMALL = 500
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain did, in events; ``busy`` when another drain had the tenant."""

    taken: int = 0
    accepted: int = 0
    duplicates: int = 0
    parked: int = 0
    rejected: int = 0
    busy: bool = False

    def plus(self, other: Drained) -> Drained:
        return Drained(
            self.taken + other.taken,
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.parked + other.parked,
            self.rejected + other.rejected,
            other.busy,
        )


# Whether a signal is new, or these events are older than its first.
UNTOLD = "NOT EXISTS (SELECT FROM usage_signal WHERE kind = '{0}' AND first_at <= (SELECT min(at) FROM events))"

# All of it, or a share of a long queue: finding the share costs a third of the whole drain.
SHARE_ONLY = "WHERE ctid IN (SELECT ctid FROM usage_inbox LIMIT %(share)s)"

DRAIN = f"""
WITH taken AS (
    DELETE FROM usage_inbox {{share_only}}
    RETURNING receipt_id, source, external_id, account, app_user, event, at, quantity, properties
),
refs AS (SELECT DISTINCT source, account FROM taken),
{RESOLVED},
placed AS MATERIALIZED (
    SELECT t.*, r.account_id, r.account_id IS NULL AS unknown,
        t.at < %(floor)s AND date_trunc('month', t.at AT TIME ZONE 'UTC')::date NOT IN (
            SELECT month FROM usage_historymonth) AS late
    FROM taken t JOIN resolved r ON r.source = t.source AND r.account = t.account
),
parked AS (
    INSERT INTO usage_parkedevent
        (receipt_id, source, external_id, account, app_user, event, at, quantity, properties)
    SELECT receipt_id, source, external_id, account, app_user, event, at, quantity, properties
    FROM placed WHERE unknown AND NOT late
),
named AS (
    SELECT account_id, app_user, min(at) AS first_at FROM placed
    WHERE app_user IS NOT NULL AND NOT unknown AND NOT late GROUP BY 1, 2
),
known AS (
    SELECT n.account_id, n.app_user, n.first_at, u.ordinal FROM named n
    LEFT JOIN usage_appuser u ON u.account_id = n.account_id AND u.external_id = n.app_user
),
newcomers AS (
    INSERT INTO usage_appuser (account_id, external_id, ordinal, first_seen_at)
    SELECT k.account_id, k.app_user,
        (SELECT coalesce(max(u.ordinal), -1) FROM usage_appuser u WHERE u.account_id = k.account_id)
            + row_number() OVER (PARTITION BY k.account_id ORDER BY k.first_at, k.app_user),
        k.first_at
    FROM known k WHERE k.ordinal IS NULL
    RETURNING account_id, external_id, ordinal
),
users AS (
    SELECT account_id, app_user, ordinal FROM known WHERE ordinal IS NOT NULL
    UNION ALL SELECT account_id, external_id, ordinal FROM newcomers
),
ready AS MATERIALIZED (
    SELECT DISTINCT ON (p.at, p.event_key)
        p.at, p.event_key, p.receipt_id, p.account_id, u.ordinal, p.event, p.quantity, p.properties,
        {MOBILE} AS mobile
    FROM (
        SELECT *, md5(source || chr(31) || external_id)::uuid AS event_key
        FROM placed WHERE NOT unknown AND NOT late
    ) p
    LEFT JOIN users u ON u.account_id = p.account_id AND u.app_user = p.app_user
    ORDER BY p.at, p.event_key, p.receipt_id
),
events AS (
    INSERT INTO usage_event (at, event_key, account_id, ordinal, event, quantity, mobile, properties)
    SELECT at, event_key, account_id, ordinal, event, quantity, mobile, properties FROM ready
    ON CONFLICT DO NOTHING
    RETURNING at, event_key, account_id, ordinal, event, quantity, mobile, properties
),
{MEANINGS},
folded AS ({FOLD}),
signals AS (
    INSERT INTO usage_signal (kind, first_at)
    SELECT kind, first_at FROM (
        SELECT 'mobile' AS kind, min(at) AS first_at FROM events JOIN meanings USING (event)
        WHERE (mobile OR is_mobile) AND {UNTOLD.format("mobile")}
        UNION ALL
        SELECT 'login', min(at) FROM events JOIN meanings USING (event) WHERE is_login AND {UNTOLD.format("login")}
    ) AS told WHERE first_at IS NOT NULL
    ON CONFLICT (kind) DO UPDATE SET first_at = least(usage_signal.first_at, excluded.first_at)
),
arrived AS (
    SELECT receipt_id, count(*) AS taken, count(*) FILTER (WHERE unknown AND NOT late) AS parked,
        count(*) FILTER (WHERE late) AS late
    FROM placed GROUP BY receipt_id
),
stored AS (
    SELECT receipt_id, count(*) AS accepted FROM ready JOIN events USING (at, event_key) GROUP BY receipt_id
),
counts AS (
    SELECT a.receipt_id, a.taken, a.parked, a.late, coalesce(s.accepted, 0) AS accepted,
        a.taken - a.parked - a.late - coalesce(s.accepted, 0) AS duplicates
    FROM arrived a LEFT JOIN stored s USING (receipt_id)
),
settled AS (
    UPDATE usage_ingestreceipt r SET
        accepted = r.accepted + c.accepted, duplicates = r.duplicates + c.duplicates,
        parked = r.parked + c.parked, rejected = r.rejected + c.late,
        done_at = CASE WHEN r.accepted + r.duplicates + r.parked + r.rejected + c.taken = r.received
            THEN %(at)s END
    FROM counts c WHERE r.id = c.receipt_id
)
SELECT coalesce(sum(taken), 0), coalesce(sum(accepted), 0), coalesce(sum(duplicates), 0), coalesce(sum(parked), 0),
    coalesce(sum(late), 0), (SELECT array_agg(DISTINCT account_id) FROM folded)
FROM counts
"""


def drain(*, at: dt.datetime, share: int = SHARE) -> Drained:
    """Empty the inbox in shares of ``share`` events, after putting back parked ones whose account appeared.

    Safe to run as often as you like and from several processes at once. About 10 µs of database time an event.
    """
    release_parked()
    total = Drained()
    while True:
        one = _drain_share(at=at, share=share)
        total = total.plus(one)
        if one.busy or one.taken < share:
            return total


def _drain_share(*, at: dt.datetime, share: int) -> Drained:
    for attempt in range(ATTEMPTS):
        months = _months_waiting()
        if not months:
            return Drained()
        ensure_partitions(months)
        try:
            return _take_share(at=at, share=share)
        except IntegrityError as error:
            # RACE: a batch of yet another month was committed after the partitions were made.
            if attempt == ATTEMPTS - 1 or not isinstance(error.__cause__, errors.CheckViolation):
                raise
    raise AssertionError("the loop returns or raises")


def _take_share(*, at: dt.datetime, share: int) -> Drained:
    with transaction.atomic():
        if not take_lock():
            return Drained(busy=True)
        waiting = _waiting(share)
        if not waiting:
            return Drained()
        discover_features(at=at)
        drained, accounts = _run(at=at, share=share, waiting=waiting)
        mark_changed(accounts, at=at)
    return drained


def take_lock() -> bool:
    """Whether this transaction may fold this tenant's events; held until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ':usage.fold', 0))")
        return bool(cursor.fetchone()[0])


def _months_waiting() -> list[dt.date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC')::date FROM usage_inbox")
        return [month for (month,) in cursor.fetchall()]


def _waiting(share: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM usage_inbox LIMIT %s) AS waiting", [share])
        return int(cursor.fetchone()[0])


def _run(*, at: dt.datetime, share: int, waiting: int) -> tuple[Drained, list[UUID]]:
    zone = Workspace.objects.values_list("timezone", flat=True).get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
            " set_config('enable_nestloop', %s, true), set_config('max_parallel_workers_per_gather', '0', true)",
            ["on" if waiting <= SMALL else "off"],
        )
        statement = DRAIN.format(share_only=SHARE_ONLY if waiting == share else "")
        cursor.execute(statement, {"share": share, "floor": window_floor(at), "zone": zone, "at": at})
        taken, accepted, duplicates, parked, late, accounts = cursor.fetchone()
        cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")
    return Drained(int(taken), int(accepted), int(duplicates), int(parked), int(late)), accounts or []
