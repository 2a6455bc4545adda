"""A person's own CTAs and tasks for the page of the day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from accounts.queries.day import lines
from playbooks.choices import CtaStatus, Priority
from playbooks.models import Cta, Task

if TYPE_CHECKING:
    from accounts.models import User


def day_ctas(user: User, until_on: date) -> QuerySet[Any]:
    """Open CTAs that ``user`` owns and that are due up to ``until_on``, or of high priority, as ``Line`` values."""
    near = Q(due_on__lte=until_on) | Q(priority=Priority.HIGH)
    rows = Cta.objects.visible_to(user).open().filter(near, owner=user, account__archived_at=None)
    fields = {"title": "title", "note": "reason", "due_on": "due_on", "priority": "priority", "ref": "kind"}
    return lines(rows, "cta", "due_on", pk="pk", account="account", **fields)


def day_tasks(user: User, today: date) -> QuerySet[Any]:
    """Open tasks of open CTAs that ``user`` owns, due up to ``today``, as ``Line`` values."""
    rows = Task.objects.visible_to(user).filter(completed_at=None, due_on__lte=today)
    mine = rows.filter(cta__status=CtaStatus.OPEN, cta__owner=user, cta__account__archived_at=None)
    fields = {"note": "cta__title", "due_on": "due_on", "priority": "cta__priority", "ref": "cta"}
    return lines(mine, "task", "due_on", pk="pk", title="title", account="cta__account", **fields)
