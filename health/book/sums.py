"""The sums of the portfolio on two days at once: by colour, by owner and by month of renewal. One query."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from dateutil.relativedelta import relativedelta

from health.book.figures import AT_RISK, COLOURS, RENEWAL_DAYS
from health.book.scope import Scope, fetch, positions
from health.book.split import grouped

RENEWAL_MONTHS = 6
RENEWAL_QUARTERS = 4


class Slice(NamedTuple):
    """Accounts, and the ARR of those that pay in the workspace's currency."""

    accounts: int = 0
    arr: Decimal = Decimal(0)

    def __add__(self, other: Slice) -> Slice:  # type: ignore[override]
        return Slice(self.accounts + other.accounts, self.arr + other.arr)


class Load(NamedTuple):
    """One owner's book. ``used`` is the share of their capacity its tiers allow (1 is full); ``unlimited`` counts
    accounts of tiers that set no limit.
    """

    owner_id: UUID | None
    book: Slice
    at_risk: Slice
    used: Decimal
    unlimited: int
    score: Decimal | None


NOTHING = Slice()


@dataclass(slots=True)
class Sums:
    """Sums over the scope's accounts on a day. Money counts where the currency is the workspace's."""

    day: date
    by_colour: dict[str, Slice] = field(default_factory=lambda: dict.fromkeys(COLOURS, NOTHING))
    renewing: Slice = NOTHING
    renewing_at_risk: Slice = NOTHING
    scored: int = 0
    fresh: int = 0
    looked_at: int = 0
    total_score: Decimal = Decimal(0)
    total_coverage: Decimal = Decimal(0)
    other_currencies: int = 0
    computed_at: datetime | None = None
    loads: dict[UUID | None, Load] = field(default_factory=dict)
    due: dict[date, dict[str, Slice]] = field(default_factory=dict)

    @property
    def whole(self) -> Slice:
        return sum(self.by_colour.values(), NOTHING)

    @property
    def at_risk(self) -> Slice:
        return sum((self.by_colour[colour] for colour in COLOURS if colour in AT_RISK), NOTHING)

    def due_in(self, quarter: date) -> tuple[Slice, Slice]:
        """What ends in the quarter that begins on the day, and the part of it at risk."""
        months = [self.due.get(quarter + relativedelta(months=step), {}) for step in range(3)]
        parts = [(colour, part) for month in months for colour, part in month.items()]
        at_risk = (part for colour, part in parts if colour in AT_RISK)
        return sum((part for _colour, part in parts), NOTHING), sum(at_risk, NOTHING)

    def value(self, key: str) -> Decimal | None:
        """The figure ``key`` of a day's standing; None where there is nothing to divide by."""
        accounts = self.whole.accounts
        money = {"arr": self.whole.arr, "risk": self.at_risk.arr, "renewing": self.renewing.arr}
        if key in money or key == "accounts":
            return money.get(key, Decimal(accounts))
        part, whole = {
            "scored": (Decimal(self.scored * 100), accounts),
            "fresh": (Decimal(self.fresh * 100), accounts),
            "coverage": (self.total_coverage, self.looked_at),
            "score": (self.total_score, self.scored),
        }[key]
        return part / whole if whole else None


_SUMS = """WITH p AS (
    SELECT %s::int AS side, %s::date AS day, q.* FROM ({on}) q
    UNION ALL SELECT %s::int, %s::date, q.* FROM ({since}) q
), r AS (
    SELECT p.*, p.currency = %s AS ours, (t.capacity -> 'csm' ->> 'max')::numeric AS most,
        CASE WHEN p.renewal_on >= p.day AND p.renewal_on < %s THEN date_trunc('month', p.renewal_on)::date END AS due
    FROM p LEFT JOIN accounts_tier t ON t.id = p.tier_id
)
SELECT side, rag, owner_id, due, GROUPING(rag) AS no_rag, GROUPING(owner_id) AS no_owner, GROUPING(due) AS no_due,
    count(*) AS n, COALESCE(sum(arr) FILTER (WHERE ours), 0) AS money, count(score) AS scored,
    COALESCE(sum(score), 0) AS total_score, count(coverage_pct) AS looked_at,
    COALESCE(sum(coverage_pct), 0) AS total_coverage, count(*) FILTER (WHERE score IS NOT NULL AND NOT stale) AS fresh,
    count(*) FILTER (WHERE renewal_on BETWEEN day AND day + %s) AS soon,
    COALESCE(sum(arr) FILTER (WHERE ours AND renewal_on BETWEEN day AND day + %s), 0) AS soon_money,
    count(*) FILTER (WHERE NOT ours AND arr > 0) AS elsewhere, max(computed_at) AS computed_at,
    COALESCE(sum(1 / most) FILTER (WHERE most > 0), 0) AS used, count(*) FILTER (WHERE most IS NULL) AS unlimited,
    count(*) FILTER (WHERE rag IN ('red', 'orange')) AS risky,
    COALESCE(sum(arr) FILTER (WHERE ours AND rag IN ('red', 'orange')), 0) AS risky_money, NULL AS part
FROM r GROUP BY GROUPING SETS ((side, rag), (side, owner_id), (side, due, rag))"""
_PARTS = """ UNION ALL
SELECT side, NULL, NULL, NULL, 1, 1, 1, count(*), COALESCE(sum(arr) FILTER (WHERE ours), 0), count(score),
    COALESCE(sum(score), 0), 0, 0, 0, 0, 0, 0, NULL, 0, 0, count(*) FILTER (WHERE rag IN ('red', 'orange')),
    COALESCE(sum(arr) FILTER (WHERE ours AND rag IN ('red', 'orange')), 0), COALESCE({key}, '')
FROM r AS p {joined} GROUP BY 1, 23"""


def sums(user: Any, scope: Scope, currency: str) -> tuple[Sums, Sums | None]:
    """The sums of ``scope.on`` and of ``scope.since``; None for a day of which nothing was recorded. One query."""
    return _read(_rows(user, scope, currency), scope)


def sums_and_parts(user: Any, scope: Scope, currency: str) -> tuple[tuple[Sums, Sums | None], list[dict[str, Any]]]:
    """``sums`` with the rows of what ``scope`` is split by, for ``health.book.split``. One query."""
    key, joined = grouped(scope)
    rows = _rows(user, scope, currency, _PARTS.format(key=key, joined=joined.text), joined.parameters)
    parts = [row for row in rows if row["part"] is not None]
    return _read([row for row in rows if row["part"] is None], scope), parts


def _rows(
    user: Any, scope: Scope, currency: str, more: str = "", parameters: tuple[Any, ...] = ()
) -> list[dict[str, Any]]:
    now, then = positions(user, scope, scope.on), positions(user, scope, scope.since)
    horizon = quarters_due(scope.on)[-1] + relativedelta(months=3)
    days = (0, scope.on, *now.parameters, 1, scope.since, *then.parameters)
    text = _SUMS.format(on=now.text, since=then.text) + more
    return fetch(text, (*days, currency, horizon, RENEWAL_DAYS, RENEWAL_DAYS, *parameters))


def _read(rows: list[dict[str, Any]], scope: Scope) -> tuple[Sums, Sums | None]:
    sides = (Sums(scope.on), Sums(scope.since))
    for row in rows:
        _take(sides[row["side"]], row)
    return sides[0], sides[1] if sides[1].whole.accounts else None


def _take(into: Sums, row: dict[str, Any]) -> None:
    if not row["no_owner"]:
        into.loads[row["owner_id"]] = _load(row)
    elif not row["no_due"]:
        if row["due"] is not None:
            into.due.setdefault(row["due"], {})[row["rag"]] = Slice(row["n"], row["money"])
    else:
        _take_colour(into, row)


def _take_colour(into: Sums, row: dict[str, Any]) -> None:
    into.by_colour[row["rag"]] = Slice(row["n"], row["money"])
    soon = Slice(row["soon"], row["soon_money"])
    into.renewing += soon
    if row["rag"] in AT_RISK:
        into.renewing_at_risk += soon
    into.scored += row["scored"]
    into.fresh += row["fresh"]
    into.looked_at += row["looked_at"]
    into.total_score += row["total_score"]
    into.total_coverage += row["total_coverage"]
    into.other_currencies += row["elsewhere"]
    into.computed_at = max(filter(None, (into.computed_at, row["computed_at"])), default=None)


def _load(row: dict[str, Any]) -> Load:
    return Load(
        owner_id=row["owner_id"],
        book=Slice(row["n"], row["money"]),
        at_risk=Slice(row["risky"], row["risky_money"]),
        used=row["used"],
        unlimited=row["unlimited"],
        score=row["total_score"] / row["scored"] if row["scored"] else None,
    )


def months_due(on: date) -> list[date]:
    """The months whose renewals are shown, the running one first."""
    return [on.replace(day=1) + relativedelta(months=step) for step in range(RENEWAL_MONTHS)]


def quarters_due(on: date) -> list[date]:
    """The first days of the quarters whose renewals are forecast: the running one and the four after it."""
    running = on.replace(month=on.month - (on.month - 1) % 3, day=1)
    return [running + relativedelta(months=3 * step) for step in range(RENEWAL_QUARTERS + 1)]


def last_day(month: date) -> date:
    """The last day of a month given by its first."""
    return month + relativedelta(months=1) - timedelta(days=1)
