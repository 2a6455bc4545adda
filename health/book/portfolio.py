"""The portfolio: money by band now and over time, what moved and why, who needs help, who can grow, who is full.

Drawing it is seven queries whatever the number of accounts; ``tests/health/test_portfolio.py`` counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q, Sum
from django.db.models.expressions import RawSQL

from health.book.change import Change, change_between
from health.book.figures import COLOURS
from health.book.retention import Cohort, Retention, cohorts, retention
from health.book.scope import Scope, fetch, positions, sees_own_book_only
from health.book.sums import Sums, sums, sums_and_parts
from health.models import HealthScore, PortfolioDay, Standing
from health.models.portfolio import month_ends
from health.queries.segments import stays_by_day

MONTHS = 12
LIST_LENGTH = 8


class Month(NamedTuple):
    """One bar of the history: the last day recorded in a month, and the ARR of each colour on it."""

    day: date
    arr: dict[str, Decimal]


class Mover(NamedTuple):
    """An account whose score changed, with the reason where both ends were scored by one version."""

    row: dict[str, Any]
    change: Change | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of both days. ``before`` is None where nothing was recorded of the day compared with."""

    now: Sums
    before: Sums | None
    retention: Retention
    retention_before: Retention

    def value(self, key: str) -> Decimal | None:
        """A figure of the day."""
        return self.retention.value(key) if key in RETAINED else self.now.value(key)

    def value_before(self, key: str) -> Decimal | None:
        """The same on the day compared with; None where it is not known."""
        if key in RETAINED:
            return self.retention_before.value(key)
        return self.before.value(key) if self.before else None


RETAINED = frozenset({"nrr", "grr", "churn"})


@dataclass(frozen=True, slots=True)
class Portfolio(Figures):
    """Everything the page shows."""

    history: list[Month]
    movers: list[Mover]
    at_risk: list[dict[str, Any]]
    growth: list[dict[str, Any]]
    cohorts: list[Cohort]
    parts: list[dict[str, Any]]


def figures_of(user: Any, scope: Scope, currency: str) -> Figures:
    """The figures of what ``user`` may see and ``scope`` leaves. Two queries."""
    accounts = scope.accounts(user).order_by().values("pk")
    return Figures(*sums(user, scope, currency), *retention(accounts, currency, scope.on, scope.since))


def portfolio(user: Any, scope: Scope, currency: str) -> Portfolio:
    """The portfolio of what ``user`` may see and ``scope`` leaves. Six queries."""
    (now, before), parts = sums_and_parts(user, scope, currency)
    accounts = scope.accounts(user).order_by().values("pk")
    retained, retained_before = retention(accounts, currency, scope.on, scope.since)
    lists = _lists(user, scope)
    return Portfolio(
        now=now,
        before=before,
        retention=retained,
        retention_before=retained_before,
        history=history(user, scope, currency),
        movers=explained(lists["mover"], scope),
        at_risk=lists["risk"],
        growth=lists["growth"],
        cohorts=cohorts(accounts, currency, scope.on),
        parts=parts,
    )


def movers(user: Any, scope: Scope) -> list[Mover]:
    """The accounts whose score changed most between the scope's days. Two queries."""
    return explained(_lists(user, scope)["mover"], scope)


def history(user: Any, scope: Scope, currency: str) -> list[Month]:
    """The last day recorded in each of the last 12 months and the latest. One query.

    From the daily sums; for a segment by rule, and for whoever may not read every account, from how accounts stood.
    """
    start = (scope.on - relativedelta(months=MONTHS - 1)).replace(day=1)
    last = month_ends(start, scope.on)
    if scope.rule or sees_own_book_only(user):
        rows = _standing_history(user, scope, currency, last)
    else:
        daily = scope.narrowed(PortfolioDay.objects.all(), user).filter(currency=currency, day__in=last)
        rows = daily.values_list("day", "rag").annotate(money=Sum("arr")).order_by("day")
    months: dict[date, dict[str, Decimal]] = {}
    for day, rag, money in rows:
        months.setdefault(day, dict.fromkeys(COLOURS, Decimal(0)))[rag] += money
    return [Month(day, arr) for day, arr in months.items()]


def _standing_history(user: Any, scope: Scope, currency: str, last: RawSQL) -> list[tuple[date, str, Decimal]]:
    rows = scope.narrowed(Standing.objects.visible_to(user), user).filter(currency=currency).order_by()
    text, parameters = rows.values_list("account_id", "from_on", "until_on", "rag", "arr").query.sql_with_params()
    members, of_members = "", ()
    if scope.rule:
        stays = stays_by_day(scope.rule).values_list("account_id", "first_on", "end_on")
        stay_text, of_members = stays.query.sql_with_params()
        members = (
            f"JOIN ({stay_text}) AS m(account_id, first_on, end_on) ON m.account_id = s.account_id "
            "AND m.first_on <= d.day AND m.end_on > d.day"
        )
    found = fetch(
        f"SELECT d.day, s.rag, sum(s.arr) AS arr FROM ({last.sql}) AS d(day) JOIN ({text}) AS "
        "s(account_id, from_on, until_on, rag, arr) ON s.from_on <= d.day AND s.until_on > d.day "
        f"{members} GROUP BY 1, 2 ORDER BY 1",
        (*last.params, *parameters, *of_members),
    )
    return [(row["day"], row["rag"], row["arr"]) for row in found]


_LISTS = """WITH p AS MATERIALIZED ({on}), b AS (SELECT account_id, card, score FROM ({since}) q),
m AS (
    SELECT p.*, CASE WHEN b.card = p.card THEN p.score - b.score END AS change FROM p LEFT JOIN b USING (account_id)
), chosen AS (
    (SELECT 'mover' AS list, row_number() OVER (ORDER BY abs(change) DESC, account_id) AS place, m.* FROM m
        WHERE change <> 0 ORDER BY abs(change) DESC, account_id LIMIT {most})
    UNION ALL
    (SELECT 'risk', row_number() OVER (ORDER BY rag = 'red' DESC, arr DESC, account_id), m.* FROM m
        WHERE rag IN ('red', 'orange') ORDER BY rag = 'red' DESC, arr DESC, account_id LIMIT {most})
    UNION ALL
    (SELECT 'growth', row_number() OVER (ORDER BY {full} DESC, m.arr DESC, account_id), m.* FROM m
        JOIN accounts_account a ON a.id = m.account_id
        WHERE m.rag = 'green' ORDER BY {full} DESC, m.arr DESC, account_id LIMIT {most})
)
SELECT c.*, a.name, a.seats, a.assigned_users, {full} AS is_full, h.shown,
    COALESCE(NULLIF(u.name, ''), u.email, '') AS owner
FROM chosen c JOIN accounts_account a ON a.id = c.account_id
LEFT JOIN accounts_user u ON u.id = c.owner_id
LEFT JOIN health_accounthealth h ON h.account_id = c.account_id
ORDER BY c.list, c.place"""
_FULL = "(COALESCE(a.seats, 0) > 0 AND COALESCE(a.assigned_users, 0) >= a.seats * 0.9)"


def _lists(user: Any, scope: Scope) -> dict[str, list[dict[str, Any]]]:
    """The largest changes since ``scope.since``; at risk, red first; green, short of seats first. One query."""
    now, then = positions(user, scope, scope.on), positions(user, scope, scope.since)
    text = _LISTS.format(on=now.text, since=then.text, most=LIST_LENGTH, full=_FULL)
    found: dict[str, list[dict[str, Any]]] = {"mover": [], "risk": [], "growth": []}
    for row in fetch(text, (*now.parameters, *then.parameters)):
        if scope.on < scope.today:
            row["shown"] = None if row["score"] is None else row["score"].quantize(Decimal("0.1"), "ROUND_DOWN")
        found[row["list"]].append(row)
    return found


def explained(rows: list[dict[str, Any]], scope: Scope) -> list[Mover]:
    """The rows with what moved their scores between the scope's days. One query."""
    states = states_on([row["account_id"] for row in rows], scope.since, scope.on)
    found = []
    for row in rows:
        before, after = (states.get((row["account_id"], late)) for late in (False, True))
        found.append(Mover(row, change_between(before, after) if before and after else None))
    return found


def states_on(ids: list[Any], since: date, on: date) -> dict[tuple[Any, bool], HealthScore]:
    """The state of each account on ``since`` (False) and, if it changed after it, on ``on`` (True). One query."""
    rows = HealthScore.objects.filter(account__in=ids, computed_on__lte=on)
    sided = rows.annotate(late=ExpressionWrapper(Q(computed_on__gt=since), output_field=BooleanField()))
    newest = sided.order_by("account_id", "late", "-computed_on").distinct("account_id", "late")
    return {(row.account_id, row.late): row for row in newest.select_related("version")}


# Every change to an account, a contract, a score or a judgement moves one of these, and so does a new name of a person,
# a tier or a scorecard. The words are few; the rest counts.
_STATE = """SELECT
    (SELECT (count(*), max(updated_at))::text FROM accounts_account),
    (SELECT (count(*), max(updated_at))::text FROM accounts_contract),
    (SELECT (count(*), max(computed_at))::text FROM health_accounthealth),
    (SELECT (count(*), count(ended_at), max(created_at))::text FROM health_healthoverride),
    (SELECT (count(*), max(day))::text FROM health_portfolioday),
    (SELECT (count(*), max(id::text))::text FROM accounts_teammember),
    (SELECT (count(*), max(set_at))::text FROM accounts_standin),
    (SELECT (count(*), count(left_at), max(id), max(left_at))::text FROM health_segmentmember),
    (SELECT md5(string_agg(concat_ws('/', id, version), ',' ORDER BY id)) FROM health_segment),
    (SELECT md5(string_agg(concat_ws('/', id, name, email, is_active, role), ',' ORDER BY id)) FROM accounts_user
        WHERE role NOT LIKE 'portal%%'),
    (SELECT md5(string_agg(concat_ws('/', id, name, rank, capacity), ',' ORDER BY id)) FROM accounts_tier),
    (SELECT md5(string_agg(concat_ws('/', v.id, v.state, c.name, c.is_default), ',' ORDER BY v.id))
        FROM health_scorecardversion v JOIN health_scorecard c ON c.id = v.scorecard_id),
    (SELECT md5(string_agg(concat_ws('/', figure, value), ',' ORDER BY figure)) FROM health_figuretarget),
    (SELECT (currency, name)::text FROM accounts_workspace)"""


def state_of_data() -> tuple[Any, ...]:
    """A value that is another one as soon as anything the portfolio shows has changed. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE.replace("%%", "%"))
        return cursor.fetchone()
