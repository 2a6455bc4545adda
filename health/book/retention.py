"""Net and gross revenue retention and cohorts, from the contracts in force on two days (CS-7.2, AMB-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Least

from accounts.choices import ContractStatus
from accounts.models import Contract
from health.book.scope import fetch

MONTHS = 12
COHORTS, AGES = 8, 8


class Retention(NamedTuple):
    """Of the ARR that ran a year before: what runs now (net), and the part of it that is not growth (gross).

    ``customers`` had ARR a year before; ``kept`` of them have some now. Shares are None when nobody had.
    """

    start: Decimal
    nrr_pct: Decimal | None
    grr_pct: Decimal | None
    customers: int
    kept: int

    @property
    def churn_pct(self) -> Decimal | None:
        """The share of customers that left; None when there was none."""
        return Decimal(self.customers - self.kept) * 100 / self.customers if self.customers else None

    def value(self, key: str) -> Decimal | None:
        """The figure ``key``: nrr, grr or churn."""
        return {"nrr": self.nrr_pct, "grr": self.grr_pct, "churn": self.churn_pct}[key]


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


def retention(accounts: QuerySet[Any], currency: str, on: date, since: date) -> tuple[Retention, Retention]:
    """Retention as of ``on`` and as of ``since``, for contracts in ``currency``. One query."""
    days = {"now": on, "then": year_before(on), "before_now": since, "before_then": year_before(since)}
    sums = {name: _sum_on(day) for name, day in days.items()}
    per_account = _contracts(accounts, currency).order_by().values("account").annotate(**sums)
    totals = per_account.aggregate(**_totals("", "now", "then"), **_totals("before_", "before_now", "before_then"))
    return _read(totals, ""), _read(totals, "before_")


def year_before(day: date) -> date:
    """The day twelve months before."""
    return day - relativedelta(months=MONTHS)


def arr_then_and_now(accounts: QuerySet[Any], currency: str, then: date, now: date) -> QuerySet[Any]:
    """(account, then, now) of the accounts that had ARR ``then``, as dictionaries. One query."""
    return arr_on_two_days(accounts, currency, then, now).filter(then__gt=0)


def arr_on_two_days(accounts: QuerySet[Any], currency: str, then: date, now: date) -> QuerySet[Any]:
    """(account, then, now) of all accounts that have a signed contract, as dictionaries. One query."""
    rows = _contracts(accounts, currency).order_by().values("account_id")
    return rows.annotate(then=_sum_on(then), now=_sum_on(now))


def in_force(accounts: QuerySet[Any], currency: str, day: date) -> Any:
    """The ARR of all contracts in force on ``day`` as one number, whichever accounts they are of. One query."""
    return _contracts(accounts, currency).aggregate(arr=_sum_on(day))["arr"]


def _contracts(accounts: QuerySet[Any], currency: str) -> QuerySet[Contract]:
    return Contract.objects.filter(account__in=accounts, currency=currency).exclude(status=ContractStatus.DRAFT)


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


class Cohort(NamedTuple):
    """Customers of one start quarter: ARR at its end, and per cent of that at the end of each quarter since.

    The first share is 100. A quarter that has not ended is not there.
    """

    quarter: date
    customers: int
    start: Decimal
    shares: list[Decimal]


def quarter_of(day: date) -> date:
    """The first day of the quarter."""
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def quarter_end(quarter: date, later: int = 0) -> date:
    """The last day of the quarter, or of one some quarters later."""
    return quarter + relativedelta(months=3 * (later + 1)) - timedelta(days=1)


def quarter_name(quarter: date) -> str:
    """``2025-Q3``."""
    return f"{quarter.year}-Q{(quarter.month + 2) // 3}"


# Only customers of the base count later: who joined the quarter and left in it was never at its end.
_COHORTS = """WITH c AS ({contracts}), first AS (
    SELECT account_id, date_trunc('quarter', min(start_on))::date AS quarter FROM c GROUP BY account_id
), base AS (
    SELECT f.quarter, f.account_id, sum(c.arr) AS arr FROM first f JOIN c USING (account_id)
    WHERE c.start_on <= f.quarter + interval '3 months' - interval '1 day'
        AND (c.over_on IS NULL OR c.over_on >= f.quarter + interval '3 months' - interval '1 day')
    GROUP BY 1, 2 HAVING sum(c.arr) > 0
), shown AS (
    SELECT quarter, count(*) AS customers, sum(arr) AS arr FROM base
    WHERE quarter + interval '3 months' - interval '1 day' <= %s GROUP BY 1 ORDER BY 1 DESC LIMIT %s
)
SELECT s.quarter, s.customers, s.arr AS start, k AS age, COALESCE(sum(c.arr), 0) AS arr
FROM shown s CROSS JOIN generate_series(0, %s) k JOIN base b ON b.quarter = s.quarter
LEFT JOIN c ON c.account_id = b.account_id
    AND c.start_on <= s.quarter + (k + 1) * interval '3 months' - interval '1 day'
    AND (c.over_on IS NULL OR c.over_on >= s.quarter + (k + 1) * interval '3 months' - interval '1 day')
WHERE s.quarter + (k + 1) * interval '3 months' - interval '1 day' <= %s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 4"""


def cohorts(accounts: QuerySet[Any], currency: str, on: date) -> list[Cohort]:
    """The latest start quarters that brought customers, oldest first, with their net retention. One query."""
    over_on = Least("end_on", "account__churned_on")  # the earlier one there is
    rows = _contracts(accounts, currency).order_by().values("account_id", "start_on", "arr", over_on=over_on)
    text, parameters = rows.query.sql_with_params()
    found: dict[date, Cohort] = {}
    for row in fetch(_COHORTS.format(contracts=text), (*parameters, on, COHORTS, AGES - 1, on)):
        cohort = found.setdefault(row["quarter"], Cohort(row["quarter"], row["customers"], row["start"], []))
        cohort.shares.append(row["arr"] * 100 / row["start"])
    return list(found.values())


def cohort_rows(accounts: QuerySet[Any], currency: str, quarter: date, age: int) -> QuerySet[Any]:
    """(account, then, now) of the customers of a start quarter at its end and ``age`` quarters later. One query."""
    rows = arr_then_and_now(accounts, currency, quarter_end(quarter), quarter_end(quarter, age))
    begun = rows.annotate(begun=Min("start_on")).filter(begun__range=(quarter, quarter_end(quarter)))
    return begun.values("account_id", "then", "now")
