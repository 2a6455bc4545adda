"""Writes a run's scores in a constant number of statements: crossings, history, current state, portfolio sums.

The rows are staged in a temporary table that belongs to the connection, not to a tenant, and empties itself
on commit. Call inside the transaction that holds the tenant's health lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from health.actions.binary import HEAD, TAIL
from health.actions.scoring import STAGE_COLUMNS
from health.conditions import HEALTH_BAND, HEALTH_CHANGE, HEALTH_SCORE
from health.queries.events import BAND_WORSENED

_STAGE = "tenure_health_stage"
_CREATE_STAGE = f"""CREATE TEMP TABLE IF NOT EXISTS {_STAGE} (
    account_id uuid, version_id uuid, scorecard_key text, score numeric(9,6), shown numeric(4,1), band text,
    band_rank smallint, rag text, coverage_pct numeric(5,2), values text[], observed_at timestamptz[],
    sources text[], states text, levels smallint[], points int[], dimensions int[], red_flags text[]
) ON COMMIT DELETE ROWS"""
_STAGED = ", ".join(f"s.{name.strip()}" for name in STAGE_COLUMNS.split(","))
_REPLACED = ", ".join(
    f"{name.strip()} = EXCLUDED.{name.strip()}" for name in STAGE_COLUMNS.split(",") if name.strip() != "account_id"
)

# A crossing needs a band before and after, of one version: a new version moves edges, not customers.
_CROSSINGS = f"""INSERT INTO health_bandchange
    (account_id, version_id, old_band, new_band, old_score, new_score, is_worse, changed_at)
SELECT s.account_id, s.version_id, h.last_band, s.band, COALESCE(h.score, h.previous_score), s.score,
    s.band_rank > h.last_rank, %(at)s
FROM {_STAGE} s JOIN health_accounthealth h USING (account_id)
WHERE h.computed_at <= %(at)s AND h.version_id = s.version_id AND s.band <> '' AND h.last_band NOT IN ('', s.band)"""

_HISTORY = f"""INSERT INTO health_healthscore ({STAGE_COLUMNS}, computed_at, computed_on)
SELECT {_STAGED}, %(at)s, %(on)s
FROM {_STAGE} s LEFT JOIN health_accounthealth h USING (account_id)
WHERE h.account_id IS NULL OR h.computed_at <= %(at)s AND (
    (h.version_id, h.score, h.band, h.coverage_pct) IS DISTINCT FROM (s.version_id, s.score, s.band, s.coverage_pct)
    OR h.points IS DISTINCT FROM s.points OR h.levels IS DISTINCT FROM s.levels
    OR date_trunc('month', h.computed_on) <> date_trunc('month', %(on)s::date))
ON CONFLICT (account_id, computed_on) DO UPDATE SET {_REPLACED}, computed_at = EXCLUDED.computed_at"""

_CURRENT = f"""INSERT INTO health_accounthealth AS h ({STAGE_COLUMNS}, computed_at, computed_on, band_since_on,
    last_band, last_rank, previous_band, score_30d, band_30d, change_30d, current_band, current_rag)
SELECT {_STAGED}, %(at)s, %(on)s, %(on)s, s.band, s.band_rank, '', b.score, COALESCE(b.band, ''),
    s.score - b.score, s.band, s.rag
FROM {_STAGE} s LEFT JOIN LATERAL (
    SELECT score, band, scorecard_key FROM health_healthscore p
    WHERE p.account_id = s.account_id AND p.computed_on <= %(before)s ORDER BY p.computed_on DESC LIMIT 1
) b ON b.scorecard_key = s.scorecard_key
ON CONFLICT (account_id) DO UPDATE SET {_REPLACED},
    computed_at = EXCLUDED.computed_at, computed_on = EXCLUDED.computed_on,
    band_since_on = CASE WHEN h.band = EXCLUDED.band THEN h.band_since_on ELSE EXCLUDED.computed_on END,
    last_band = CASE WHEN EXCLUDED.band <> '' THEN EXCLUDED.band
        WHEN h.scorecard_key = EXCLUDED.scorecard_key THEN h.last_band ELSE '' END,
    last_rank = CASE WHEN EXCLUDED.band <> '' THEN EXCLUDED.band_rank
        WHEN h.scorecard_key = EXCLUDED.scorecard_key THEN h.last_rank END,
    worsened_at = CASE WHEN h.version_id = EXCLUDED.version_id AND EXCLUDED.band_rank > h.last_rank
        THEN EXCLUDED.computed_at WHEN h.scorecard_key = EXCLUDED.scorecard_key THEN h.worsened_at END,
    previous_score = CASE WHEN h.scorecard_key <> EXCLUDED.scorecard_key THEN NULL
        WHEN h.score IS DISTINCT FROM EXCLUDED.score THEN h.score ELSE h.previous_score END,
    previous_band = CASE WHEN h.scorecard_key <> EXCLUDED.scorecard_key THEN ''
        WHEN h.score IS DISTINCT FROM EXCLUDED.score THEN h.band ELSE h.previous_band END,
    previous_at = CASE WHEN h.scorecard_key <> EXCLUDED.scorecard_key THEN NULL
        WHEN h.score IS DISTINCT FROM EXCLUDED.score THEN h.computed_at ELSE h.previous_at END,
    score_30d = EXCLUDED.score_30d, band_30d = EXCLUDED.band_30d, change_30d = EXCLUDED.change_30d,
    current_band = CASE WHEN h.override_id IS NULL THEN EXCLUDED.band ELSE h.current_band END,
    current_rag = CASE WHEN h.override_id IS NULL THEN EXCLUDED.rag ELSE h.current_rag END
WHERE h.computed_at <= EXCLUDED.computed_at"""
# What triggers ask of the run's own results; the rest comes back empty, which costs nothing to read.
_TELL = {
    HEALTH_SCORE: "h.score",
    HEALTH_BAND: "NULLIF(h.current_band, '')",
    "rag": "h.current_rag",
    HEALTH_CHANGE: "h.change_30d",
    BAND_WORSENED: "h.worsened_at",
    "since": "h.band_since_on",
}


class Current(NamedTuple):
    """Where an account stands after the run, as triggers see it; band and colour are the override's if one stands.

    What no trigger asks for is None.
    """

    account_id: UUID
    score: Decimal | None
    band: str | None
    rag: str | None
    change_30d: Decimal | None
    worsened_at: datetime | None
    band_since_on: date | None


class Stored(NamedTuple):
    """What a run wrote. ``accounts`` leaves out those whose stored score is newer than the run."""

    accounts: int
    current: list[Current]
    crossings: int
    history: int


def store(rows: Iterable[bytes], *, at: datetime, on: date, tell: frozenset[str]) -> Stored:
    """Write staged scores: six statements, whatever the number of accounts. ``tell`` is what triggers ask for."""
    parameters = {"at": at, "on": on, "before": on - timedelta(days=30)}
    with connection.cursor() as cursor:
        cursor.execute(_CREATE_STAGE)
        cursor.execute(f"DELETE FROM {_STAGE}")
        with cursor.copy(f"COPY {_STAGE} ({STAGE_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(b"".join((HEAD, *rows, TAIL)))
        cursor.execute(_CROSSINGS, parameters)
        crossings = cursor.rowcount
        cursor.execute(_HISTORY, parameters)
        history = cursor.rowcount
        told = ", ".join(column if name in tell else "NULL" for name, column in _TELL.items())
        cursor.execute(f"{_CURRENT} RETURNING h.account_id, {told}" if tell else _CURRENT, parameters)
        current = [Current(*row) for row in cursor.fetchall()] if tell else []
        return Stored(cursor.rowcount, current, crossings, history)
