"""Stated values as of a day, and the ticket figures added up from stated daily ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import Severity
from accounts.observations import Observation
from usage.derived import trimmed

Given = dict[str, dict[UUID, Observation]]
SOURCE = "daily ticket figures"
RANKS = (1, 2, 3, 4)

# The newest value of each metric up to a day. The current newest comes from the table of latest values; only
# where that one is later than the day, history is asked.
LATEST = """
SELECT l.account_id, l.metric, l.number, l.choice, l."on", l.source FROM usage_metriclatest l
WHERE l.metric = ANY(%(metrics)s) AND l."on" <= %(on)s {narrow}
UNION ALL
SELECT l.account_id, l.metric, v.number, v.choice, v."on", v.source FROM usage_metriclatest l
CROSS JOIN LATERAL (
    SELECT number, choice, "on", source FROM usage_metricvalue v
    WHERE v.account_id = l.account_id AND v.metric = l.metric AND v."on" <= %(on)s AND v.superseded_at IS NULL
    ORDER BY v."on" DESC LIMIT 1) AS v
WHERE l.metric = ANY(%(metrics)s) AND l."on" > %(on)s {narrow}
"""
# A value counts from when it was recorded until another took its place: what was known at a moment.
KNOWN = "v.recorded_at <= %(known_at)s AND (v.superseded_at IS NULL OR v.superseded_at > %(known_at)s)"
LATEST_KNOWN = f"""
SELECT l.account_id, l.metric, v.number, v.choice, v."on", v.source FROM usage_metriclatest l
CROSS JOIN LATERAL (
    SELECT number, choice, "on", source FROM usage_metricvalue v
    WHERE v.account_id = l.account_id AND v.metric = l.metric AND v."on" <= %(on)s AND {KNOWN}
    ORDER BY v."on" DESC, v.recorded_at DESC LIMIT 1) AS v
WHERE l.metric = ANY(%(metrics)s) {{narrow}}
"""


def latest_sql(known_at: dt.datetime | None) -> str:
    """The statement for the newest values: as they stand now, or as they were known at a moment."""
    return LATEST if known_at is None else LATEST_KNOWN


@lru_cache(maxsize=4096)
def _start_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def latest_values(
    account_ids: Sequence[UUID] | None, metrics: Iterable[str], on: dt.date, known_at: dt.datetime | None = None
) -> Given:
    """The newest stated value of each metric and account up to ``on``. One query.

    A value is observed at the start of its day. A value that reached us later but speaks of an earlier day
    counts for that day, unless ``known_at`` asks for what was known by then.
    """
    narrow = "" if account_ids is None else "AND l.account_id = ANY(%(ids)s)"
    given: Given = {}
    with connection.cursor() as cursor:
        parameters = {"metrics": sorted(metrics), "on": on, "ids": list(account_ids or []), "known_at": known_at}
        cursor.execute(latest_sql(known_at).format(narrow=narrow), parameters)
        for account, metric, number, choice, day, source in cursor.fetchall():
            value = choice if number is None else trimmed(number)
            given.setdefault(metric, {})[account] = Observation(value, _start_of(day), source)
    return given


class Tickets(NamedTuple):
    """One account's ticket figures: sums by metric over 14, 30 and the 30 days before, and what was ever given."""

    fortnight: Mapping[str, Decimal]
    month: Mapping[str, Decimal]
    before: Mapping[str, Decimal]
    given: frozenset[str]

    def opened(self, sums: Mapping[str, Decimal]) -> Decimal | None:
        """Tickets opened: the total if it is given, else the sum over severities."""
        if "tickets_opened" in self.given:
            return sums.get("tickets_opened", Decimal(0))
        if self.has_severities:
            return sum((sums.get(f"tickets_s{rank}", Decimal(0)) for rank in RANKS), Decimal(0))
        return None

    @property
    def has_severities(self) -> bool:
        return any(f"tickets_s{rank}" in self.given for rank in RANKS)

    def of_rank(self, sums: Mapping[str, Decimal], rank: int) -> Decimal | None:
        return sums.get(f"tickets_s{rank}", Decimal(0)) if self.has_severities else None


def _share(part: Decimal | None, whole: Decimal | None, factor: int = 1) -> Decimal | None:
    if part is None or not whole:
        return None
    return (part * factor / whole).quantize(Decimal("0.000001"))


def _change(tickets: Tickets) -> Decimal | None:
    now, before = tickets.opened(tickets.month), tickets.opened(tickets.before)
    if now is None or before is None or not (now or before):
        return None
    # From none, each ticket counts as a rise of 100 %.
    return ((now - before) * 100 / (before or Decimal(1))).quantize(Decimal("0.000001"))


def _resolution(tickets: Tickets) -> Decimal | None:
    return _share(tickets.month.get("resolution_hours_total"), tickets.month.get("tickets_resolved"))


def _escalation(tickets: Tickets) -> Decimal | None:
    if "tickets_escalated" not in tickets.given:
        return None
    return _share(tickets.month.get("tickets_escalated", Decimal(0)), tickets.opened(tickets.month), 100)


TICKET_FORMULAS: dict[str, Callable[[Tickets], Decimal | None]] = {
    "tickets_month": lambda t: t.opened(t.month),
    "ticket_count": lambda t: t.opened(t.month),
    "ticket_count_change_pct": _change,
    "s1_tickets_30d": lambda t: t.of_rank(t.month, 1),
    "s2_tickets_30d": lambda t: t.of_rank(t.month, 2),
    "s3_tickets_30d": lambda t: t.of_rank(t.month, 3),
    "s4_tickets_30d": lambda t: t.of_rank(t.month, 4),
    "resolution_hours": _resolution,
    "avg_resolution_hours": _resolution,
    "escalation_rate_percentage": _escalation,
}
DAILY = (
    "tickets_opened", *(f"tickets_s{rank}" for rank in RANKS), "tickets_escalated", "tickets_resolved",
    "resolution_hours_total",
)  # fmt: skip
_BY_SEVERITY = ("ticket_count:", "open_tickets:")


def ticket_metrics_in(metrics: Iterable[str]) -> set[str]:
    """Those of ``metrics`` that come from daily ticket figures, ``ticket_count:<severity>`` among them."""
    return {one for one in metrics if one in TICKET_FORMULAS or one.startswith(_BY_SEVERITY)}


def ticket_columns(
    account_ids: Sequence[UUID] | None, metrics: Iterable[str], on: dt.date, known_at: dt.datetime | None = None
) -> Given:
    """Ticket metrics of the accounts whose daily ticket figures are given. Two queries, four with severities."""
    observed_at = _start_of(on)
    wanted = set(metrics)
    by_severity = {one for one in wanted if one.startswith(_BY_SEVERITY)}
    columns: Given = {}
    ranks = _ranks() if by_severity else {}
    formulas = {one: TICKET_FORMULAS[one] for one in wanted - by_severity} | {
        one: _of_severity(ranks.get(one.partition(":")[2].lower(), 0))
        for one in by_severity
        if one.startswith("ticket_count:")
    }
    for account, tickets in _tickets(account_ids, on, known_at).items():
        for metric, formula in formulas.items():
            value = formula(tickets)
            if value is not None:
                columns.setdefault(metric, {})[account] = Observation(trimmed(value), observed_at, SOURCE)
    columns |= _open_tickets(account_ids, by_severity, ranks, on, known_at)
    return columns


def _of_severity(rank: int) -> Callable[[Tickets], Decimal | None]:
    return lambda tickets: tickets.of_rank(tickets.fortnight, rank)


def _ranks() -> dict[str, int]:
    return {key.lower(): rank for key, rank in Severity.objects.values_list("key", "rank")}


def _open_tickets(
    account_ids: Sequence[UUID] | None,
    by_severity: set[str],
    ranks: Mapping[str, int],
    on: dt.date,
    known_at: dt.datetime | None,
) -> Given:
    names = {
        one: f"open_tickets_s{ranks.get(one.partition(':')[2].lower(), 0)}"
        for one in by_severity
        if one.startswith("open_tickets:")
    }
    if not names:
        return {}
    given = latest_values(account_ids, set(names.values()), on, known_at)
    return {one: given[name] for one, name in names.items() if name in given}


SUMS = """
SELECT v.account_id, v.metric,
    coalesce(sum(v.number) FILTER (WHERE v."on" > %(on)s::date - 14), 0) AS fortnight,
    coalesce(sum(v.number) FILTER (WHERE v."on" > %(on)s::date - 30), 0) AS month,
    coalesce(sum(v.number) FILTER (WHERE v."on" <= %(on)s::date - 30), 0) AS before
FROM usage_metricvalue v
WHERE {which} AND v.metric = ANY(%(metrics)s)
    AND v."on" > %(on)s::date - %(days)s AND v."on" <= %(on)s::date {narrow}
GROUP BY v.account_id, v.metric
"""
EVER = """
SELECT l.account_id, l.metric FROM usage_metriclatest l
WHERE l.metric = ANY(%(metrics)s) {narrow} AND (l."on" <= %(on)s::date OR EXISTS (
    SELECT FROM usage_metricvalue v
    WHERE v.account_id = l.account_id AND v.metric = l.metric AND v."on" <= %(on)s::date))
"""
EVER_KNOWN = """
SELECT l.account_id, l.metric FROM usage_metriclatest l
WHERE l.metric = ANY(%(metrics)s) {narrow} AND EXISTS (
    SELECT FROM usage_metricvalue v WHERE v.account_id = l.account_id AND v.metric = l.metric
        AND v."on" <= %(on)s::date AND v.recorded_at <= %(known_at)s)
"""


def sums_sql(narrow: str, known_at: dt.datetime | None) -> str:
    """The statement for sums of the daily figures of ``days``, 60 for all; ``narrow`` is a condition on ``v``."""
    return SUMS.format(narrow=narrow, which="v.superseded_at IS NULL" if known_at is None else KNOWN)


def ever_sql(narrow: str, known_at: dt.datetime | None) -> str:
    """The statement for which daily figures were ever given, ``narrow`` being a condition on ``l``."""
    return (EVER if known_at is None else EVER_KNOWN).format(narrow=narrow)


def _tickets(account_ids: Sequence[UUID] | None, on: dt.date, known_at: dt.datetime | None) -> dict[UUID, Tickets]:
    ids = list(account_ids or [])
    parameters: dict[str, Any] = {"metrics": list(DAILY), "on": on, "days": 60, "ids": ids, "known_at": known_at}
    narrow = "" if account_ids is None else "AND {}.account_id = ANY(%(ids)s)"
    ever: dict[UUID, set[str]] = {}
    sums: dict[UUID, tuple[dict[str, Decimal], ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ever_sql(narrow.format("l"), known_at), parameters)
        for account, metric in cursor.fetchall():
            ever.setdefault(account, set()).add(metric)
        if not ever:
            return {}
        cursor.execute(sums_sql(narrow.format("v"), known_at), parameters)
        for account, metric, *windows in cursor.fetchall():
            of_account = sums.setdefault(account, ({}, {}, {}))
            for window, total in zip(of_account, windows, strict=True):
                window[metric] = total
    return {account: Tickets(*sums.get(account, ({}, {}, {})), frozenset(given)) for account, given in ever.items()}
