"""What the desk's own tickets say about accounts, for scorecards and triggers: the metric provider.

Daily figures as of a day, from the rows as they were at its end: what was opened, how bad it was then, what was
still open, resolved, escalated, rated. A ticket that was cancelled (spam, merged into another) counts nowhere.
Where tickets are counted by severity, an incident counts like one of its severity for each account it affects,
unless a ticket of the account that tells of it counts already.

A figure somebody stated for an account goes before the desk's, by the rule of every computed metric: as long as
its day, or that of a daily figure it is made of, is at most 31 days back. Once the desk is in use, an account
without a ticket has zero of them, unless its tickets were ever stated: then it is looked after elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

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
# Incidents of the worst severity being worked; also what a trigger waits for as an event of this name.
CRITICAL = "critical_incident"
# Stated, they say that an account's tickets are looked after elsewhere.
_LOOKED_AFTER = frozenset({*DAILY, *_OPENED, OPEN})


def _midnight(days: int) -> str:
    """The workspace's midnight so many days after the day asked about begins."""
    return f"((%(on)s::date + {days})::timestamp AT TIME ZONE w.timezone)"


# The bounds of the windows; the day asked about counts. No row while the desk has neither a ticket nor an incident:
# then it says nothing.
_DESK = f"""desk AS MATERIALIZED (SELECT * FROM (
    SELECT least({_midnight(1)}, %(known_at)s::timestamptz) AS until, {_midnight(-13)} AS fortnight,
        {_midnight(-29)} AS month, {_midnight(-59)} AS before, {_midnight(1 - RATINGS_WINDOW)} AS ratings
    FROM accounts_workspace w) AS bounds
    WHERE EXISTS (SELECT FROM support_ticket t WHERE t.created_at < until AND t.status <> 'cancelled')
        OR EXISTS (SELECT FROM support_incident i WHERE i.opened_at < until))"""
# How bad it was at the end of the window: what the first later change says it was before, else what it is.
_SEVERITY = """LEFT JOIN accounts_severity s ON s.id = t.severity_id
LEFT JOIN LATERAL (SELECT e.data->>'from' AS key FROM support_ticketevent e WHERE e.ticket_id = t.id
    AND e.kind = 'severity' AND e.at >= until ORDER BY e.at, e.id LIMIT 1) AS was ON true"""
# Rows of (part, account, key, four numbers) that one statement puts together.
_PARTS = {
    "served": """SELECT a.id, '', 1 - (EXISTS (SELECT FROM support_ticket t WHERE t.account_id = a.id
        AND t.created_at < until AND t.status <> 'cancelled') OR EXISTS (SELECT FROM support_incidentaccount i
        WHERE i.account_id = a.id AND i.added_at < until))::int, 0, 0, 0
    FROM desk, accounts_account a WHERE {which}""",
    "severity": "SELECT NULL::uuid, lower(key), rank, 0, 0, 0 FROM desk, accounts_severity",
    "opened": f"""SELECT t.account_id, lower(coalesce(was.key, s.key, '')),
        count(*) FILTER (WHERE t.created_at >= fortnight), count(*) FILTER (WHERE t.created_at >= month),
        count(*) FILTER (WHERE t.created_at < month),
        count(*) FILTER (WHERE t.created_at >= month AND EXISTS (SELECT FROM support_escalation x
            WHERE x.ticket_id = t.id AND x.raised_at < until))
    FROM desk, support_ticket t {_SEVERITY}
    WHERE t.created_at >= before AND t.created_at < until AND t.status <> 'cancelled' {{narrow}} GROUP BY 1, 2""",
    "open": f"""SELECT t.account_id, lower(coalesce(was.key, s.key, '')), count(*), 0, 0, 0
    FROM desk, support_ticket t {_SEVERITY}
    WHERE t.created_at < until AND (t.resolved_at IS NULL OR t.resolved_at >= until) AND t.status <> 'cancelled'
        {{narrow}} GROUP BY 1, 2""",
    "resolved": """SELECT t.account_id, '', sum(extract(epoch FROM t.resolved_at - t.created_at)), count(*), 0, 0
    FROM desk, support_ticket t
    WHERE t.resolved_at >= month AND t.resolved_at < until AND t.status <> 'cancelled' {narrow} GROUP BY 1""",
    "rated": """SELECT t.account_id, '', count(*) FILTER (WHERE r.score >= 4), count(*), 0, 0
    FROM desk, support_ticketrating r JOIN support_ticket t ON t.id = r.ticket_id
    WHERE r.at >= ratings AND r.at < until AND t.status <> 'cancelled' {narrow} GROUP BY 1""",
    # Alerts are the moments at which a share of a promise was used up, worked out in business time already.
    "elapsed": """SELECT t.account_id, '', max(rtrim(l.threshold, '%%')::int), 0, 0, 0
    FROM desk, support_slaclock c JOIN support_ticket t ON t.id = c.ticket_id
    JOIN support_slaalert l ON l.clock_id = c.id
    WHERE (c.stopped_at IS NULL OR c.stopped_at >= until) AND c.verdict <> 'cancelled' AND l.rearmed_at IS NULL
        AND l.threshold LIKE '%%\\%%' AND l.fell_due_at < until {narrow} GROUP BY 1""",
    "incidents": """SELECT t.account_id, lower(coalesce(s.key, '')),
        count(*) FILTER (WHERE NOT told AND still), count(*) FILTER (WHERE NOT told AND i.opened_at >= fortnight),
        count(*) FILTER (WHERE still AND s.rank = 1), 0
    FROM desk, support_incidentaccount t JOIN support_incident i ON i.id = t.incident_id
    LEFT JOIN accounts_severity s ON s.id = i.severity_id
    CROSS JOIN LATERAL (SELECT i.resolved_at IS NULL OR i.resolved_at >= until AS still,
        EXISTS (SELECT FROM support_ticket x WHERE x.incident_id = i.id AND x.account_id = t.account_id
            AND x.status <> 'cancelled' AND x.created_at < until) AS told) AS known
    WHERE t.added_at < until AND (t.removed_at IS NULL OR t.removed_at >= until) {narrow} GROUP BY 1, 2""",
}


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
    critical: int = 0
    # What incidents add to the counts by severity, and to no other.
    incidents: dict[str, int] = field(default_factory=dict)
    fresh_incidents: dict[str, int] = field(default_factory=dict)
    is_silent: bool = False

    def take(self, part: str, key: str, numbers: Sequence[Decimal]) -> None:
        """Note a row of the statement's part."""
        first, second, third, fourth = (int(number) for number in numbers)
        match part:
            case "served":
                self.is_silent = bool(first)
            case "opened":
                self.fortnight[key], self.month[key] = first, second
                self.before, self.escalated = self.before + third, self.escalated + fourth
            case "open":
                self.open[key] = first
            case "resolved":
                self.hours, self.resolved = numbers[0] / 3600, second
            case "rated":
                self.satisfied, self.rated = first, second
            case "elapsed":
                self.elapsed = first
            case "incidents":
                self.incidents[key], self.fresh_incidents[key] = first, second
                self.critical += third

    def of_rank(self, rank: int, ranks: Mapping[str, int]) -> int:
        return sum(count for key, count in self.month.items() if ranks.get(key) == rank)


def provide(
    account_ids: list[UUID] | None,
    metrics: set[str],
    on: date,
    known_at: datetime | None = None,
    earlier: Any = None,
) -> Columns:
    """Metric to account to observation as of ``on``, for these accounts (None: all not archived).

    Two queries, and those of the users asked for unless ``earlier``, what providers before this one found, has
    them; one while the desk has no ticket, none when nothing of it is asked. ``known_at`` leaves out what happened
    later.
    """
    wanted = {name for name in metrics if _is_ours(name)}
    if not wanted:
        return {}
    figures, served, ranks = _figures(account_ids, wanted, on, known_at)
    if not served:
        return {}
    given = _Given(account_ids, wanted, on, known_at)
    silent = {account for account, figure in figures.items() if figure.is_silent}
    served -= silent & given.ever
    users: Mapping[UUID, Observation] = {}
    if PER_USER in wanted:
        found = (
            earlier.by_account(["active_users"]) if earlier else usage_of(account_ids, {"active_users"}, on, known_at)
        )
        users = found.get("active_users", {})
    observed_at = datetime.combine(on, time(), UTC)
    columns: Columns = defaultdict(dict)
    for name in wanted:
        for account in served - given.kept(name):
            value = _value(name, figures[account], ranks, users.get(account))
            if value is not None:
                columns[name][account] = Observation(trimmed(value), observed_at, SOURCE)
    return dict(columns)


def _is_ours(name: str) -> bool:
    plain = name.partition(":")[0]
    return name in _OPENED | _RESOLVED | _RATED | {OPEN, _ELAPSED, CRITICAL} or plain in {OPEN, COUNTED}


def _value(name: str, f: _Figures, ranks: Mapping[str, int], users: Observation | None) -> Decimal | None:
    plain, _colon, severity = name.partition(":")
    if severity:
        key = severity.lower()
        counts, more = (f.open, f.incidents) if plain == OPEN else (f.fortnight, f.fresh_incidents)
        return Decimal(counts.get(key, 0) + more.get(key, 0))
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
    CRITICAL: lambda f: Decimal(f.critical),
}


def _figures(
    account_ids: list[UUID] | None, wanted: set[str], on: date, known_at: datetime | None
) -> tuple[dict[UUID, _Figures], set[UUID], dict[str, int]]:
    """The figures of accounts, which of them the desk may look after, and the ranks of severities. One query."""
    narrow = "" if account_ids is None else "AND t.account_id = ANY(%(ids)s)"
    which = "a.archived_at IS NULL" if account_ids is None else "a.id = ANY(%(ids)s)"
    parts = " UNION ALL ".join(
        f"SELECT '{part}', f.* FROM ({_PARTS[part].format(narrow=narrow, which=which)}) AS f" for part in _asked(wanted)
    )
    figures: dict[UUID, _Figures] = defaultdict(_Figures)
    served: set[UUID] = set()
    ranks: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {_DESK} {parts}", {"on": on, "known_at": known_at, "ids": account_ids})
        for part, account, key, *numbers in cursor.fetchall():
            if part == "severity":
                ranks[key] = int(numbers[0])
                continue
            if part == "served":
                served.add(account)
            figures[account].take(part, key, numbers)
    return figures, served, ranks


def _asked(wanted: set[str]) -> Iterator[str]:
    """The parts that these metrics need."""
    yield from ("served", "severity")
    if _OPENED & wanted or any(name.startswith(f"{COUNTED}:") for name in wanted):
        yield "opened"
    if any(name.startswith(OPEN) for name in wanted):
        yield "open"
    for part, names in (("resolved", _RESOLVED), ("rated", _RATED), ("elapsed", {_ELAPSED})):
        if names & wanted:
            yield part
    if CRITICAL in wanted or any(":" in name for name in wanted):
        yield "incidents"


class _Given:
    """What somebody stated of tickets. One query."""

    def __init__(self, account_ids: list[UUID] | None, wanted: set[str], on: date, known_at: datetime | None) -> None:
        names = {part for name in wanted for part in _parts(name)}
        self._values = latest_values(account_ids, names | _LOOKED_AFTER, on, known_at)
        self._oldest = datetime.combine(on - timedelta(days=STATED_FOR_DAYS), time(), UTC)

    @property
    def ever(self) -> set[UUID]:
        """Accounts whose tickets were ever stated."""
        return {account for name in _LOOKED_AFTER for account in self._values.get(name, ())}

    def kept(self, name: str) -> set[UUID]:
        """Accounts for which the metric, or a part of it, is stated and kept up."""
        columns = (self._values.get(part, {}) for part in _parts(name))
        return {account for column in columns for account, seen in column.items() if seen.observed_at >= self._oldest}


def _parts(name: str) -> Iterable[str]:
    """What may be stated in the place of a metric: itself, and the daily figures it is made of."""
    plain = name.partition(":")[0]
    if plain == OPEN:
        return {name, plain, *(f"open_tickets_s{rank}" for rank in (1, 2, 3, 4))}
    if name in _RATED | {_ELAPSED, CRITICAL}:
        return {name}
    if name in _RESOLVED:
        return {name, "tickets_resolved", "resolution_hours_total"}
    if name == "escalation_rate_percentage":
        return {name, "tickets_escalated"}
    return {name, "tickets_opened", *(f"tickets_s{rank}" for rank in (1, 2, 3, 4))}
