"""Escalations of a period: volume, time, satisfaction, patterns, outcome (FLEET-9.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from support.choices import EscalationOutcome
from support.models import Escalation
from support.queries.reports.period import Period

if TYPE_CHECKING:
    from accounts.models import User


def raised_in(user: User, period: Period) -> QuerySet[Escalation]:
    """Escalations of accounts ``user`` sees that were raised in the period."""
    return Escalation.objects.visible_to(user).filter(raised_at__gte=period.start, raised_at__lt=period.end)


def by_level(user: User, period: Period) -> list[dict[str, Any]]:
    """By level: volume, of it by the product, average time to the end, satisfaction. One query."""
    length = ExpressionWrapper(F("resolved_at") - F("raised_at"), output_field=DurationField())
    rows: Any = raised_in(user, period).order_by().values("ladder__pack", "level", "level_name", "rank")
    return list(
        rows.annotate(
            count=Count("pk"), automatic=Count("pk", filter=Q(is_automatic=True)),
            ended=Count("pk", filter=Q(resolved_at__isnull=False)), length=Avg(length),
            satisfaction=Avg("satisfaction"), minutes=Avg("minutes_spent"),
        ).order_by("ladder__pack", "rank", "level")
    )  # fmt: skip


def by_type(user: User, period: Period) -> list[dict[str, Any]]:
    """By type: the path and what the ticket is about. One query."""
    rows: Any = raised_in(user, period).order_by().values("path", "ticket__type")
    return list(rows.annotate(count=Count("pk")).order_by("-count", "path"))


def by_outcome(user: User, period: Period) -> list[tuple[str, str, int]]:
    """(key, words, how many) of every outcome and of those still open. One query."""
    counts = dict(raised_in(user, period).order_by().values_list("outcome").annotate(count=Count("pk")))
    ended = [(outcome.value, outcome.label, counts.get(outcome.value, 0)) for outcome in EscalationOutcome]
    return [*ended, ("open", "Still open", counts.get("", 0))]


def patterns(user: User, period: Period, *, most: int = 20) -> list[dict[str, Any]]:
    """What comes again: printed triggers, else categories or components, of two or more. One query."""
    rows: Any = raised_in(user, period).order_by().values("trigger", "ticket__category", "ticket__component")
    counted = rows.annotate(count=Count("pk"), accounts=Count("account", distinct=True))
    return list(counted.filter(count__gt=1).order_by("-count", "trigger")[:most])
