"""CTAs as a board and as a calendar. Both read a bounded number of rows, however many are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from playbooks.choices import CtaKind, CtaStatus, Priority
from playbooks.models import CtaQuerySet
from playbooks.queries.listing import COLUMNS, CtaFilters, add_tasks, ranked

if TYPE_CHECKING:
    from accounts.models import User

BOARDS: dict[str, type[Priority | CtaKind | CtaStatus]] = {"priority": Priority, "kind": CtaKind, "status": CtaStatus}
DEFAULT_BOARD = "priority"
PER_COLUMN = 20
# A month of what was closed is a column; years of it are the list.
CLOSED_DAYS = 30
SPANS = {"month": 4, "week": 30}


class Column(NamedTuple):
    """One column of a board: its rows, soonest first, and how many there are in all."""

    key: str
    label: str
    rows: list[dict[str, Any]]
    total: int


class CalendarDay(NamedTuple):
    """One day: its rows, most pressing first, and how many there are in all."""

    day: date
    rows: list[dict[str, Any]]
    total: int


def board(user: User, filters: CtaFilters, by: str, today: date) -> list[Column]:
    """The columns of a board, at most PER_COLUMN rows each. Two queries.

    A board of statuses shows all of them, closed ones of the last CLOSED_DAYS days.
    """
    shown = replace(filters, status="all") if by == "status" else filters
    rows = shown.ctas(user, today)
    if by == "status":
        since = today - timedelta(days=CLOSED_DAYS)
        rows = rows.filter(~Q(status=CtaStatus.CLOSED) | Q(closed_at__date__gte=since))
    order = [F("closed_at").desc(nulls_last=True), F("due_on"), F("pk")]
    found = _first(rows, by, order, PER_COLUMN)
    return [Column(value, str(label), *_part(found, by, value)) for value, label in BOARDS[by].choices]


def calendar(user: User, filters: CtaFilters, days: Sequence[date], per_day: int, today: date) -> list[CalendarDay]:
    """CTAs by due day over ``days`` (consecutive), at most ``per_day`` rows each. Two queries."""
    span = f"{days[0].isoformat()}..{days[-1].isoformat()}"
    rows = replace(filters, due=span).ctas(user, today)
    found = _first(rows, "due_on", [F("priority_rank"), F("pk")], per_day)
    return [CalendarDay(day, *_part(found, "due_on", day)) for day in days]


def days_of(span: str, on: date) -> list[date]:
    """The days of the week or the month around ``on``, whole weeks from Monday to Sunday."""
    first = on.replace(day=1) if span == "month" else on
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1) if span == "month" else on
    start = first - timedelta(days=first.weekday())
    count = (last - start).days + 7 - last.weekday()
    return [start + timedelta(days=number) for number in range(count)]


def _first(rows: CtaQuerySet, by: str, order: list[Any], most: int) -> list[dict[str, Any]]:
    """The first ``most`` rows of each value of ``by``, with ``total`` rows of that value and their tasks counted."""
    numbered = ranked(rows).annotate(
        place=Window(RowNumber(), partition_by=F(by), order_by=order),
        total=Window(Count("pk"), partition_by=F(by)),
    )
    found = list(numbered.filter(place__lte=most).values(*COLUMNS, "place", "total").order_by("place"))
    add_tasks(found)
    return found


def _part(found: list[dict[str, Any]], by: str, value: Any) -> tuple[list[dict[str, Any]], int]:
    rows = [row for row in found if row[by] == value]
    return rows, rows[0]["total"] if rows else 0
