"""Counts of a window per account, added up in PostgreSQL and read as columns.

One statement over the daily rows of the window, whatever the number of accounts, which adds up only what is asked
for; the answer comes in columns, so 10,000 accounts cost little more than the scan itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from usage.catalogue import TREND_WINDOW, WINDOW
from usage.packed import KEY, LARGE, packed, words

MONDAY = "date '2000-01-03'"
# What every formula stands on, and what is added up over the window.
_BASES = ("has_events", "has_users", "assigned")
_SUMS = (
    "active", "logged_in", "mobile", "features_used", "two_features", "three_features", "feature_users",
    "weekday_active", "quantity", "recent", "previous", "logins", "sessions", "session_seconds", "workflows_started",
    "workflows_completed", "active_days",
)  # fmt: skip
# As long as the transaction lasts: compiling, spilling and splitting cost more than the scan of the window.
QUIET = (
    "set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
    " set_config('max_parallel_workers_per_gather', '0', true)"
)
# A user counts from the day of their first event.
_SEEN = "u.first_seen_at < %(on)s::date + 1"


@dataclass(frozen=True, slots=True)
class Window:
    """Counts per account as columns in the order of ``keys``; ``seen_at`` is the latest event at all.

    ``keys`` are the accounts' ids as two words each.
    """

    keys: npt.NDArray[Any]
    columns: dict[str, npt.NDArray[Any]]
    seen_at: dt.datetime | None

    @property
    def accounts(self) -> list[UUID]:
        """The accounts' ids."""
        return [UUID(bytes=key.tobytes()) for key in self.keys]


def counts_of(account_ids: Sequence[UUID] | None, on: dt.date, *, asked: Collection[str] = _SUMS) -> Window:
    """Counts of the 30 days up to ``on`` for the accounts (None: all): the bases, and what is ``asked`` of the sums.

    Two queries, one a COPY.
    """
    parameters = {"on": on} if account_ids is None else {"on": on, "ids": list(account_ids)}
    names = [*_BASES, *(name for name in _SUMS if name in asked)]
    with transaction.atomic(savepoint=False):
        frame = _frame(on)
        statement = _statement(frame.slots, narrowed=account_ids is not None)
        rows = packed(statement, parameters, {"account_id": KEY} | dict.fromkeys(names, LARGE))
    columns: dict[str, npt.NDArray[Any]] = {name: rows[name].astype(np.int64) for name in names}
    for name, value in (
        ("features", len(frame.slots)),
        ("weekdays", weekdays_before(on)),
        ("has_mobile", int("mobile" in frame.signals)),
        ("has_logins", int("login" in frame.signals)),
    ):
        columns[name] = np.full(len(rows["account_id"]), value, dtype=np.int64)
    return Window(words(rows["account_id"]), columns, frame.seen_at)


class Frame(NamedTuple):
    """The latest event up to a day, the columns of the counted key features, what events tell by then."""

    seen_at: dt.datetime | None
    slots: list[int]
    signals: list[str]


def weekdays_before(on: dt.date) -> int:
    """Mondays to Fridays among the 30 days that end with ``on``."""
    return sum((on - dt.timedelta(days=back)).weekday() < 5 for back in range(WINDOW))


def _frame(on: dt.date) -> Frame:
    """Also sets the transaction to QUIET, for what it is read for."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {QUIET}, (SELECT max(last_at) FROM usage_accountday WHERE day ="
            " (SELECT max(day) FROM usage_accountday WHERE day <= %(on)s)),"
            " (SELECT array_agg(slot ORDER BY slot) FROM usage_featureslot WHERE counted),"
            " (SELECT array_agg(kind) FROM usage_signal WHERE first_at < %(on)s::date + 1)",
            {"on": on},
        )
        *_, seen_at, slots, signals = cursor.fetchone()
        return Frame(seen_at, slots or [], signals or [])


def _bits(expression: str) -> str:
    return f"bit_count(({expression})::bit(64))"


def _at_least(count: int, columns: Sequence[str]) -> str:
    """An expression whose bits mark users in at least ``count`` of the bitmaps ``columns``."""
    if len(columns) < count:
        return "0::bigint"
    if count == 1:
        return f"({' | '.join(columns)})"
    *rest, last = columns
    with_last = f"({last} & {_at_least(count - 1, rest)})"
    return with_last if len(rest) < count else f"({with_last} | {_at_least(count, rest)})"


def _statement(slots: Sequence[int], *, narrowed: bool) -> str:
    keys = [f"k{slot}" for slot in slots]
    mask = sum(1 << (slot - 1) for slot in slots)
    merged = "".join(f", bit_or({key}) AS {key}" for key in keys)
    feature_users = " + ".join(f"{_bits(key)}" for key in keys) or "0"
    summed = "".join(f", coalesce(t.{name}, 0)::bigint AS {name}" for name in _SUMS)
    return f"""
WITH words AS (
    SELECT account_id, word, bit_or(act) AS act, bit_or(login) AS login, bit_or(mobile) AS mobile,
        bit_or(features) AS features{merged},
        sum({_bits("act")}) FILTER (WHERE (day - {MONDAY}) %% 7 < 5) AS weekday_active,
        sum(quantity) AS quantity,
        sum(quantity) FILTER (WHERE day >= %(on)s::date - {TREND_WINDOW} AND day < %(on)s::date) AS recent,
        sum(quantity) FILTER (WHERE day < %(on)s::date - {TREND_WINDOW} AND day >= %(on)s::date - {2 * TREND_WINDOW})
            AS previous,
        sum(logins) AS logins, sum(sessions) AS sessions, sum(session_seconds) AS session_seconds,
        sum(workflows_started) AS workflows_started, sum(workflows_completed) AS workflows_completed,
        bit_or(1::bigint << (%(on)s::date - day)) AS days
    FROM usage_accountday
    WHERE day > %(on)s::date - {WINDOW} AND day <= %(on)s::date
    {"AND account_id = ANY(%(ids)s)" if narrowed else ""}
    GROUP BY account_id, word
),
totals AS (
    SELECT account_id, sum({_bits("act")}) AS active, sum({_bits("login")}) AS logged_in,
        sum({_bits("mobile")}) AS mobile, {_bits(f"bit_or(features)::bigint & {mask}")} AS features_used,
        sum({_bits(_at_least(2, keys))}) AS two_features, sum({_bits(_at_least(3, keys))}) AS three_features,
        sum({feature_users}) AS feature_users, sum(weekday_active) AS weekday_active, sum(quantity) AS quantity,
        sum(recent) AS recent, sum(previous) AS previous, sum(logins) AS logins, sum(sessions) AS sessions,
        sum(session_seconds) AS session_seconds, sum(workflows_started) AS workflows_started,
        sum(workflows_completed) AS workflows_completed, {_bits("bit_or(days)")} AS active_days
    FROM words GROUP BY account_id
)
SELECT a.id AS account_id,
    (t.account_id IS NOT NULL OR EXISTS (
        SELECT FROM usage_accountday d WHERE d.account_id = a.id AND d.day <= %(on)s::date))::int::bigint AS has_events,
    (coalesce(t.active > 0, false) OR EXISTS (
        SELECT FROM usage_appuser u WHERE u.account_id = a.id AND {_SEEN}))::int::bigint AS has_users,
    coalesce(a.assigned_users, a.seats, (
        SELECT count(*) FROM usage_appuser u WHERE u.account_id = a.id AND {_SEEN}))::bigint AS assigned{summed}
FROM accounts_account a LEFT JOIN totals t ON t.account_id = a.id
{"WHERE a.id = ANY(%(ids)s)" if narrowed else ""}
"""
