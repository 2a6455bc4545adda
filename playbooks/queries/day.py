"""A person's own CTAs and tasks for the page of the day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from accounts.models.stand_ins import worked_by
from accounts.queries.day import lines
from accounts.queries.stand_ins import lent
from playbooks.choices import CtaStatus, Priority
from playbooks.models import Cta, Task

if TYPE_CHECKING:
    from accounts.models import User


def day_ctas(user: User, until_on: date) -> QuerySet[Any]:
    """Open CTAs of ``user`` and of those they stand in for, due up to ``until_on`` or of high priority, as ``Line``."""
    near = Q(due_on__lte=until_on) | Q(priority=Priority.HIGH)
    rows = Cta.objects.visible_to(user).open().filter(near, _whose(user, "owner"), account__archived_at=None)
    fields = {"title": "title", "note": "reason", "due_on": "due_on", "priority": "priority", "ref": "kind"}
    return lines(rows, "cta", "due_on", pk="pk", account="account", lent=lent(user, "owner"), **fields)


def day_tasks(user: User, today: date) -> QuerySet[Any]:
    """Open tasks of open CTAs of ``user`` and of those they stand in for, due up to ``today``, as ``Line`` values."""
    rows = Task.objects.visible_to(user).filter(completed_at=None, due_on__lte=today)
    mine = rows.filter(_whose(user, "cta__owner"), cta__status=CtaStatus.OPEN, cta__account__archived_at=None)
    fields = {"note": "cta__title", "due_on": "due_on", "priority": "cta__priority", "ref": "cta"}
    return lines(
        mine, "task", "due_on", pk="pk", title="title", account="cta__account", lent=lent(user, "cta__owner"), **fields
    )


def _whose(user: User, owner: str) -> Q:
    return Q(**{f"{owner}__in": worked_by(user)})
