"""The desk's own figures: times, first contact, satisfaction, load, channels, volume, backlog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.utils.module_loading import import_string

from accounts.models import Account
from support.choices import Channel, Status, TicketType
from support.models import SlaPolicy, SlaPolicyVersion, TeamSeat, Ticket, TicketRating, TimeEntry
from support.models.clocks import many_past_due
from support.queries.reports.period import Period
from support.sla.promises import ELAPSED

if TYPE_CHECKING:
    from accounts.models import User

# A working day, for the share of it that was logged.
MINUTES_A_DAY = 480
SATISFIED = 4
AGES: tuple[tuple[str, int, int | None], ...] = (
    ("under a day", 0, 1), ("1 to 3 days", 1, 3), ("3 to 7 days", 3, 7), ("7 to 30 days", 7, 30),
    ("over 30 days", 30, None),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a period; None where nothing was measured. Hours elapse."""

    opened: int
    resolved: int
    response_hours: float | None
    resolution_hours: float | None
    first_contact: float | None
    csat: float | None
    rated: int
    knowledge: float | None
    per_customer: float | None
    per_user: float | None
    utilization: float | None
    escalated: int

    @property
    def escalation_rate(self) -> float | None:
        """Escalated over all opened (FMEA-15.4)."""
        return self.escalated / self.opened if self.opened else None


def counted(user: User) -> QuerySet[Ticket]:
    """Tickets ``user`` sees that count: not the cancelled ones (spam, merged into another)."""
    return Ticket.objects.visible_to(user).exclude(status=Status.CANCELLED)


def opened_in(user: User, period: Period) -> QuerySet[Ticket]:
    return counted(user).filter(_opened(period))


def resolved_in(user: User, period: Period) -> QuerySet[Ticket]:
    return counted(user).filter(_resolved(period))


def answered_in(user: User, period: Period) -> QuerySet[Ticket]:
    return counted(user).filter(_answered(period))


def _opened(period: Period) -> Q:
    return Q(created_at__gte=period.start, created_at__lt=period.end)


def _resolved(period: Period) -> Q:
    return Q(resolved_at__gte=period.start, resolved_at__lt=period.end)


def _answered(period: Period) -> Q:
    return Q(opened_by_staff=False, first_responded_at__gte=period.start, first_responded_at__lt=period.end)


def escalated_in(user: User, period: Period) -> QuerySet[Ticket]:
    """Opened in the period and escalated at any time since."""
    return opened_in(user, period).filter(escalations__isnull=False).distinct()


def rated_in(user: User, period: Period) -> QuerySet[TicketRating]:
    return TicketRating.objects.filter(ticket__in=counted(user), at__gte=period.start, at__lt=period.end)


def figures(user: User, period: Period) -> Figures:
    """The KPIs of the desk (FMEA-14.5, FMEA-15.4). Seven queries."""
    opened, resolved, answered = _opened(period), _resolved(period), _answered(period)
    desk = counted(user).filter(opened | resolved | answered).aggregate(
        opened=Count("pk", filter=opened),
        resolved=Count("pk", filter=resolved),
        first=Count("pk", filter=resolved & Q(solved_at_first_contact=True)),
        until_resolved=Avg(_length("resolved_at"), filter=resolved),
        until_answered=Avg(_length("first_responded_at"), filter=answered),
    )  # fmt: skip
    rated = rated_in(user, period).aggregate(count=Count("pk"), satisfied=Count("pk", filter=Q(score__gte=SATISFIED)))
    # People given access: the account's figure, else its licensed seats.
    customers = Account.objects.visible_to(user).live().aggregate(
        count=Count("pk"), users=Sum(Coalesce("assigned_users", "seats"))
    )  # fmt: skip
    return Figures(
        opened=desk["opened"],
        resolved=desk["resolved"],
        response_hours=_hours(desk["until_answered"]),
        resolution_hours=_hours(desk["until_resolved"]),
        first_contact=_share(desk["first"], desk["resolved"]),
        csat=_share(rated["satisfied"], rated["count"]),
        rated=rated["count"],
        knowledge=_knowledge(period),
        per_customer=_share(desk["opened"], customers["count"]),
        per_user=_share(desk["opened"], customers["users"] or 0),
        utilization=_utilization(user, period),
        escalated=escalated_in(user, period).count(),
    )


def by_channel(user: User, period: Period) -> list[dict[str, Any]]:
    """For each channel: tickets opened in the period, how many of them are resolved, times, CSAT. One query."""
    rows = opened_in(user, period).order_by("channel").values("channel")
    return [
        {**row, "label": Channel(row["channel"]).label}
        for row in rows.annotate(
            opened=Count("pk"),
            resolved=Count("pk", filter=Q(resolved_at__isnull=False)),
            length=Avg(_length("first_responded_at"), filter=Q(opened_by_staff=False)),
            answered=Count("first_responded_at", filter=Q(opened_by_staff=False)),
            rated=Count("csat_score"),
            satisfied=Count("pk", filter=Q(csat_score__gte=SATISFIED)),
        )
    ]


@dataclass(frozen=True, slots=True)
class Average:
    """A promise about the mean of many answers (FLEET-10.7): how long it was, and whether that kept it."""

    name: str
    channels: list[str]
    promise: dict[str, Any]
    seconds: float | None
    kept: bool | None


def averages(rows: list[dict[str, Any]]) -> list[Average]:
    """The promises that are kept on average, judged by ``by_channel`` rows. One query."""
    newest = SlaPolicyVersion.objects.filter(policy__in=SlaPolicy.objects.in_force()).order_by("policy_id", "-number")
    return [
        _average(version.policy, rule["response"], rows)
        for version in newest.distinct("policy_id").select_related("policy")
        for rule in version.rules
        if rule.get("statistic") and rule.get("response")
    ]


def _average(policy: SlaPolicy, promise: dict[str, Any], rows: list[dict[str, Any]]) -> Average:
    timed = [row for row in rows if row["channel"] in policy.channels and row["length"] is not None]
    count = sum(row["answered"] for row in timed)
    seconds = sum(row["length"].total_seconds() * row["answered"] for row in timed) / count if count else None
    target = promise["value"] * ELAPSED[promise["unit"]] if promise["unit"] in ELAPSED else None
    kept = None
    if seconds is not None and target is not None:
        kept = seconds < target if promise.get("op") == "<" else seconds <= target
    return Average(policy.name, policy.channels, promise, seconds, kept)


def channel_guides() -> list[dict[str, Any]]:
    """What the methodologies say about channels, from the app that knows (``settings.CHANNEL_GUIDES``). One query."""
    return list(import_string(settings.CHANNEL_GUIDES)())


def by_month(rows: QuerySet[Ticket], period: Period, moment: str = "created_at") -> list[int]:
    """How many in each month of the period. One query."""
    found = rows.order_by().annotate(month=TruncMonth(moment)).values_list("month").annotate(count=Count("pk"))
    counts = {f"{month:%Y-%m}": count for month, count in found}
    return [counts.get(f"{month:%Y-%m}", 0) for month in period.months]


def how_to(user: User, period: Period, account_id: UUID | None) -> QuerySet[Ticket]:
    return of_account(opened_in(user, period).filter(type=TicketType.HOW_TO), account_id)


def of_account(rows: QuerySet[Ticket], account_id: UUID | None) -> QuerySet[Ticket]:
    return rows.filter(account=account_id) if account_id else rows


def rising(counts: list[int]) -> bool:
    """Whether the last two months each had more than the one before (FLEET-5.8)."""
    return len(counts) > 2 and counts[-3] < counts[-2] < counts[-1]


def rising_accounts(user: User, today: date) -> list[dict[str, Any]]:
    """Accounts whose tickets rose in both of the last two whole months, most tickets first. One query."""
    last = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    before = (last - timedelta(days=1)).replace(day=1)
    first = (before - timedelta(days=1)).replace(day=1)
    months = [Period(month, _last_day(month)) for month in (first, before, last)]
    rows = counted(user).filter(created_at__gte=months[0].start, created_at__lt=months[2].end)
    counts = {
        f"m{place}": Count("pk", filter=Q(created_at__gte=month.start, created_at__lt=month.end))
        for place, month in enumerate(months)
    }
    found: Any = rows.order_by().values("account_id", "account__name").annotate(**counts)
    return list(found.filter(m1__gt=F("m0"), m2__gt=F("m1")).order_by("-m2", "account__name")[:50])


def launched_on(user: User, account_id: UUID | None) -> date | None:
    """The day the account became a customer, else of its first ticket. Two queries."""
    if account_id is None:
        return None
    since = Account.objects.visible_to(user).filter(pk=account_id).values_list("customer_since_on", flat=True).first()
    first: datetime | None = counted(user).filter(account=account_id).aggregate(at=Min("created_at"))["at"]
    return since or (first.date() if first else None)


def backlog(user: User, at: datetime) -> list[tuple[str, int, int]]:
    """Active tickets by age: (words, tickets, of them overdue). One query."""
    parts = {}
    for place, (_words, lower, upper) in enumerate(AGES):
        old = aged(at, lower, upper)
        parts[f"n{place}"] = Count("pk", filter=old)
        parts[f"o{place}"] = Count("pk", filter=old & many_past_due(at))
    found = Ticket.objects.visible_to(user).active().aggregate(**parts)
    return [(words, found[f"n{place}"], found[f"o{place}"]) for place, (words, _l, _u) in enumerate(AGES)]


def aged(at: datetime, lower: int, upper: int | None) -> Q:
    """Opened at least ``lower`` and less than ``upper`` days ago."""
    found = Q(created_at__lte=at - timedelta(days=lower))
    return found if upper is None else found & Q(created_at__gt=at - timedelta(days=upper))


def _last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _length(moment: str) -> ExpressionWrapper:
    return ExpressionWrapper(F(moment) - F("created_at"), output_field=DurationField())


def _hours(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds() / 3600


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _utilization(user: User, period: Period) -> float | None:
    """Minutes logged over the working days of everybody with a seat on a team or who logged some. Two queries."""
    logged = TimeEntry.objects.filter(ticket__in=counted(user), at__gte=period.start, at__lt=period.end)
    minutes = dict(logged.order_by().values_list("user").annotate(n=Sum("minutes")))
    people = {*minutes, *TeamSeat.objects.filter(user__is_active=True).values_list("user", flat=True)}
    days = int(np.busday_count(period.since, period.until + timedelta(days=1)))
    return _share(sum(minutes.values()), len(people) * days * MINUTES_A_DAY)


def _knowledge(period: Period) -> float | None:
    """The share of looked-up questions that an article answered since the period began. One query."""
    places = import_string(settings.KNOWLEDGE_FIGURES)(period.start.astimezone(UTC))
    answered, left = sum(place["answered"] for place in places), sum(place["open"] for place in places)
    return _share(answered, answered + left)
