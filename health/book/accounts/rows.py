"""Rows of the accounts list with what their columns need, each need in one query for all rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Case, Value, When

from accounts.choices import LEADER_ROLES
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from accounts.own_values import PREFIX
from accounts.policy import may
from health.book.accounts.asked import Asked
from health.book.accounts.order import OWN, derived, order_of
from health.book.accounts.reasons import FELL_BY, Reason, reason_for
from health.cards import compiled_by_id
from health.models import AccountHealth, HealthScore
from health.queries.evidence import changes_in_words
from playbooks.queries import most_urgent
from ui import keyset

PAGE_SIZE = 50
TREND_WEEKS = 8
COMPARE_DAYS = 30
CHUNK = 1000
READ = (
    "pk",
    "version",
    "name",
    "segment",
    "status",
    "industry",
    "country",
    "arr",
    "currency",
    "seats",
    "assigned_users",
    "seat_use",
    "last_touch__at",
    "renewal_on",
    "customer_since_on",
    "owner_id",
    "tier_id",
    "stage_id",
    "tier__name",
    "tier__rank",
    "stage__name",
    "stage__position",
    "owner__name",
    "owner__email",
    "health__score",
    "health__shown",
    "health__current_band",
    "health__current_rag",
    "health__change_30d",
    "health__coverage_pct",
)
# The score at the end of each of eight weeks, the last of them today: the newest state up to that day.
_TREND = """
SELECT k.id, array_agg(s.score::float8 ORDER BY d.back DESC)
FROM unnest(%(ids)s::uuid[]) AS k (id) CROSS JOIN generate_series(0, %(weeks)s - 1) AS d (back)
LEFT JOIN LATERAL (
    SELECT h.score FROM health_healthscore h WHERE h.account_id = k.id AND h.computed_on <= %(today)s - d.back * 7
    ORDER BY h.computed_on DESC LIMIT 1
) s ON true
GROUP BY k.id
"""


@dataclass(frozen=True, slots=True)
class Extras:
    """What columns show besides the row itself, by account."""

    trend: Mapping[UUID, list[float | None]] = field(default_factory=dict)
    why: Mapping[UUID, Reason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows, how many match in all, and what the columns need besides."""

    page: keyset.Page
    total: int
    extras: Extras


def page_of(user: Any, asked: Asked, cursor: str, *, today: date, now: datetime) -> Listing:
    """One page of what was asked for: two queries, and up to four for trend and reason, whatever the rows."""
    matching = asked.filters.accounts(user, today)
    order = order_of(asked.sort)
    rows = matching.annotate(**derived(asked.sort), may_edit=_editable(user))
    page = keyset.page(
        rows.values(*_read(asked), "may_edit"), order, _field(rows, order.path), cursor, PAGE_SIZE,
        keys_first=order.path in rows.query.annotations,
    )  # fmt: skip
    total = len(page.rows) if not (page.next or page.previous) else matching.order_by().count()
    return Listing(page, total, extras_of(page.rows, asked.columns, today=today, now=now))


def every_row(user: Any, asked: Asked, today: date) -> list[dict[str, Any]]:
    """All rows of what was asked for, in order. One query."""
    rows = asked.filters.accounts(user, today).annotate(**derived(asked.sort)).values(*_read(asked))
    return list(rows.order_by(*order_of(asked.sort).expressions(backwards=False)))


def one_row(user: Any, account: Account, asked: Asked) -> dict[str, Any]:
    """The row of one account in what was asked for. One query."""
    rows = Account.objects.filter(pk=account.pk).annotate(**derived(asked.sort), may_edit=_editable(user))
    return rows.values(*_read(asked), "may_edit").get()


def _read(asked: Asked) -> list[str]:
    """What is read of every row; own fields only where a column shows one."""
    own = ["custom"] if any(name.startswith(PREFIX) for name in asked.columns) else []
    return [*READ, *own, *([OWN] if order_of(asked.sort).path == OWN else [])]


def _editable(user: Any) -> Any:
    """Whether ``user`` may change the row's account; settled without asking where that does not depend on the row."""
    if not may(user, "accounts.edit") or user.role in LEADER_ROLES:
        return Value(may(user, "accounts.edit"), output_field=BooleanField())
    mine = Account.objects.editable_by(user).values("pk")
    return Case(When(pk__in=mine, then=True), default=False, output_field=BooleanField())


def extras_of(rows: Sequence[dict[str, Any]], columns: Iterable[str], *, today: date, now: datetime) -> Extras:
    """What ``columns`` need for ``rows``: a query for the trend, three for the reasons (a thousand rows each)."""
    if not rows:
        return Extras()
    wanted = set(columns)
    return Extras(
        trend=_trend([row["pk"] for row in rows], today) if "trend" in wanted else {},
        why=_reasons(rows, today, now) if "why" in wanted else {},
    )


def _trend(ids: list[UUID], today: date) -> dict[UUID, list[float | None]]:
    with connection.cursor() as cursor:
        cursor.execute(_TREND, {"ids": ids, "weeks": TREND_WEEKS, "today": today})
        return dict(cursor.fetchall())


def _reasons(rows: Sequence[dict[str, Any]], today: date, now: datetime) -> dict[UUID, Reason]:
    ctas = most_urgent([row["pk"] for row in rows])
    fallen = [row["pk"] for row in rows if (row["health__change_30d"] or 0) <= -FELL_BY]
    moved = _moves(fallen, today)
    found = {}
    for row in rows:
        key = row["pk"]
        reason = reason_for(row, today=today, now=now, cta=ctas.get(key, ""), moved=moved.get(key, ""))
        if reason is not None:
            found[key] = reason
    return found


def _moves(ids: list[UUID], today: date) -> dict[UUID, str]:
    """The measure that moved each account's score most in 30 days. Two queries a thousand accounts."""
    found: dict[UUID, str] = {}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        # Moments and sources are not compared, and reading them costs more than the rest.
        current = AccountHealth.objects.filter(pk__in=part).defer("observed_at", "sources")
        earlier = HealthScore.objects.filter(account__in=part, computed_on__lte=today - timedelta(days=COMPARE_DAYS))
        newest = earlier.order_by("account_id", "-computed_on").distinct("account_id").defer("observed_at", "sources")
        before = {row.account_id: row for row in newest}
        cards = compiled_by_id({row.version_id for row in current})
        for row in current:
            old = before.get(row.account_id)
            words = changes_in_words(old, row, cards[row.version_id], most=1) if old else []
            found |= {row.account_id: words[0]} if words else {}
    return found


def _field(rows: AccountQuerySet, path: str) -> Any:
    """The field at the end of a sort's path, by which cursors are read."""
    if path in rows.query.annotations:
        return rows.query.annotations[path].output_field
    meta = Account._meta
    *relations, last = path.split("__")
    for name in relations:
        meta = meta.get_field(name).related_model._meta  # type: ignore[union-attr]
    return meta.get_field(last)
