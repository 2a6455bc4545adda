"""Support tickets, until there is a desk: a timeline entry each, and daily figures an account.

The daily figures are added up from the entries of the source, so that they come out the same however often
and in whatever pieces the file is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.choices import ActivityKind
from accounts.fields import Unreadable, read_moment, read_number
from accounts.models import Activity
from imports.mapping import TargetField
from imports.models import ImportJob
from imports.targets.base import Context, Settled, Shaped, Target, reject, settle_activities
from usage.actions import define_stated_metrics, record_observations
from usage.models import MetricDefinition

# How bad the words of ticket systems are; what is not among them counts in the total only.
RANKS = {
    "urgent": 1, "critical": 1, "highest": 1, "p1": 1, "s1": 1, "1": 1,
    "high": 2, "p2": 2, "s2": 2, "2": 2,
    "medium": 3, "normal": 3, "p3": 3, "s3": 3, "3": 3,
    "low": 4, "lowest": 4, "p4": 4, "s4": 4, "4": 4,
}  # fmt: skip
SATISFIED = 4
# What methodologies call the share of satisfied answers; those that the workspace knows are given.
SATISFACTION = ("csat_pct", "support_satisfaction", "satisfaction_pct")
RATED_WITHIN = 90
NUMBERS = ("resolution_hours", "first_response_minutes", "rating")
BATCH = 5000


class Tickets(Target):
    lasting = (
        "A ticket's log is only ever added to, and promises were measured by it. Cancel tickets that should not exist."
    )
    fields = {
        "external_id": TargetField("Ticket id", True, ("ticket_id", "id", "number")),
        "account": TargetField("Account", True, ("account_id", "customer_id", "organization_id")),
        "opened_at": TargetField("Opened", True, ("created_at", "submitted_at", "opened"), is_day=True),
        "closed_at": TargetField("Closed", False, ("resolved_at", "solved_at", "closed"), is_day=True),
        "subject": TargetField("Subject", False, ("title", "summary")),
        "priority": TargetField("Priority", False, ("severity", "urgency")),
        "resolution_hours": TargetField("Hours to resolution", False, ("resolution_time_hours",)),
        "first_response_minutes": TargetField("Minutes to first response", False, ("first_response_time_minutes",)),
        "rating": TargetField("Rating, 1 to 5", False, ("satisfaction_score", "csat")),
        "escalated": TargetField("Escalated", False, ("escalation_flag", "is_escalated")),
    }

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        return settle_activities([_entry(row) for row in rows], context)

    def advance(self, job: ImportJob, context: Context) -> None:
        """Add the daily figures up again from every ticket of the source."""
        values = _daily_figures(context.source)
        define_stated_metrics(at=context.at)
        known = set(MetricDefinition.objects.values_list("key", flat=True))
        values = [value for value in values if value["metric"] in known]
        for start in range(0, len(values), BATCH):
            record_observations(values[start : start + BATCH], source=context.source, at=context.at)


def _entry(row: Shaped) -> dict[str, Any] | Settled:
    """The timeline entry of a ticket, or why it cannot be one."""
    data: dict[str, Any] = {"priority": row.get("priority", "").lower(), "escalated": _yes(row.get("escalated", ""))}
    try:
        name = "opened_at"
        opened = read_moment(row.get("opened_at", ""))
        name = "closed_at"
        closed = read_moment(row["closed_at"]) if row.get("closed_at") else None
        for name in NUMBERS:
            if row.get(name):
                data[name] = format(read_number(row[name]), "f")
    except Unreadable as wrong:
        return reject(name, wrong.rule, wrong.message)
    if closed is not None:
        data["closed_at"] = closed.isoformat()
    subject = row.get("subject") or f"Ticket {row.get('external_id', '')}"
    return {
        "external_id": row.get("external_id", ""),
        "account": row.get("account", ""),
        "kind": ActivityKind.TICKET.value,
        "title": f"{subject} ({data['priority']})"[:200] if data["priority"] else subject[:200],
        "at": opened.isoformat(),
        "data": data,
    }


def _yes(text: str) -> bool:
    return text.strip().lower() in {"true", "yes", "1", "y"}


def _daily_figures(source: str) -> list[dict[str, Any]]:
    """Metric values for each account and day on which something happened. One query."""
    entries = Activity.objects.filter(kind=ActivityKind.TICKET, source=source).order_by("account_id", "at", "pk")
    sums: dict[tuple[UUID, date, str], Decimal] = defaultdict(Decimal)
    ratings: dict[UUID, list[tuple[date, Decimal]]] = defaultdict(list)
    for account, at, data in entries.values_list("account_id", "at", "data"):
        opened = at.date()
        sums[account, opened, "tickets_opened"] += 1
        rank = RANKS.get(data.get("priority", ""))
        for known in RANKS.values() if rank else ():
            sums[account, opened, f"tickets_s{known}"] += 0
        if rank:
            sums[account, opened, f"tickets_s{rank}"] += 1
        if data.get("escalated"):
            sums[account, opened, "tickets_escalated"] += 1
        if "closed_at" in data:
            closed = datetime.fromisoformat(data["closed_at"])
            hours = Decimal(data.get("resolution_hours") or (closed - at).total_seconds() / Decimal(3600))
            sums[account, closed.date(), "tickets_resolved"] += 1
            sums[account, closed.date(), "resolution_hours_total"] += hours
        if "rating" in data:
            ratings[account].append((opened, Decimal(data["rating"])))
    for account, given in ratings.items():
        for day, _rating in given:
            for metric in SATISFACTION:
                sums[account, day, metric] = _satisfied(given, day)
    return [
        {"account": str(account), "metric": metric, "on": day.isoformat(), "value": format(value, "f")}
        for (account, day, metric), value in sorted(sums.items())
    ]


def _satisfied(given: list[tuple[date, Decimal]], day: date) -> Decimal:
    """Share of ratings of 4 or 5 among those of the 90 days up to ``day``, in percent."""
    recent = [rating for on, rating in given if 0 <= (day - on).days < RATED_WITHIN]
    good = sum(1 for rating in recent if rating >= SATISFIED)
    return (Decimal(100 * good) / len(recent)).quantize(Decimal("0.01"))
