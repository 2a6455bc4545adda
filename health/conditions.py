"""Trigger conditions, evaluated for all accounts at once: which accounts does a condition hold for?

A condition is data in the packs' shape: a test of a metric, an event, the absence of an event, membership of a
segment, or ``any`` / ``all`` of several. Pure: facts come in as columns (metric to account to value), so a
simulator asks the very same functions about a single account.

A missing metric is false, whatever the test (packs/README). A test of a metric may name the window, the
severities and the smallest count it was measured over; ``metrics_of`` says which columns that needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from health.scoring.measures import OPERATORS, Value, compile_test

Condition = Mapping[str, Any]
# An account's key: its id, or a simulator's only one.
Key = Any
# An event counts as new for this long; older ones are history that an import brought in.
EVENT_WINDOW_DAYS = 30
# What a run's own results are called as metrics.
HEALTH_SCORE, HEALTH_BAND, HEALTH_CHANGE = "health_score", "health_band", "health_score_change"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of some accounts at ``at``.

    ``metrics``: metric to account to value. ``events``: event to account to the last moment it happened.
    ``known_since``: every account in question, with the moment from which silence can be counted.
    ``handled``: event happenings up to this moment, per account, no longer count as new.
    ``segments``: a segment's id, as text, to the accounts in it.
    ``measured``: metric facts already answer the condition's window, severity and count (simulators).
    """

    at: datetime
    metrics: Mapping[str, Mapping[Key, Value]]
    events: Mapping[str, Mapping[Key, datetime]] = field(default_factory=dict)
    known_since: Mapping[Key, datetime | None] = field(default_factory=dict)
    handled: Mapping[Key, datetime] = field(default_factory=dict)
    segments: Mapping[str, AbstractSet[Key]] = field(default_factory=dict)
    measured: bool = False


def accounts_where(condition: Condition, facts: Facts) -> AbstractSet[Key]:
    """The accounts for which ``condition`` holds. Cost: one pass over the columns it names."""
    if "any" in condition:
        return set().union(*(accounts_where(part, facts) for part in condition["any"]))
    if "all" in condition:
        first, *rest = (accounts_where(part, facts) for part in condition["all"])
        return set(first).intersection(*rest)
    if "event" in condition:
        return _where_happened(condition, facts)
    if "absent" in condition:
        return _where_silent(condition, facts)
    if "segment" in condition:
        return facts.segments.get(condition["segment"], frozenset())
    return _where_measured(condition, facts)


def metrics_of(condition: Condition) -> frozenset[str]:
    """The metrics whose columns a condition needs when facts are not ``measured``."""
    if "any" in condition or "all" in condition:
        return frozenset().union(*(metrics_of(part) for part in condition.get("any") or condition["all"]))
    if "metric" not in condition:
        return frozenset()
    names = set(_severity_columns(condition) or [condition["metric"]])
    if "min_count" in condition:
        names.add(_count_column(condition))
    return frozenset(names)


def named_metrics(condition: Condition) -> frozenset[str]:
    """The metrics a condition names, as a person or a simulator writes them."""
    return frozenset(_leaves(condition, "metric"))


def events_of(condition: Condition) -> frozenset[str]:
    """The events whose happening a condition waits for."""
    return frozenset(_leaves(condition, "event"))


def absences_of(condition: Condition) -> frozenset[str]:
    """The events whose absence a condition waits for."""
    return frozenset(_leaves(condition, "absent"))


def segments_of(condition: Condition) -> frozenset[str]:
    """The ids of the segments a condition asks about."""
    return frozenset(_leaves(condition, "segment"))


def leaves(condition: Condition) -> list[Condition]:
    """The tests a condition joins, in its order; a condition that joins none is its only one."""
    parts = condition.get("any") or condition.get("all")
    return [leaf for part in parts for leaf in leaves(part)] if parts else [condition]


def _leaves(condition: Condition, kind: str) -> set[str]:
    parts = condition.get("any") or condition.get("all")
    if parts:
        return set().union(*(_leaves(part, kind) for part in parts))
    return {condition[kind]} if kind in condition else set()


def _where_happened(condition: Condition, facts: Facts) -> set[Key]:
    happened = facts.events.get(condition["event"], {})
    since = facts.at - timedelta(days=condition.get("window_days", EVENT_WINDOW_DAYS))
    handled = facts.handled
    return {
        account
        for account, moment in happened.items()
        if moment >= since and (account not in handled or moment > handled[account])
    }


def _where_silent(condition: Condition, facts: Facts) -> set[Key]:
    happened = facts.events.get(condition["absent"], {})
    before = facts.at - timedelta(days=condition["days"])
    silent = set()
    for account, since in facts.known_since.items():
        last = happened.get(account)
        if since is not None and since <= before and (last is None or last <= before):
            silent.add(account)
    return silent


def _where_measured(condition: Condition, facts: Facts) -> set[Key]:
    holds = compile_test(condition)
    columns = None if facts.measured else _severity_columns(condition)
    column = _sum_of(columns, facts) if columns else facts.metrics.get(condition["metric"], {})
    accounts = {account for account, value in column.items() if holds(value)}
    if facts.measured or "min_count" not in condition:
        return accounts
    counts = facts.metrics.get(_count_column(condition), {})
    least = Decimal(condition["min_count"])
    return {account for account in accounts if Decimal(counts.get(account, 0)) >= least}


def _severity_columns(condition: Condition) -> list[str] | None:
    """A metric over severities is the sum of ``metric:severity`` columns."""
    if "severity" not in condition:
        return None
    return [f"{condition['metric']}:{severity}" for severity in condition["severity"]]


def _count_column(condition: Condition) -> str:
    return condition["metric"].removesuffix("_change_pct")


def _sum_of(columns: Sequence[str], facts: Facts) -> dict[Key, Value]:
    total: dict[Key, Value] = {}
    for name in columns:
        for account, value in facts.metrics.get(name, {}).items():
            total[account] = Decimal(total.get(account, 0)) + Decimal(value)
    return total


__all__ = [
    "EVENT_WINDOW_DAYS",
    "OPERATORS",
    "Condition",
    "Facts",
    "absences_of",
    "accounts_where",
    "events_of",
    "leaves",
    "metrics_of",
    "named_metrics",
    "segments_of",
]
