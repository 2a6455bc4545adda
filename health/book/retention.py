"""Net and gross revenue retention over twelve months, from the contracts in force on both days (CS-7.2, AMB-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Least

from accounts.choices import ContractStatus
from accounts.models import Contract

MONTHS = 12


class Retention(NamedTuple):
    """Of the ARR that ran a year before: what runs now (net), and the part of it that is not growth (gross).

    ``customers`` had ARR a year before; ``kept`` of them have some now. Shares are None when nobody had.
    """

    start: Decimal
    nrr_pct: Decimal | None
    grr_pct: Decimal | None
    customers: int
    kept: int


def retention_of(pairs: Sequence[tuple[Decimal, Decimal]]) -> Retention:
    """Retention of (ARR then, ARR now) pairs; accounts without ARR then are new business and do not count."""
    old = [(then, now) for then, now in pairs if then > 0]
    start = sum((then for then, _now in old), Decimal(0))
    end = sum((now for _then, now in old), Decimal(0))
    gross = sum((min(then, now) for then, now in old), Decimal(0))
    return _figures(start, end, gross, len(old), sum(1 for _then, now in old if now > 0))


def _figures(start: Decimal, end: Decimal, gross: Decimal, customers: int, kept: int) -> Retention:
    if not start:
        return Retention(start, None, None, customers, kept)
    return Retention(start, end * 100 / start, gross * 100 / start, customers, kept)


def retention(
    accounts: QuerySet[Any], currency: str, today: date, earlier_days: int = 30
) -> tuple[Retention, Retention]:
    """Retention as of ``today`` and as of ``earlier_days`` before, for contracts in ``currency``. One query."""
    earlier = today - timedelta(days=earlier_days)
    days = {
        "now": today,
        "then": today - relativedelta(months=MONTHS),
        "before_now": earlier,
        "before_then": earlier - relativedelta(months=MONTHS),
    }
    sums = {name: _sum_on(day) for name, day in days.items()}
    contracts = Contract.objects.filter(account__in=accounts, currency=currency).exclude(status=ContractStatus.DRAFT)
    per_account = contracts.order_by().values("account").annotate(**sums)
    totals = per_account.aggregate(**_totals("", "now", "then"), **_totals("before_", "before_now", "before_then"))
    return _read(totals, ""), _read(totals, "before_")


def _sum_on(day: date) -> Any:
    running = Q(start_on__lte=day) & (Q(end_on=None) | Q(end_on__gte=day))
    # A reported churn ends what has no last day of its own (decision 0007).
    running &= Q(account__churned_on=None) | Q(account__churned_on__gte=day)
    return Coalesce(Sum("arr", filter=running), Decimal(0))


def _totals(prefix: str, now: str, then: str) -> dict[str, Any]:
    had = Q(**{f"{then}__gt": 0})
    return {
        f"{prefix}start": Sum(then),
        f"{prefix}end": Sum(now, filter=had),
        f"{prefix}gross": Sum(Least(now, then), filter=had),
        f"{prefix}customers": Count("account", filter=had),
        f"{prefix}kept": Count("account", filter=had & Q(**{f"{now}__gt": 0})),
    }


def _read(totals: dict[str, Any], prefix: str) -> Retention:
    start, end, gross = (totals[f"{prefix}{name}"] or Decimal(0) for name in ("start", "end", "gross"))
    return _figures(start, end, gross, totals[f"{prefix}customers"], totals[f"{prefix}kept"])
