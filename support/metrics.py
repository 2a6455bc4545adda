"""What the desk's own tickets say about accounts, for scorecards and triggers: the metric provider.

Daily figures as of a day, from the rows as they were at its end: what was opened, how bad it was then, what was
still open, resolved, escalated, rated. A ticket that was cancelled (spam, merged into another) counts nowhere.

A figure somebody stated for an account goes before the desk's, by the rule of every computed metric: as long as
its day, or that of a daily figure it is made of, is at most 31 days back. Once the desk is in use, an account
without a ticket has zero of them, unless its tickets were ever stated: then it is looked after elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Severity
from accounts.observations import Observation
from usage.catalogue import STATED_FOR_DAYS
from usage.derived import trimmed
from usage.metrics import provide as usage_of
from usage.stated import DAILY, latest_values

SOURCE = "support desk"
RATINGS_WINDOW = 90
OPEN, COUNTED = "open_tickets", "ticket_count"
PER_USER = "tickets_per_user_monthly"
Columns = dict[str, dict[UUID, Observation]]

_OPENED = frozenset({
    "tickets_month", COUNTED, "ticket_count_change_pct", "s1_tickets_30d", "s2_tickets_30d", "s3_tickets_30d",
    "s4_tickets_30d", "escalation_rate_percentage", PER_USER,
})  # fmt: skip
_RESOLVED = frozenset({"resolution_hours", "avg_resolution_hours"})
_RATED = frozenset({"csat_pct", "support_satisfaction", "satisfaction_pct"})
_ELAPSED = "sla_elapsed_pct"

# In use since the first ticket; the zone says where a day ends.
_DESK = """SELECT w.timezone, (SELECT min(created_at) FROM support_ticket WHERE status <> 'cancelled')
FROM accounts_workspace w"""
_ACCOUNTS = """SELECT a.id, EXISTS (SELECT FROM support_ticket t WHERE t.account_id = a.id AND t.created_at < %(end)s
    AND t.status <> 'cancelled') FROM accounts_account a WHERE {which}"""
# How bad it was at the end of the window: what the first later change says it was before, else what it is.
_SEVERITY = """LEFT JOIN accounts_severity s ON s.id = t.severity_id
LEFT JOIN LATERAL (SELECT e.data->>'from' AS key FROM support_ticketevent e WHERE e.ticket_id = t.id
    AND e.kind = 'severity' AND e.at >= %(end)s ORDER BY e.at, e.id LIMIT 1) AS was ON true"""
_SQL_OPENED = f"""SELECT t.account_id, lower(coalesce(was.key, s.key, '')),
    count(*) FILTER (WHERE t.created_at >= %(fortnight)s), count(*) FILTER (WHERE t.created_at >= %(month)s),
    count(*) FILTER (WHERE t.created_at < %(month)s),
    count(*) FILTER (WHERE t.created_at >= %(month)s AND EXISTS (SELECT FROM support_escalation x
        WHERE x.ticket_id = t.id AND x.raised_at < %(end)s))
FROM support_ticket t {_SEVERITY}
WHERE t.created_at >= %(before)s AND t.created_at < %(end)s AND t.status <> 'cancelled' {{narrow}} GROUP BY 1, 2"""
_SQL_OPEN = f"""SELECT t.account_id, lower(coalesce(was.key, s.key, '')), count(*)
FROM support_ticket t {_SEVERITY}
WHERE t.created_at < %(end)s AND (t.resolved_at IS NULL OR t.resolved_at >= %(end)s) AND t.status <> 'cancelled'
    {{narrow}} GROUP BY 1, 2"""
_SQL_RESOLVED = """SELECT t.account_id, sum(extract(epoch FROM t.resolved_at - t.created_at)) / 3600, count(*)
FROM support_ticket t
WHERE t.resolved_at >= %(month)s AND t.resolved_at < %(end)s AND t.status <> 'cancelled' {narrow} GROUP BY 1"""
_SQL_RATED = """SELECT t.account_id, count(*) FILTER (WHERE r.score >= 4), count(*)
FROM support_ticketrating r JOIN support_ticket t ON t.id = r.ticket_id
WHERE r.at >= %(ratings)s AND r.at < %(end)s AND t.status <> 'cancelled' {narrow} GROUP BY 1"""
# Alerts are the moments at which a share of a promise was used up, worked out in business time already.
_SQL_ELAPSED = """SELECT t.account_id, max(rtrim(l.threshold, '%%')::int)
FROM support_slaclock c JOIN support_ticket t ON t.id = c.ticket_id JOIN support_slaalert l ON l.clock_id = c.id
WHERE (c.stopped_at IS NULL OR c.stopped_at >= %(end)s) AND c.verdict <> 'cancelled' AND l.rearmed_at IS NULL
    AND l.threshold LIKE '%%\\%%' AND l.fell_due_at < %(end)s {narrow} GROUP BY 1"""


@dataclass(slots=True)
class _Figures:
    """One account's figures; by severity's key in lower case where they are by severity."""

    fortnight: dict[str, int] = field(default_factory=dict)
    month: dict[str, int] = field(default_factory=dict)
    before: int = 0
    escalated: int = 0
    open: dict[str, int] = field(default_factory=dict)
    hours: Decimal = Decimal(0)
    resolved: int = 0
    satisfied: int = 0
    rated: int = 0
    elapsed: int = 0

    def of_rank(self, rank: int, ranks: Mapping[str, int]) -> int:
        return sum(count for key, count in self.month.items() if ranks.get(key) == rank)


def provide(account_ids: list[UUID] | None, metrics: set[str], on: date, known_at: datetime | None = None) -> Columns:
    """Metric to account to observation as of ``on``, for these accounts (None: all not archived).

    At most nine queries and those of the users asked for; one while the desk has no ticket, none when nothing of
    it is asked. ``known_at`` leaves out what happened later.
    """
    wanted = {name for name in metrics if _is_ours(name)}
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_DESK)
        zone, since = cursor.fetchone()
    end = _midnight(on + timedelta(days=1), zone)
    end = min(end, known_at) if known_at else end
    if since is None or since >= end:
        return {}
    columns = _columns(account_ids, wanted, on, _window(on, zone, end, account_ids), known_at)
    return _after_stated(account_ids, columns, on, known_at)


def _is_ours(name: str) -> bool:
    plain = name.partition(":")[0]
    return name in _OPENED | _RESOLVED | _RATED | {OPEN, _ELAPSED} or plain in {OPEN, COUNTED}


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


def _window(on: date, zone: str, end: datetime, account_ids: list[UUID] | None) -> dict[str, Any]:
    """The bounds of the windows, each beginning at a midnight of the workspace; the day asked about counts."""
    days = {"fortnight": 14, "month": 30, "before": 60, "ratings": RATINGS_WINDOW}
    starts = {name: _midnight(on - timedelta(days=length - 1), zone) for name, length in days.items()}
    return {**starts, "end": end, "ids": account_ids}


def _columns(
    account_ids: list[UUID] | None, wanted: set[str], on: date, window: dict[str, Any], known_at: datetime | None
) -> Columns:
    figures, served = _figures(account_ids, wanted, window)
    users = usage_of(account_ids, {"active_users"}, on, known_at).get("active_users", {}) if PER_USER in wanted else {}
    ranks = {key.lower(): rank for key, rank in Severity.objects.values_list("key", "rank")}
    observed_at = datetime.combine(on, time(), UTC)
    columns: Columns = defaultdict(dict)
    for account in served:
        for name in wanted:
            value = _value(name, figures[account], ranks, users.get(account))
            if value is not None:
                columns[name][account] = Observation(trimmed(value), observed_at, SOURCE)
    return dict(columns)


def _value(name: str, f: _Figures, ranks: Mapping[str, int], users: Observation | None) -> Decimal | None:
    plain, _colon, severity = name.partition(":")
    if severity:
        counts = f.open if plain == OPEN else f.fortnight
        return Decimal(counts.get(severity.lower(), 0))
    if name == PER_USER:
        return _ratio(sum(f.month.values()), Decimal(users.value)) if users else None
    if name.endswith("_tickets_30d"):
        return Decimal(f.of_rank(int(name[1]), ranks))
    return _PLAIN[name](f)


def _ratio(part: int | Decimal, whole: int | Decimal, factor: int = 1) -> Decimal | None:
    return (Decimal(part) * factor / whole).quantize(Decimal("0.000001")) if whole else None


def _change(f: _Figures) -> Decimal | None:
    now = sum(f.month.values())
    # From none, each ticket counts as a rise of 100 % (AMB-31).
    return _ratio(now - f.before, f.before or 1, 100) if now or f.before else None


_PLAIN: dict[str, Callable[[_Figures], Decimal | None]] = {
    "tickets_month": lambda f: Decimal(sum(f.month.values())),
    COUNTED: lambda f: Decimal(sum(f.month.values())),
    "ticket_count_change_pct": _change,
    "escalation_rate_percentage": lambda f: _ratio(f.escalated, sum(f.month.values()), 100),
    OPEN: lambda f: Decimal(sum(f.open.values())),
    "resolution_hours": lambda f: _ratio(f.hours, f.resolved),
    "avg_resolution_hours": lambda f: _ratio(f.hours, f.resolved),
    # The share answering 4 or 5; nobody answered: no figure (AMB-07).
    "csat_pct": lambda f: _ratio(f.satisfied, f.rated, 100),
    "support_satisfaction": lambda f: _ratio(f.satisfied, f.rated, 100),
    "satisfaction_pct": lambda f: _ratio(f.satisfied, f.rated, 100),
    _ELAPSED: lambda f: Decimal(f.elapsed),
}


def _figures(
    account_ids: list[UUID] | None, wanted: set[str], window: dict[str, Any]
) -> tuple[dict[UUID, _Figures], set[UUID]]:
    """The figures of accounts, and which of them the desk looks after. One query each part that is asked for."""
    figures: dict[UUID, _Figures] = defaultdict(_Figures)
    narrow = "" if account_ids is None else "AND t.account_id = ANY(%(ids)s)"
    which = "a.archived_at IS NULL" if account_ids is None else "a.id = ANY(%(ids)s)"
    ever = dict(_rows(_ACCOUNTS.format(which=which), window))
    if _OPENED & wanted or any(name.startswith(f"{COUNTED}:") for name in wanted):
        for account, key, fortnight, month, before, escalated in _rows(_SQL_OPENED.format(narrow=narrow), window):
            one = figures[account]
            one.fortnight[key], one.month[key] = fortnight, month
            one.before, one.escalated = one.before + before, one.escalated + escalated
    if any(name.startswith(OPEN) for name in wanted):
        for account, key, count in _rows(_SQL_OPEN.format(narrow=narrow), window):
            figures[account].open[key] = count
    if _RESOLVED & wanted:
        for account, hours, count in _rows(_SQL_RESOLVED.format(narrow=narrow), window):
            figures[account].hours, figures[account].resolved = hours, count
    if _RATED & wanted:
        for account, satisfied, count in _rows(_SQL_RATED.format(narrow=narrow), window):
            figures[account].satisfied, figures[account].rated = satisfied, count
    if _ELAPSED in wanted:
        for account, percent in _rows(_SQL_ELAPSED.format(narrow=narrow), window):
            figures[account].elapsed = percent
    silent = [account for account, has_tickets in ever.items() if not has_tickets]
    elsewhere = _stated_ever(silent, window["end"]) if silent else set()
    return figures, ever.keys() - elsewhere


def _stated_ever(account_ids: list[UUID], end: datetime) -> set[UUID]:
    given = latest_values(account_ids, {*DAILY, *_OPENED, OPEN}, end.date())
    return {account for column in given.values() for account in column}


def _after_stated(account_ids: list[UUID] | None, columns: Columns, on: date, known_at: datetime | None) -> Columns:
    """Without the figures that somebody stated and keeps up. One query."""
    oldest = datetime.combine(on - timedelta(days=STATED_FOR_DAYS), time(), UTC)
    parts = {name: _parts(name) for name in columns}
    given = latest_values(account_ids, {part for each in parts.values() for part in each}, on, known_at)
    kept = {
        part: {account for account, seen in column.items() if seen.observed_at >= oldest}
        for part, column in given.items()
    }
    for name, column in columns.items():
        for account in set().union(*(kept.get(part, set()) for part in parts[name])):
            column.pop(account, None)
    return {name: column for name, column in columns.items() if column}


def _parts(name: str) -> Iterable[str]:
    """What may be stated in the place of a metric: itself, and the daily figures it is made of."""
    plain = name.partition(":")[0]
    if plain == OPEN:
        return {name, plain, *(f"open_tickets_s{rank}" for rank in (1, 2, 3, 4))}
    if name in _RATED | {_ELAPSED}:
        return {name}
    if name in _RESOLVED:
        return {name, "tickets_resolved", "resolution_hours_total"}
    if name == "escalation_rate_percentage":
        return {name, "tickets_escalated"}
    return {name, "tickets_opened", *(f"tickets_s{rank}" for rank in (1, 2, 3, 4))}


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
