"""Who is in which segment: found in one statement for all segments, with the history of entries and exits."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection

from accounts.models import Account
from health.models import Segment
from health.queries.segments import matcher_for
from health.segments.matching import Matcher
from health.segments.rules import Rule

# Rows that go, rows that come and the moment of the run: parts of one statement, so a run is whole or nothing.
_EVALUATE = """
WITH matching (segment_id, account_id) AS ({matching}),
gone AS (
    UPDATE health_segmentmember s SET left_at = greatest(%s, s.entered_at)
    WHERE s.left_at IS NULL AND s.segment_id = ANY(%s) {only_members}
        AND NOT EXISTS (SELECT FROM matching m WHERE m.segment_id = s.segment_id AND m.account_id = s.account_id)
    RETURNING 1
),
come AS (
    INSERT INTO health_segmentmember (segment_id, account_id, entered_at)
    SELECT m.segment_id, m.account_id, %s FROM matching m WHERE NOT EXISTS (
        SELECT FROM health_segmentmember s
        WHERE s.left_at IS NULL AND s.segment_id = m.segment_id AND s.account_id = m.account_id)
    RETURNING 1
),
seen AS (UPDATE health_segment SET evaluated_at = %s WHERE id = ANY(%s))
SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone)
"""
_NOBODY = "SELECT NULL::uuid, NULL::uuid WHERE false"


class Moves(NamedTuple):
    """How many accounts entered segments in a run, and how many left."""

    entered: int
    left: int


def evaluate_segments(
    account_ids: Collection[UUID] | None = None, *, at: datetime, only: Iterable[Segment] | None = None
) -> Moves:
    """Bring memberships in line with the rules as of ``at``, of all accounts or of ``account_ids``.

    One statement whatever the number of segments and accounts, after two or three small reads; nothing but one
    read in a workspace without segments. Belongs under the tenant's health lock, so that runs do not cross.
    """
    segments = list(Segment.objects.all()) if only is None else list(only)
    if not segments:
        return Moves(0, 0)
    matcher = matcher_for([segment.rule for segment in segments], at=at)
    parts, values = [], []
    for segment in segments:
        sql, parameters = _matching(matcher, segment.rule, account_ids)
        if sql:
            parts.append(f"SELECT %s::uuid, found.id FROM ({sql}) AS found (id)")
            values += [segment.pk, *parameters]
    keys = [segment.pk for segment in segments]
    only_members = "" if account_ids is None else "AND s.account_id = ANY(%s)"
    values += [at, keys, *([] if account_ids is None else [list(account_ids)]), at, at, keys]
    statement = _EVALUATE.format(matching=" UNION ALL ".join(parts) or _NOBODY, only_members=only_members)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return Moves(*cursor.fetchone())


def _matching(matcher: Matcher, rule: Rule, account_ids: Collection[UUID] | None) -> tuple[str, tuple[Any, ...]]:
    """The query of the accounts that meet ``rule``, with its parameters; empty when it can match nothing."""
    rows = matcher.accounts(rule)
    if account_ids is not None:
        rows = rows.filter(pk__in=Account.objects.filter(pk__in=list(account_ids)).values("pk"))
    try:
        sql, parameters = rows.order_by().values("pk").query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return "", ()
    return sql, tuple(parameters)
