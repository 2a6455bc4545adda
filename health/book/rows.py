"""The rows behind each figure of the portfolio: exactly those it is worked out from, a page of them or all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.http import Http404

from health.book.figures import COLOURS, FIGURES, PLACES, STANDING, Figure
from health.book.retention import (
    AGES,
    arr_then_and_now,
    cohort_rows,
    quarter_end,
    quarter_of,
    year_before,
)
from health.book.scope import Scope, Sql, fetch, positions

PAGE_SIZE = 100
_QUARTER = re.compile(r"2[0-9]{3}-Q[1-4]")
_DUE = (
    "p.renewal_on >= %(on)s "
    """AND %(part)s IN (to_char(p.renewal_on, 'YYYY-MM'), to_char(p.renewal_on, 'YYYY-"Q"Q'))"""
)
# The same conditions as ``figures`` states in Python, for the database; tests hold them against each other.
_BELONGS = {
    "risk": "p.rag IN ('red', 'orange')",
    "band": "p.rag = %(part)s",
    "renewing": "p.renewal_on BETWEEN %(on)s AND %(on)s::date + 90",
    "due": _DUE,
    "due_risk": f"{_DUE} AND p.rag IN ('red', 'orange')",
}
_NAMED = """SELECT p.account_id::text AS account, a.name, p.owner_id,
    COALESCE(NULLIF(u.name, ''), u.email, '') AS owner, {columns}, count(*) OVER () AS total,
    {value} AS value
FROM ({rows}) p JOIN accounts_account a ON a.id = p.account_id LEFT JOIN accounts_user u ON u.id = {owner}
WHERE {where} ORDER BY {order}, p.account_id"""
# The formulas of ``figures`` over all rows, whichever page of them is read.
_VALUES = {
    "sum of arr": "sum(p.arr) OVER ()",
    "count": "count(*) OVER ()::numeric",
    "share scored": "count(p.score) OVER () * 100::numeric / count(*) OVER ()",
    "share fresh": (
        "count(*) FILTER (WHERE p.score IS NOT NULL AND NOT p.stale) OVER () * 100::numeric / count(*) OVER ()"
    ),
    "mean score": "avg(p.score) OVER ()",
    "mean coverage": "avg(p.coverage_pct) OVER ()",
    "net retention": 'sum(p."now") OVER () * 100 / sum(p."then") OVER ()',
    "gross retention": 'sum(least(p."now", p."then")) OVER () * 100 / sum(p."then") OVER ()',
    "lost": 'count(*) FILTER (WHERE p."now" = 0) OVER () * 100::numeric / count(*) OVER ()',
}
_OF_STANDING = "p.arr, p.currency, p.rag, p.band, p.score, p.coverage_pct, p.stale AS is_stale, p.renewal_on"


@dataclass(frozen=True, slots=True)
class Behind:
    """Rows behind a figure, how many there are in all, and the figure over all of them."""

    rows: list[dict[str, Any]]
    total: int
    value: Decimal | None


def figure_of(key: str, part: str) -> Figure:
    """The figure of an address. Raises Http404 for one that is not there, or a part that it does not have."""
    figure = FIGURES.get(key)
    if figure is None or not _is_part(figure, part):
        raise Http404
    return figure


def _is_part(figure: Figure, part: str) -> bool:
    if not figure.parts:
        return not part
    if figure.parts == "colour":
        return part in COLOURS
    if figure.parts == "month" and _QUARTER.fullmatch(part):
        return True
    try:
        return bool(cohort_of(part) if figure.parts == "cohort" else date.fromisoformat(f"{part}-01"))
    except ValueError:
        return False


def cohort_of(part: str) -> tuple[date, int]:
    """Start quarter and age of a part such as ``2025-01-01.3``. Raises ValueError for another text."""
    quarter, _, age = part.partition(".")
    day, later = date.fromisoformat(quarter), int(age)
    if day != quarter_of(day) or not 0 <= later < AGES or part != f"{day.isoformat()}.{later}":
        raise ValueError(part)
    return day, later


def rows_behind(
    user: Any, scope: Scope, figure: Figure, part: str, currency: str, *, page: int | None = None
) -> Behind:
    """The rows of ``figure`` on ``scope.on``: those of a page (from 1), or all. One query."""
    statement, parameters = _statement(user, scope, figure, part, currency)
    limit = "" if page is None else f" LIMIT {PAGE_SIZE} OFFSET {(max(page, 1) - 1) * PAGE_SIZE}"
    found = fetch(statement + limit, parameters)
    if not found:
        return Behind([], 0, figure.value([]))
    value = found[0]["value"]
    return Behind(found, found[0]["total"], None if value is None else value.quantize(PLACES, ROUND_HALF_EVEN))


def _statement(user: Any, scope: Scope, figure: Figure, part: str, currency: str) -> Sql:
    if figure.source == STANDING:
        rows = positions(user, scope, scope.on)
        where = _BELONGS.get(figure.key, "true") + (" AND p.currency = %(currency)s" if figure.unit == "money" else "")
        named = {"part": part, "on": scope.on, "currency": currency}
        text, extra = _placed(where, named)
        order = "p.score ASC NULLS LAST" if figure.unit in {"percent", "points"} else "p.arr DESC"
        return Sql(
            _NAMED.format(
                columns=_OF_STANDING,
                value=_VALUES[figure.formula],
                rows=rows.text,
                owner="p.owner_id",
                where=text,
                order=order,
            ),
            (*rows.parameters, *extra),
        )
    rows_of = _contract_rows(user, scope, figure, part, currency)
    text, parameters = rows_of.query.sql_with_params()
    return Sql(
        _NAMED.format(
            columns='p."then", p."now"',
            value=_VALUES[figure.formula],
            rows=f'SELECT q.*, a.owner_id FROM ({text}) AS q(account_id, "then", "now") '
            "JOIN accounts_account a ON a.id = q.account_id",
            owner="p.owner_id",
            where="true",
            order='p."now" - p."then"',
        ),
        parameters,
    )


def _placed(text: str, named: dict[str, Any]) -> tuple[str, list[Any]]:
    """Named parameters as positional ones, in the order in which they stand."""
    values: list[Any] = []
    while "%(" in text:
        before, _, rest = text.partition("%(")
        name, _, after = rest.partition(")s")
        values.append(named[name])
        text = f"{before}%s{after}"
    return text, values


def _contract_rows(user: Any, scope: Scope, figure: Figure, part: str, currency: str) -> Any:
    accounts = scope.accounts(user).order_by().values("pk")
    if figure.key == "cohort":
        return cohort_rows(accounts, currency, *cohort_of(part))
    return arr_then_and_now(accounts, currency, year_before(scope.on), scope.on)


def day_of(scope: Scope, figure: Figure, part: str) -> date:
    """The day for which the figure is said: a cohort's is the end of its quarter."""
    return quarter_end(*cohort_of(part)) if figure.key == "cohort" else scope.on


def as_evidence(figure: Figure, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows as a receipt keeps them: what the figure is worked out from, as text."""
    names = ("arr", "rag", "score", "coverage_pct", "is_stale", "renewal_on")
    columns = names if figure.source == STANDING else ("then", "now")
    return [
        {"account": row["account"], "name": row["name"], **{key: _text(row[key]) for key in columns}} for row in rows
    ]


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value
