"""One owner's book over time: ARR by colour and the mean score at the end of each month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Sum

from health.book.figures import COLOURS
from health.book.portfolio import MONTHS, Month
from health.models import PortfolioDay
from health.models.portfolio import month_ends


@dataclass(frozen=True, slots=True)
class Trend:
    """The last day recorded in each of twelve months, oldest first, with the mean score on it (None: nobody scored)."""

    months: list[Month]
    scores: list[Decimal | None]

    @property
    def score(self) -> Decimal | None:
        """The latest mean score."""
        return self.scores[-1] if self.scores else None

    @property
    def score_before(self) -> Decimal | None:
        """The mean score a month earlier; None where it is not known."""
        return self.scores[-2] if len(self.scores) > 1 else None


def book_trend(user: Any, today: date, currency: str) -> Trend:
    """The accounts ``user`` owned on each of the days, in ``currency``; scores whatever the currency. One query.

    From the sums of the nightly runs: who owned an account then counts for that day, not who owns it today.
    """
    start = (today - relativedelta(months=MONTHS - 1)).replace(day=1)
    rows = (
        PortfolioDay.objects.filter(owner_id=user.pk, day__in=month_ends(start, today))
        .values("day", "rag", "currency")
        .annotate(money=Sum("arr"), points=Sum("total"), people=Sum("scored"))
        .order_by("day")
    )
    arr: dict[date, dict[str, Decimal]] = {}
    points: dict[date, tuple[Decimal, int]] = {}
    for row in rows:
        month = arr.setdefault(row["day"], dict.fromkeys(COLOURS, Decimal(0)))
        if row["currency"] == currency:
            month[row["rag"]] += row["money"]
        total, scored = points.get(row["day"], (Decimal(0), 0))
        points[row["day"]] = (total + row["points"], scored + row["people"])
    scores = [total / scored if scored else None for total, scored in points.values()]
    return Trend([Month(day, by_colour) for day, by_colour in arr.items()], scores)
