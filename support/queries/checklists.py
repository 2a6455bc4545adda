"""Checklists for their pages, with what a month's review is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from support.models import Checklist, ChecklistTemplate
from support.queries.reports.escalations import patterns
from support.queries.reports.period import Period, following

if TYPE_CHECKING:
    from accounts.models import User


def templates() -> QuerySet[ChecklistTemplate]:
    """What can be started, with ``open_count``. One query."""
    opened = Count("checklists", filter=Q(checklists__closed_at=None))
    return ChecklistTemplate.objects.filter(retired_at=None).annotate(open_count=opened)


def checklists(most: int = 50) -> list[Checklist]:
    """Those that were started, open ones first, then the newest, with ``steps`` and ``steps_done``. One query."""
    counted = Checklist.objects.select_related("template", "opened_by").annotate(
        steps=Count("items"), steps_done=Count("items", filter=Q(items__done_at__isnull=False))
    )
    return list(counted.order_by("closed_at", "-opened_at")[:most])


def checklist_of(key: UUID) -> Checklist | None:
    """One with its steps and their owners. Two queries."""
    rows = Checklist.objects.select_related("template", "opened_by").prefetch_related("items__owner", "items__done_by")
    return rows.filter(pk=key).first()


def recurring(user: User, checklist: Checklist) -> list[dict[str, Any]]:
    """What came again among the escalations of its month (FLEET-9.15); none without a month. One query."""
    if checklist.month is None:
        return []
    return patterns(user, Period(checklist.month, following(checklist.month) - timedelta(days=1)))
