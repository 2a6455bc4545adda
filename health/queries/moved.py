"""Accounts whose score or band is another one than the day before."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from health.cards import compiled_by_id
from health.models import HealthScore
from health.queries.evidence import changes_in_words

MOVES_FROM = 3
MOST = 40
WHY = 2
# The latest score before the day, of the same card: one step down an index for each account.
_MOVED = """
SELECT n.account_id, b.computed_on, b.score, n.score, b.band, n.band, b.band_rank, n.band_rank
FROM health_healthscore n
CROSS JOIN LATERAL (
    SELECT p.computed_on, p.score, p.band, p.band_rank, p.scorecard_key FROM health_healthscore p
    WHERE p.account_id = n.account_id AND p.computed_on < n.computed_on ORDER BY p.computed_on DESC LIMIT 1) b
WHERE n.computed_on = %s AND n.account_id IN ({accounts}) AND b.scorecard_key = n.scorecard_key
    AND (b.band <> n.band OR abs(n.score - b.score) >= %s)
ORDER BY b.band = n.band, abs(n.score - b.score) DESC NULLS LAST, n.account_id LIMIT %s"""


class Moved(NamedTuple):
    """An account's score and band now and when it was last scored before. ``direction`` -1: the band got worse."""

    account: UUID
    before_on: date
    before: Decimal | None
    after: Decimal | None
    band_before: str
    band: str
    direction: int

    @property
    def fell(self) -> Decimal:
        """Points lost (negative: gained); 0 where one of the two is missing."""
        return Decimal(0) if self.before is None or self.after is None else self.before - self.after


def moved_on(accounts: QuerySet[Any], day: date) -> list[Moved]:
    """Of ``accounts``, those whose band changed on ``day`` or whose score moved by MOVES_FROM points or more.

    Changed bands first, then the largest moves, at most MOST. One query.
    """
    inner, parameters = accounts.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_MOVED.format(accounts=inner), [day, *parameters, MOVES_FROM, MOST])
        return [_moved(*row) for row in cursor.fetchall()]


def why_moved(moved: Collection[Moved], day: date) -> dict[UUID, str]:
    """What moved most in each of these scores of ``day``: 'Logins High → Low'. One query, two while a card is new.

    An account is not there where nothing but the card's version changed.
    """
    days = {day, *(row.before_on for row in moved)}
    rows = HealthScore.objects.filter(account__in=[row.account for row in moved], computed_on__in=days)
    scores = {
        (row.account_id, row.computed_on): row
        for row in rows.only("account_id", "computed_on", "version_id", "points", "levels", "values")
    }
    cards = compiled_by_id(row.version_id for row in scores.values())
    found = {}
    for row in moved:
        before, after = scores.get((row.account, row.before_on)), scores.get((row.account, day))
        if before is not None and after is not None:
            words = changes_in_words(before, after, cards[after.version_id], most=WHY)
            found.update({row.account: "; ".join(words)} if words else {})
    return found


def _moved(
    account: UUID,
    before_on: date,
    before: Decimal | None,
    after: Decimal | None,
    band_before: str,
    band: str,
    rank_before: int | None,
    rank: int | None,
) -> Moved:
    worse = 0
    if band != band_before and rank is not None and rank_before is not None:
        worse = -1 if rank > rank_before else 1
    return Moved(account, before_on, before, after, band_before, band, worse)
