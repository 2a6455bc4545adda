"""The portfolio: money by band now and over time, what moved and why, who needs help, who can grow, who is full.

A page is eleven queries whatever the number of accounts; ``tests/health/test_portfolio.py`` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from django.db import connection
from django.db.models import Avg, Count, F, Max, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Abs, TruncMonth

from accounts.choices import Role
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from health.book.change import Change, change_between
from health.book.filters import AT_RISK, MINE, NOBODY, AccountFilters
from health.book.listing import COLUMNS
from health.book.retention import Retention, retention
from health.choices import Rag
from health.models import AccountHealth, HealthScore, PortfolioDay

MONTHS = 12
COMPARE_DAYS = 30
RENEWAL_DAYS = 90
LIST_LENGTH = 8
# Worst first: the band people compare stands on the common baseline of the chart.
ORDER = (Rag.RED, Rag.ORANGE, Rag.YELLOW, Rag.GREEN, Rag.NONE)


class Slice(NamedTuple):
    """Accounts and ARR of one colour."""

    accounts: int
    arr: Decimal


class Totals(NamedTuple):
    """Sums over live accounts in the workspace's currency; counts over all of them."""

    accounts: int
    scored: int
    arr: Decimal
    by_colour: dict[str, Slice]
    renewing: Slice
    renewing_at_risk: Slice
    average: Decimal | None
    other_currencies: int
    computed_at: Any

    @property
    def at_risk(self) -> Slice:
        parts = [self.by_colour[colour] for colour in AT_RISK]
        return Slice(sum(part.accounts for part in parts), sum((part.arr for part in parts), Decimal(0)))


class Month(NamedTuple):
    """One bar of the history: the last day recorded in a month, and the ARR of each colour on it."""

    day: date
    arr: dict[str, Decimal]


class Mover(NamedTuple):
    """An account whose score changed, with the reason where both ends were scored by one version."""

    row: dict[str, Any]
    change: Change | None


class Load(NamedTuple):
    """One owner's book."""

    owner_id: Any
    name: str
    accounts: int
    arr: Decimal
    at_risk: int
    arr_at_risk: Decimal


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything the page shows."""

    totals: Totals
    history: list[Month]
    retention: Retention
    retention_before: Retention
    movers: list[Mover]
    at_risk: list[dict[str, Any]]
    growth: list[dict[str, Any]]
    loads: list[Load]


def portfolio(user: Any, filters: AccountFilters, currency: str, today: date) -> Portfolio:
    """The portfolio of what ``user`` may see and ``filters`` leave."""
    accounts = filters.accounts(user, today)
    now, before = retention(_customers(user, filters, today), currency, today, COMPARE_DAYS)
    return Portfolio(
        totals=totals(accounts, currency, today),
        history=history(user, filters, currency, today),
        retention=now,
        retention_before=before,
        movers=movers(accounts, today),
        at_risk=at_risk(accounts),
        growth=growth(accounts),
        loads=loads(accounts, currency),
    )


def _customers(user: Any, filters: AccountFilters, today: date) -> AccountQuerySet:
    """Retention also counts the customers who left: the same filters without the status."""
    left = AccountFilters.read({**filters.parameters(), "status": "churned"}).accounts(user, today)
    return Account.objects.filter(Q(pk__in=filters.accounts(user, today)) | Q(pk__in=left))


def totals(accounts: AccountQuerySet, currency: str, today: date) -> Totals:
    """Sums by colour: one query of one row a colour."""
    ours = Q(currency=currency)
    soon = Q(renewal_on__range=(today, today + timedelta(days=RENEWAL_DAYS)))
    rows = (
        accounts.order_by()
        .values(rag=F("health__current_rag"))
        .annotate(
            n=Count("pk"),
            money=Sum("arr", filter=ours),
            scored=Count("health__score"),
            average=Avg("health__score"),
            soon_n=Count("pk", filter=soon),
            soon_money=Sum("arr", filter=soon & ours),
            foreign=Count("pk", filter=~ours & Q(arr__gt=0)),
            computed=Max("health__computed_at"),
        )
    )
    colours = {colour: Slice(0, Decimal(0)) for colour in ORDER}
    found = list(rows)
    for row in found:
        colour = row["rag"] or Rag.NONE
        n, money = colours[colour]
        colours[colour] = Slice(n + row["n"], money + (row["money"] or 0))
    risky = [row for row in found if row["rag"] in AT_RISK]
    scored = sum(row["scored"] for row in found)
    weighted = sum((row["average"] or Decimal(0)) * row["scored"] for row in found)
    return Totals(
        accounts=sum(row["n"] for row in found),
        scored=scored,
        arr=sum((part.arr for part in colours.values()), Decimal(0)),
        by_colour=colours,
        renewing=_soon(found),
        renewing_at_risk=_soon(risky),
        average=weighted / scored if scored else None,
        other_currencies=sum(row["foreign"] for row in found),
        computed_at=max((row["computed"] for row in found if row["computed"]), default=None),
    )


def _soon(rows: list[dict[str, Any]]) -> Slice:
    return Slice(sum(row["soon_n"] for row in rows), sum((row["soon_money"] or Decimal(0) for row in rows), Decimal(0)))


def history(user: Any, filters: AccountFilters, currency: str, today: date) -> list[Month]:
    """The last day recorded in each of the last 12 months and the latest, from the daily sums. One query.

    The sums know owner and tier, no other filter; who may not read every account gets their own book's.
    """
    start = (today - relativedelta(months=MONTHS - 1)).replace(day=1)
    rows = _days(user, filters).filter(day__range=(start, today), currency=currency)
    last = rows.annotate(month=TruncMonth("day")).values("month").annotate(last=Max("day")).values("last")
    months: dict[date, dict[str, Decimal]] = {}
    for day, rag, money in rows.filter(day__in=last).values_list("day", "rag").annotate(Sum("arr")).order_by("day"):
        months.setdefault(day, dict.fromkeys(ORDER, Decimal(0)))[rag] += money
    return [Month(day, arr) for day, arr in months.items()]


def arr_before(user: Any, filters: AccountFilters, currency: str, day: date) -> dict[str, Decimal]:
    """ARR of each colour on the last recorded day up to ``day``; empty when none is. One query."""
    rows = _days(user, filters).filter(currency=currency)
    latest = Subquery(rows.filter(day__lte=day).order_by("-day").values("day")[:1])
    return dict(rows.filter(day=latest).order_by().values_list("rag").annotate(Sum("arr")))


def sees_own_book_only(user: Any) -> bool:
    """Whether the workspace confines ``user`` to their own book."""
    return user.role == Role.CSM and not user.workspace_settings.csm_reads_all_accounts


# Every change to an account, a contract, a score or a judgement moves one of these.
_STATE = """SELECT
    (SELECT (count(*), max(updated_at))::text FROM accounts_account),
    (SELECT (count(*), max(updated_at))::text FROM accounts_contract),
    (SELECT (count(*), max(computed_at))::text FROM health_accounthealth),
    (SELECT (count(*), count(ended_at), max(created_at))::text FROM health_healthoverride),
    (SELECT (count(*), max(day))::text FROM health_portfolioday),
    (SELECT count(*) FROM accounts_teammember)"""


def state_of_data() -> tuple[Any, ...]:
    """A value that is another one as soon as anything the portfolio shows has changed. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        return cursor.fetchone()


def _days(user: Any, filters: AccountFilters) -> QuerySet[PortfolioDay]:
    rows = PortfolioDay.objects.all()
    if filters.owner == MINE or sees_own_book_only(user):
        rows = rows.filter(owner_id=user.pk)
    elif filters.owner:
        rows = rows.filter(owner_id=None if filters.owner == NOBODY else filters.owner)
    return rows.filter(tier_id=filters.tier) if filters.tier else rows


def movers(accounts: AccountQuerySet, today: date) -> list[Mover]:
    """The largest changes in 30 days either way, with the reason: three queries."""
    rows = list(
        accounts.filter(health__score__isnull=False, health__change_30d__isnull=False)
        .exclude(health__change_30d=0)
        .values(*COLUMNS)
        .order_by(Abs("health__change_30d").desc(), "pk")[:LIST_LENGTH]
    )
    ids = [row["pk"] for row in rows]
    current = AccountHealth.objects.select_related("version").in_bulk(ids)
    before = states_before(ids, today - timedelta(days=COMPARE_DAYS))
    return [
        Mover(row, change_between(before[row["pk"]], current[row["pk"]]) if row["pk"] in before else None)
        for row in rows
    ]


def states_before(ids: list[Any], day: date) -> dict[Any, HealthScore]:
    """The state of each account on ``day``: its last history row up to then. One query."""
    rows = HealthScore.objects.filter(account__in=ids, computed_on__lte=day)
    newest = rows.order_by("account_id", "-computed_on").distinct("account_id").select_related("version")
    return {row.account_id: row for row in newest}


def at_risk(accounts: AccountQuerySet) -> list[dict[str, Any]]:
    """Red and orange accounts, red first, most ARR first. One query."""
    rows = accounts.filter(health__current_rag__in=AT_RISK)
    return list(rows.values(*COLUMNS).order_by(F("health__current_rag").desc(), "-arr", "pk")[:LIST_LENGTH])


def growth(accounts: AccountQuerySet) -> list[dict[str, Any]]:
    """Green accounts to grow: those short of seats first, then by ARR. One query."""
    rows = accounts.filter(health__current_rag=Rag.GREEN)
    full = Q(seats__gt=0, assigned_users__gte=F("seats") * Decimal("0.9"))
    return list(
        rows.annotate(full=full)
        .values(*COLUMNS, "seats", "assigned_users", "full")
        .order_by(F("full").desc(nulls_last=True), "-arr", "pk")[:LIST_LENGTH]
    )


def loads(accounts: AccountQuerySet, currency: str) -> list[Load]:
    """Accounts, ARR and accounts at risk of each owner, nobody's first, then the most ARR. One query."""
    rows = (
        accounts.order_by()
        .values("owner", "owner__name", "owner__email")
        .annotate(
            n=Count("pk"),
            money=Sum("arr", filter=Q(currency=currency)),
            risk=Count("pk", filter=Q(health__current_rag__in=AT_RISK)),
            risk_money=Sum("arr", filter=Q(currency=currency, health__current_rag__in=AT_RISK)),
        )
    )
    found = [
        Load(
            owner_id=row["owner"],
            name=row["owner__name"] or row["owner__email"] or "",
            accounts=row["n"],
            arr=row["money"] or Decimal(0),
            at_risk=row["risk"],
            arr_at_risk=row["risk_money"] or Decimal(0),
        )
        for row in rows
    ]
    return sorted(found, key=lambda load: (load.owner_id is not None, -load.arr, load.name))
