"""An account's CTAs as of a past day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject

from accounts.models import User
from accounts.queries.past import Past
from playbooks.choices import CtaStatus
from playbooks.models import Cta, Task

if TYPE_CHECKING:
    from accounts.models import Account

HELD = ("title", "reason", "kind", "priority", "status", "due_on", "snoozed_until_on")


def ctas_as_of(user: User, account: Account, past: Past, limit: int = 20) -> list[Cta]:
    """The CTAs that were not closed by the end of the day, soonest first, each with ``open_tasks``. One or two queries.

    The audit log undoes later changes; a task completed later was open. One opened then was known then.
    """
    end = past.asked.end
    standing = Q(closed_at=None) | Q(closed_at__gte=end)
    rows = Cta.objects.visible_to(user).filter(standing, account=account.pk, opened_at__lt=end)
    undone = Task.objects.filter(Q(completed_at=None) | Q(completed_at__gte=end), cta=OuterRef("pk"))
    lines = undone.order_by("position").values(one=JSONObject(title="title", due_on="due_on"))
    found = [_then(cta, past) for cta in rows.select_related("owner").annotate(lines=ArraySubquery(lines))]
    found = [cta for cta in found if cta.status != CtaStatus.CLOSED]
    _owners_then(found, past)
    return sorted(found, key=lambda cta: (cta.due_on, cta.pk))[:limit]


def _then(cta: Cta, past: Past) -> Cta:
    day = past.asked.day
    for name in HELD:
        now = getattr(cta, name)
        value = past.record.value(cta.pk, name, day, now)
        setattr(cta, name, date.fromisoformat(value) if name.endswith("_on") and isinstance(value, str) else value)
    cta.open_tasks = [Task(title=line["title"], due_on=date.fromisoformat(line["due_on"])) for line in cta.lines]
    return cta


def _owners_then(ctas: list[Cta], past: Past) -> None:
    """Whose they were. One query where any changed hands since."""
    held: dict[UUID, Any] = {}
    for cta in ctas:
        owner = past.record.value(cta.pk, "owner_id", past.asked.day, cta.owner_id)
        if str(owner or "") != str(cta.owner_id or ""):
            held[cta.pk] = owner
    people = User.objects.in_bulk([UUID(str(key)) for key in held.values() if key]) if held else {}
    for cta in ctas:
        if cta.pk in held:
            cta.owner = people.get(UUID(str(held[cta.pk]))) if held[cta.pk] else None
