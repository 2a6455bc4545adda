"""The provider's answer for a whole tenant at once, as coded columns: each distinct observation once.

Says exactly what ``usage.metrics.provide`` says (``tests/usage/test_columns.py``), an order of magnitude
cheaper for thousands of accounts: rows come as columns, numpy finds the distinct ones, and an ``Observation`` is
made only for those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt

from accounts.observations import Observation
from usage import stated
from usage.catalogue import STATED_FOR_DAYS
from usage.counts import counts_of
from usage.derived import FORMULAS, counts_read, exact, trimmed
from usage.metrics import BASES, PER_USER, SOURCE, _observed_at, computed_counts, per_user, provide
from usage.packed import KEY, LARGE, WHOLE, packed_by, words
from usage.stated import DAILY, TICKET_FORMULAS, Given, Tickets, latest_sql, sums_sql

Codes = npt.NDArray[np.int64]
MISSING = -1
MILLION = 10**6
_EPOCH = dt.date(1970, 1, 1)


class Coded(NamedTuple):
    """One metric: ``cells`` are its distinct observations, ``codes`` the one of each account (-1: none)."""

    codes: Codes
    cells: list[Observation]


class Roster:
    """The accounts asked about, in their order, and how to find an account's place by its key's bytes."""

    def __init__(self, accounts: Sequence[UUID], *, everyone: bool) -> None:
        self.accounts = list(accounts)
        self.ids = None if everyone else self.accounts
        self.keys = np.frombuffer(b"".join(account.bytes for account in accounts), dtype=">u8").reshape(-1, 2)
        low = self.keys[:, 1].astype(np.uint64)
        self.order = np.argsort(low, kind="stable")
        self.low = low[self.order]
        self.is_ambiguous = len(np.unique(low)) != len(low)

    def places(self, keys: npt.NDArray[Any]) -> Codes:
        """The place of each key (rows of two words), -1 for accounts that are not asked about."""
        if not len(self.accounts) or not len(keys):
            return np.full(len(keys), MISSING, dtype=np.int64)
        low = keys[:, 1].astype(np.uint64)
        found = self.order[np.minimum(np.searchsorted(self.low, low), len(self.low) - 1)]
        if self.is_ambiguous:
            known = {account.bytes: place for place, account in enumerate(self.accounts)}
            return np.array([known.get(key.tobytes(), MISSING) for key in keys], dtype=np.int64)
        return np.where((self.keys[found] == keys).all(axis=1), found, MISSING)


def coded_columns(
    accounts: Sequence[UUID],
    metrics: set[str],
    on: dt.date,
    *,
    everyone: bool,
    known_at: dt.datetime | None = None,
) -> dict[str, Coded]:
    """Metric to coded column over ``accounts``, as of ``on``. ``everyone`` says that these are all there are.

    A constant number of queries. Metrics nobody measured have no entry. ``known_at`` as in ``provide``.
    """
    roster = Roster(accounts, everyone=everyone)
    slow = {name for name in metrics if name.startswith(("ticket_count:", "open_tickets:"))}
    # A ratio stands on two figures, which whoever asks for it may have besides.
    quick = (metrics - slow) | ({"active_users", "tickets_month"} if PER_USER in metrics else set())
    formulas, tickets = quick & set(FORMULAS), quick & set(TICKET_FORMULAS)
    columns = _stated(roster, quick | (set(BASES) if formulas else set()) | set(DAILY if tickets else ()), on, known_at)
    computed: dict[str, Coded] = {}
    if formulas:
        bases = {name: _by_account(roster, columns[name]) for name in BASES if name in columns}
        computed = _computed(roster, formulas, bases, on)
    if tickets:
        computed |= _ticket_columns(roster, tickets, {name: columns.get(name) for name in DAILY}, on, known_at)
    if {"active_users", "tickets_month"} <= computed.keys() and PER_USER in metrics:
        parts = (_by_account(roster, computed[name]) for name in ("tickets_month", "active_users"))
        computed[PER_USER] = coded(roster.accounts, per_user(*parts))
    for name in columns.keys() - quick:
        del columns[name]
    for metric, column in computed.items():
        columns[metric] = _merged(column, columns.get(metric), on)
    for metric, given in (provide(roster.ids, slow, on, known_at) if slow else {}).items():
        columns[metric] = coded(roster.accounts, given)
    return columns


def coded(accounts: Sequence[UUID], column: Mapping[UUID, Observation]) -> Coded:
    """A column given account by account, coded over ``accounts``."""
    known: dict[Observation, int] = {}
    codes = np.full(len(accounts), MISSING, dtype=np.int64)
    for place, account in enumerate(accounts):
        seen = column.get(account)
        if seen is not None:
            codes[place] = known.setdefault(seen, len(known))
    return Coded(codes, list(known))


# In millionths; figures of nine million million and more, which no scorecard takes, are cut there.
_MICRO = f"(LEAST(GREATEST({{0}}, -9000000000000), 9000000000000) * {MILLION})::bigint"
_STATED = f"""SELECT account_id, metric, choice, source, {_MICRO.format("number")} AS micro,
    ("on" - date '1970-01-01')::int4 AS day
FROM ({{latest}}) AS l"""


def _stated(roster: Roster, metrics: set[str], on: dt.date, known_at: dt.datetime | None) -> dict[str, Coded]:
    """The newest stated values. One query."""
    parameters = {"metrics": sorted(metrics), "on": on, "ids": roster.ids or [], "known_at": known_at}
    narrow = "" if roster.ids is None else "AND l.account_id = ANY(%(ids)s)"
    statement = _STATED.format(latest=latest_sql(known_at).format(narrow=narrow))
    fields = {"account_id": KEY, "micro": LARGE, "day": WHOLE}
    columns: dict[str, Coded] = {}
    # Rows of one metric and source with one choice, or with numbers: what is left to tell apart is numbers and days.
    for (metric, choice, source), rows in packed_by(("metric", "choice", "source"), statement, parameters, fields):
        places = roster.places(words(rows["account_id"]))
        there = np.flatnonzero(places != MISSING)
        if not len(there):
            continue
        days = rows["day"][there].astype(np.int64)
        micros = [] if choice else [rows["micro"][there].astype(np.int64)]
        first, inverse = _distinct([*micros, days])
        values = [choice] * len(first) if choice else map(_number, micros[0][first].tolist())
        column = columns.setdefault(metric, Coded(np.full(len(roster.accounts), MISSING, dtype=np.int64), []))
        column.codes[places[there]] = inverse + len(column.cells)
        column.cells.extend(
            Observation(value, stated._start_of(_EPOCH + dt.timedelta(days=day)), source)
            for value, day in zip(values, days[first].tolist(), strict=True)
        )
    return columns


def _number(micro: int) -> Decimal:
    return trimmed(Decimal(micro).scaleb(-6))


def _distinct(fields: Sequence[npt.NDArray[Any]]) -> tuple[Codes, Codes]:
    """(a row of each distinct combination, the combination of each row)."""
    code = np.zeros(len(fields[0]), dtype=np.int64)
    for column in fields:
        if (column != column[0]).any():
            values, inverse = np.unique(column, return_inverse=True)
            code = code * len(values) + inverse
            if code.max() > 2**31:
                code = np.unique(code, return_inverse=True)[1].astype(np.int64)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return first, inverse


def _spread(count: int, places: Codes, inverse: Codes) -> Codes:
    codes = np.full(count, MISSING, dtype=np.int64)
    codes[places] = inverse
    return codes


def _by_account(roster: Roster, column: Coded) -> dict[UUID, Observation]:
    places = np.flatnonzero(column.codes != MISSING).tolist()
    return {roster.accounts[place]: column.cells[column.codes[place]] for place in places}


def _computed(roster: Roster, formulas: set[str], bases: Given, on: dt.date) -> dict[str, Coded]:
    """Figures computed from events and the stated figures they divide by. Two queries."""
    window = counts_of(roster.ids, on, asked=counts_read(formulas))
    counts = computed_counts(window, bases)
    observed_at = _observed_at(window.seen_at, on)
    places = roster.places(window.keys)
    columns = {}
    for metric in formulas:
        values = FORMULAS[metric](counts)
        measured = np.flatnonzero(~np.isnan(values) & (places != MISSING))
        if len(measured):
            distinct, inverse = np.unique(np.round(values[measured], 6), return_inverse=True)
            cells = [Observation(exact(value), observed_at, SOURCE) for value in distinct.tolist()]
            columns[metric] = Coded(_spread(len(roster.accounts), places[measured], inverse), cells)
    return columns


def _merged(computed: Coded, given: Coded | None, on: dt.date) -> Coded:
    """The stated value where there is no computed one or the stated one is kept up (``usage.metrics``)."""
    if given is None:
        return computed
    oldest = dt.datetime.combine(on - dt.timedelta(days=STATED_FOR_DAYS), dt.time(), tzinfo=dt.UTC)
    fresh = np.array([seen.observed_at >= oldest for seen in given.cells] + [False])[given.codes]
    stated_wins = (given.codes != MISSING) & (fresh | (computed.codes == MISSING))
    shifted = np.where(given.codes == MISSING, MISSING, given.codes + len(computed.cells))
    return Coded(np.where(stated_wins, shifted, computed.codes), [*computed.cells, *given.cells])


_TICKET_SUMS = f"""SELECT account_id, metric, {_MICRO.format("month")} AS month, {_MICRO.format("before")} AS before
FROM ({{sums}}) AS t"""


def _ticket_columns(
    roster: Roster, metrics: set[str], daily: Mapping[str, Coded | None], on: dt.date, known_at: dt.datetime | None
) -> dict[str, Coded]:
    """Ticket metrics: the formulas of ``usage.stated`` for each distinct set of sums. One query.

    ``daily`` are the newest daily figures, which say for whom they were ever given.
    """
    if not any(daily.values()):
        return {}
    # Only a change looks at the month before.
    windows = ("month", "before") if "ticket_count_change_pct" in metrics else ("month",)
    narrow = "" if roster.ids is None else "AND v.account_id = ANY(%(ids)s)"
    parameters = {
        "metrics": list(DAILY), "on": on, "days": 30 * len(windows), "ids": roster.ids or [], "known_at": known_at,
    }  # fmt: skip
    statement = _TICKET_SUMS.format(sums=sums_sql(narrow, known_at))
    width = len(DAILY)
    # A block of columns each for what was ever given, for what the window has, and for the sums.
    table = np.zeros((len(roster.accounts) + 1, (2 + len(windows)) * width), dtype=np.int64)
    for column, name in enumerate(DAILY):
        if (given := daily[name]) is not None:
            table[:-1, column] = given.codes != MISSING
    fields = {"account_id": KEY} | dict.fromkeys(windows, LARGE)
    for (metric,), sums in packed_by(("metric",), statement, parameters, fields):
        column, places = DAILY.index(metric), roster.places(words(sums["account_id"]))
        # A sum of zero is not the same as no figure in the window.
        table[places, width + column] = 1
        for block, window in enumerate(windows, start=2):
            table[places, block * width + column] = sums[window]
    known = np.flatnonzero(table[:-1, :width].any(axis=1))
    first, inverse = _distinct(list(table[known].T.copy()))
    told = [_tickets(row, width) for row in table[known][first].tolist()]
    return {
        name: column
        for name in metrics
        if (column := _by_formula(TICKET_FORMULAS[name], told, len(roster.accounts), known, inverse, on)).cells
    }


def _tickets(row: list[int], width: int) -> Tickets:
    """The sums of one row as ``usage.stated`` reads them; two weeks are asked for by severities only."""
    given, there, *blocks = (row[start : start + width] for start in range(0, len(row), width))
    month, before, *_ = [
        {name: Decimal(value).scaleb(-6) for name, value, known in zip(DAILY, block, there, strict=True) if known}
        for block in blocks
    ] + [{}]
    return Tickets({}, month, before, frozenset(name for name, flag in zip(DAILY, given, strict=True) if flag))


def _by_formula(
    formula: Callable[[Tickets], Decimal | None],
    told: Sequence[Tickets],
    count: int,
    known: Codes,
    inverse: Codes,
    on: dt.date,
) -> Coded:
    observed_at = stated._start_of(on)
    values = [formula(tickets) for tickets in told]
    cells: dict[Decimal, int] = {}
    codes = [MISSING if value is None else cells.setdefault(trimmed(value), len(cells)) for value in values]
    spread = _spread(count, known, np.array(codes, dtype=np.int64)[inverse])
    return Coded(spread, [Observation(value, observed_at, stated.SOURCE) for value in cells])
