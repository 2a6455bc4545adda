"""Promises kept and missed, by what people ask about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce, TruncMonth

from accounts.models import Tier
from support.choices import TICKET_CLOCKS, Verdict
from support.models import SlaClock, Ticket
from support.queries.reports.period import Period, following

if TYPE_CHECKING:
    from accounts.models import User

# Column that parts, column that names.
DIMENSIONS = {
    "tier": ("tier_key", "tier_key"),
    "severity": ("severity__key", "severity__name"),
    "team": ("team_id", "team__name"),
    "agent": ("assignee_id", "assignee__name"),
    "customer": ("account_id", "account__name"),
    "month": ("month", "month"),
}
KEYED = {"team", "agent", "customer"}
JUDGED = (Verdict.MET, Verdict.MISSED)
NOBODY = {"tier": "No tier", "severity": "No severity", "team": "No team", "agent": "Nobody"}


@dataclass(slots=True)
class Kept:
    """One line: promises kept and missed, by clock."""

    key: str
    label: str
    met: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.met.values()) + sum(self.missed.values())

    def pct(self, clock: str = "") -> float | None:
        """The share kept, of one clock or of all; None where nothing was judged."""
        met = self.met.get(clock, 0) if clock else sum(self.met.values())
        missed = self.missed.get(clock, 0) if clock else sum(self.missed.values())
        return 100 * met / (met + missed) if met + missed else None


def judged(user: User, period: Period) -> QuerySet[Any]:
    """Promises about tickets ``user`` sees that were kept or missed in the period, each at its own moment.

    A kept one counts when it ended, a missed one when it was broken, though its ticket is still open. One that was
    withdrawn or lapsed counts nowhere.
    """
    rows: QuerySet[Any] = SlaClock.objects.filter(ticket__in=Ticket.objects.visible_to(user), verdict__in=JUDGED)
    rows = rows.annotate(judged_at=Coalesce("missed_at", "stopped_at"))
    return rows.filter(judged_at__gte=period.start, judged_at__lt=period.end)


def kept_by(user: User, period: Period, by: str) -> list[Kept]:
    """One line for each tier, severity, team, agent, customer or month. Two queries at most."""
    column, name = DIMENSIONS[by]
    rows = judged(user, period)
    if by == "month":
        rows = rows.annotate(key=TruncMonth("judged_at"), label=F("key"))
    else:
        rows = rows.annotate(key=F(f"ticket__{column}"), label=F(f"ticket__{name}"))
    found: dict[str, Kept] = {}
    names = dict(Tier.objects.values_list("key", "name")) if by == "tier" else {}
    for key, label, kind, verdict, count in _counted(rows):
        line = found.setdefault(_key(key), Kept(_key(key), _label(by, key, label, names)))
        counts = line.met if verdict == Verdict.MET else line.missed
        counts[kind] = count
    if by == "month":
        return [found.get(f"{month:%Y-%m}", Kept(f"{month:%Y-%m}", f"{month:%B %Y}")) for month in period.months]
    return sorted(found.values(), key=lambda line: (-line.total, line.label))


def whole(lines: list[Kept]) -> Kept:
    """All lines together."""
    total = Kept("", "All")
    for clock in TICKET_CLOCKS:
        total.met[clock] = sum(line.met.get(clock, 0) for line in lines)
        total.missed[clock] = sum(line.missed.get(clock, 0) for line in lines)
    return total


def narrowed(rows: QuerySet[Any], by: str, key: str, *, prefix: str = "", moment: str) -> QuerySet[Any]:
    """Those rows of one line: by the line's key, or of its month by ``moment``. Nothing for a key that cannot be."""
    if not by:
        return rows
    if by == "month":
        try:
            first = date.fromisoformat(f"{key}-01")
        except ValueError:
            return rows.none()
        month = Period(first, following(first) - timedelta(days=1))
        return rows.filter(**{f"{moment}__gte": month.start, f"{moment}__lt": month.end})
    column = f"{prefix}{DIMENSIONS[by][0]}"
    if by in KEYED and key:
        try:
            return rows.filter(**{column: UUID(key)})
        except ValueError:
            return rows.none()
    if key:
        return rows.filter(**{column: key})
    return rows.filter(Q(**{f"{column}__isnull": True}) | (Q() if by in KEYED else Q(**{column: ""})))


def _counted(rows: QuerySet[Any]) -> Iterator[tuple[Any, Any, str, str, int]]:
    counted = rows.order_by().values_list("key", "label", "kind", "verdict").annotate(count=Count("pk"))
    yield from counted


def _key(key: Any) -> str:
    return f"{key:%Y-%m}" if isinstance(key, datetime) else str(key or "")


def _label(by: str, key: Any, label: Any, names: dict[str, str]) -> str:
    if isinstance(label, datetime):
        return f"{label:%B %Y}"
    return names.get(key) or str(label or NOBODY.get(by, "None"))
