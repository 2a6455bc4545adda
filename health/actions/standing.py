"""Keeps the portfolio's memory: how each account stood on each day, and the sums of the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db import connection

from health.models.portfolio import LASTING
from health.queries.inputs import LIVE_ON

_STATE = (
    "owner_id, tier_id, segment, scorecard_key, currency, arr, renewal_on, band, rag, score, coverage_pct, is_stale"
)
_OF_STANDING = ", ".join(f"s.{name.strip()}" for name in _STATE.split(","))
_OF_NOW = ", ".join(f"n.{name.strip()}" for name in _STATE.split(","))
_REPLACED = ", ".join(f"{name.strip()} = EXCLUDED.{name.strip()}" for name in _STATE.split(","))

# ARR of the day from the contracts in force on it; an account without any contract keeps its own figure, as it keeps
# its own day of renewal. The four statements see the same rows and touch different ones, so they are one.
_KEEP = f"""WITH now AS MATERIALIZED (
    SELECT a.id AS account_id, a.owner_id, a.tier_id, a.segment, COALESCE(h.scorecard_key, '') AS scorecard_key,
        a.currency, CASE WHEN c.account_id IS NULL THEN a.arr ELSE c.arr END AS arr,
        CASE WHEN c.account_id IS NULL THEN a.renewal_on ELSE c.renewal_on END AS renewal_on,
        COALESCE(h.current_band, '') AS band, COALESCE(h.current_rag, 'none') AS rag, h.score, h.coverage_pct,
        COALESCE(position('s' IN h.states) > 0, false) AS is_stale
    FROM accounts_account a
    LEFT JOIN health_accounthealth h ON h.account_id = a.id
    LEFT JOIN (
        SELECT account_id, COALESCE(sum(arr) FILTER (
            WHERE start_on <= %(on)s AND (end_on IS NULL OR end_on >= %(on)s)), 0) AS arr,
            min(end_on) FILTER (WHERE start_on <= %(on)s AND end_on >= %(on)s) AS renewal_on
        FROM accounts_contract WHERE status <> 'draft' AND {{which_account}} GROUP BY account_id
    ) c ON c.account_id = a.id
    WHERE {LIVE_ON} AND {{which}}
), ended AS (
    UPDATE health_standing s SET until_on = %(on)s
    WHERE s.until_on = %(lasting)s AND s.from_on < %(on)s AND {{which_standing}} AND NOT EXISTS (
        SELECT FROM now n WHERE n.account_id = s.account_id
            AND ({_OF_NOW}) IS NOT DISTINCT FROM ({_OF_STANDING}))
    RETURNING 1
), gone AS (
    DELETE FROM health_standing s
    WHERE s.until_on = %(lasting)s AND s.from_on = %(on)s AND {{which_standing}}
        AND NOT EXISTS (SELECT FROM now n WHERE n.account_id = s.account_id)
    RETURNING 1
), begun AS (
    INSERT INTO health_standing (account_id, from_on, until_on, {_STATE})
    SELECT n.account_id, %(on)s, %(lasting)s, {_OF_NOW} FROM now n
    WHERE NOT EXISTS (
        SELECT FROM health_standing s WHERE s.account_id = n.account_id AND s.until_on > %(on)s
            AND (s.from_on > %(on)s OR s.until_on < %(lasting)s
                OR ({_OF_NOW}) IS NOT DISTINCT FROM ({_OF_STANDING})))
    ON CONFLICT (account_id, from_on) DO UPDATE SET until_on = EXCLUDED.until_on, {_REPLACED}
    RETURNING 1
)
SELECT (SELECT count(*) FROM ended) + (SELECT count(*) FROM gone) + (SELECT count(*) FROM begun)"""

_SUM = """INSERT INTO health_portfolioday
    (day, owner_id, tier_id, segment, scorecard_key, currency, band, rag, accounts, scored, arr, total)
SELECT %(on)s, owner_id, tier_id, segment, scorecard_key, currency, band, rag, count(*), count(score), sum(arr),
    COALESCE(sum(score), 0)
FROM health_standing WHERE from_on <= %(on)s AND until_on > %(on)s
GROUP BY owner_id, tier_id, segment, scorecard_key, currency, band, rag"""


def keep_standings(on: date, account_ids: Sequence[UUID] | None = None) -> int:
    """Note how accounts stand on ``on``, all of them or those of ``account_ids``; how many had changed.

    Days come in order: what is known of ``on`` and of later days stays. One statement.
    """
    everyone = account_ids is None
    sql = _KEEP.format(
        which="true" if everyone else "a.id = ANY(%(ids)s)",
        which_account="true" if everyone else "account_id = ANY(%(ids)s)",
        which_standing="true" if everyone else "s.account_id = ANY(%(ids)s)",
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"on": on, "lasting": LASTING, "ids": list(account_ids or [])})
        return cursor.fetchone()[0]


def sum_day(on: date) -> None:
    """Replace the portfolio's sums of ``on`` by those of its standings. Two statements."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM health_portfolioday WHERE day = %(on)s", {"on": on})
        cursor.execute(_SUM, {"on": on})
