"""Items whose account is not known yet, and their way back when it appears."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import connection, transaction

from accounts import audit
from usage.fold import RESOLVED
from usage.models import ParkedEvent

if TYPE_CHECKING:
    from accounts.models import User

# The distinct (source, account) pairs by hopping along the index: one step a pair, not one a row.
PAIRS = """
WITH RECURSIVE pairs AS (
    (SELECT source, account FROM {table} ORDER BY source, account LIMIT 1)
    UNION ALL
    SELECT following.source, following.account FROM pairs CROSS JOIN LATERAL (
        SELECT source, account FROM {table} p WHERE (p.source, p.account) > (pairs.source, pairs.account)
        ORDER BY source, account LIMIT 1) AS following
)
"""

RELEASE = f"""
{PAIRS.format(table="usage_parkedevent")},
refs AS (SELECT source, account FROM pairs),
{RESOLVED},
released AS (
    DELETE FROM usage_parkedevent e USING resolved r
    WHERE r.account_id IS NOT NULL AND e.source = r.source AND e.account = r.account
    RETURNING e.receipt_id, e.source, e.external_id, e.account, e.app_user, e.event, e.at, e.quantity, e.properties
),
back AS (
    INSERT INTO usage_inbox (receipt_id, source, external_id, account, app_user, event, at, quantity, properties)
    SELECT * FROM released
),
counts AS (SELECT receipt_id, count(*) AS released FROM released GROUP BY receipt_id),
reopened AS (
    UPDATE usage_ingestreceipt r SET parked = r.parked - c.released, done_at = NULL
    FROM counts c WHERE r.id = c.receipt_id
)
SELECT coalesce(sum(released), 0) FROM counts
"""


@transaction.atomic
def release_parked() -> int:
    """Put parked events whose account is known by now back into the inbox; return how many. One query.

    Their receipts are pending again until the next drain counts them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM usage_parkedevent)")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(RELEASE)
        return int(cursor.fetchone()[0])


DISCARD = """
WITH gone AS (DELETE FROM {table} WHERE source = %(source)s AND account = %(account)s RETURNING receipt_id),
counts AS (SELECT receipt_id, count(*) AS n FROM gone GROUP BY 1),
settled AS (
    UPDATE usage_ingestreceipt r SET parked = r.parked - n, rejected = r.rejected + n
    FROM counts c WHERE r.id = c.receipt_id
)
SELECT coalesce(sum(n), 0) FROM counts
"""


@transaction.atomic
def discard_parked(*, source: str, account: str, actor: User | None, at: dt.datetime) -> int:
    """Throw away everything parked for an account that will never appear; its receipts count it as rejected."""
    gone = 0
    with connection.cursor() as cursor:
        for table in ("usage_parkedevent", "usage_parkedobservation"):
            cursor.execute(DISCARD.format(table=table), {"source": source, "account": account})
            gone += int(cursor.fetchone()[0])
    if gone:
        target = ParkedEvent(pk=0, source=source, account=account, event="everything")
        audit.record("usage.discarded", target, actor=actor, at=at, after={"items": gone})
    return gone
