"""What usage knows about accounts, for scorecards and triggers: the metric provider.

Two kinds of value: computed from events and daily figures (``usage.catalogue``), and stated by an integration
or a person. Where both exist, the stated one is taken while it is no older than 31 days: whoever states a
figure means it; when it is no longer kept up, the computed one returns.

Everything is as of a day: windows end there, later values are not seen. Four queries whatever the number of
accounts, two of them only when computed figures are asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from accounts.observations import Observation
from usage.catalogue import STATED_FOR_DAYS
from usage.counts import Window, counts_of
from usage.derived import FORMULAS, Column, counts_read, exact, trimmed
from usage.stated import Given, latest_values, ticket_columns, ticket_metrics_in

SOURCE = "usage events"
PER_USER = "tickets_per_user_monthly"
# Stated figures that the formulas divide by.
BASES = {"assigned_users": "assigned", "expected_usage_30d": "expected"}

Columns = dict[str, dict[UUID, Observation]]


def provide(
    account_ids: list[UUID] | None, metrics: set[str], on: dt.date, known_at: dt.datetime | None = None
) -> Columns:
    """Metric to account to observation, as of ``on``, for the accounts (None: all). At most five queries.

    A metric nobody measured for an account has no entry there. ``known_at`` leaves out stated values that were
    recorded later; usage counts on its own day, which is when it arrives.
    """
    given = latest_values(account_ids, metrics | set(BASES), on, known_at)
    computed: Columns = {}
    parts = {"tickets_month", "active_users"} if PER_USER in metrics else set()
    formulas = (metrics | parts) & set(FORMULAS)
    if formulas:
        computed = computed_columns(counts_of(account_ids, on, asked=counts_read(formulas)), given, formulas, on)
    tickets = ticket_metrics_in(metrics | parts)
    if tickets:
        computed |= ticket_columns(account_ids, tickets, on, known_at)
    if parts:
        computed[PER_USER] = per_user(computed.get("tickets_month", {}), computed.get("active_users", {}))
    return {
        metric: column for metric in metrics if (column := _merged(computed.get(metric, {}), given.get(metric, {}), on))
    }


def per_user(tickets: dict[UUID, Observation], users: dict[UUID, Observation]) -> dict[UUID, Observation]:
    """Tickets of the month over active users, where there are any."""
    return {
        account: seen._replace(value=_quotient(seen, users[account]))
        for account, seen in tickets.items()
        if account in users and users[account].value
    }


def _quotient(part: Observation, whole: Observation) -> Decimal:
    return trimmed((Decimal(part.value) / Decimal(whole.value)).quantize(Decimal("0.000001")))


def computed_columns(window: Window, given: Given, metrics: Iterable[str], on: dt.date) -> Columns:
    """The formulas' figures from a window's counts. No query."""
    counts = computed_counts(window, given)
    observed_at = _observed_at(window.seen_at, on)
    accounts = window.accounts
    return {metric: _observations(accounts, FORMULAS[metric](counts), observed_at) for metric in metrics}


def computed_counts(window: Window, given: Given) -> dict[str, Any]:
    """A window's counts with the stated figures that formulas divide by in their place."""
    counts: dict[str, Any] = dict(window.columns)
    place = {account: index for index, account in enumerate(window.accounts)} if given else {}
    counts["expected"] = np.zeros(len(window.keys))
    for metric, column in BASES.items():
        base = counts[column].astype(np.float64)
        for account, seen in given.get(metric, {}).items():
            if account in place:
                base[place[account]] = float(seen.value)
        counts[column] = base
    return counts


def _observed_at(seen_at: dt.datetime | None, on: dt.date) -> dt.datetime:
    """The feed's latest event: a silent account of a live feed is fresh, all accounts of a dead one are stale."""
    end = dt.datetime.combine(on, dt.time(23, 59, 59), tzinfo=dt.UTC)
    return min(seen_at, end) if seen_at else end


def _observations(accounts: list[UUID], values: Column, observed_at: dt.datetime) -> dict[UUID, Observation]:
    measured = np.flatnonzero(~np.isnan(values))
    rounded = np.round(values[measured], 6).tolist()
    return {
        accounts[index]: Observation(exact(value), observed_at, SOURCE)
        for index, value in zip(measured.tolist(), rounded, strict=True)
    }


def _merged(computed: dict[UUID, Observation], stated: dict[UUID, Observation], on: dt.date) -> dict[UUID, Observation]:
    if not computed or not stated:
        return stated or computed
    oldest = dt.datetime.combine(on - dt.timedelta(days=STATED_FOR_DAYS), dt.time(), tzinfo=dt.UTC)
    return computed | {
        account: seen for account, seen in stated.items() if account not in computed or seen.observed_at >= oldest
    }
