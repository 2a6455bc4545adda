"""What happened to a CTA so far, and how the same reason ended on its account before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Window

from accounts.models import AuditEntry
from playbooks.models import Cta
from playbooks.told import Told, told

if TYPE_CHECKING:
    from accounts.models import User
    from playbooks.models import Task

MOST_STEPS = 60
MOST_EARLIER = 5


class Earlier(NamedTuple):
    """The newest CTAs that the same trigger opened on the same account before or since, and how many there are."""

    rows: list[Cta]
    total: int


def cta_history(cta: Cta, tasks: Sequence[Task]) -> list[Told]:
    """Every change of a CTA and of its tasks, the newest first, at most MOST_STEPS. One query."""
    keys = [str(cta.pk), *(str(task.pk) for task in tasks)]
    entries = AuditEntry.objects.filter(object_type__in=("cta", "task"), object_id__in=keys).select_related("actor")
    return [told(entry) for entry in entries.order_by("-at", "-id")[:MOST_STEPS]]


def earlier_ctas(user: User, cta: Cta) -> Earlier:
    """Others of the same trigger on the same account that ``user`` may see. One query; none for one opened by hand."""
    if not cta.trigger_key:
        return Earlier([], 0)
    others = Cta.objects.visible_to(user).filter(account=cta.account_id, trigger_key=cta.trigger_key).exclude(pk=cta.pk)
    counted = others.select_related("closed_by").annotate(total=Window(Count("pk")))
    rows = list(counted.order_by("-opened_at", "pk")[:MOST_EARLIER])
    return Earlier(rows, rows[0].total if rows else 0)
