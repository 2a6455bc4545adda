"""What other domains do, told to whom it concerns. They do not know this app, so it looks at their rows.

Every sweep may run again or twice at once: the dedupe key tells each person once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Q

from accounts.models import User, Workspace
from engagement.actions import notify
from engagement.choices import Kind
from engagement.models import Notification, OutboxMessage
from playbooks.choices import CtaStatus
from playbooks.models import Cta, Task

FRESH = timedelta(days=1)
# Nobody is reminded before this hour of the workspace's day.
MORNING = 7


def announce_all(*, at: datetime) -> int:
    """Tell of CTAs handed over and of those back from a snooze; how many notices were new."""
    return announce_ctas(at=at) + announce_woken(at=at)


@transaction.atomic
def announce_ctas(*, at: datetime) -> int:
    """Tell each owner of a CTA that a person opened for or handed to them within a day; how many were told.

    Who opened a CTA for themselves knows; what a rule opens is told by the rule. Three queries and those of
    each notice.
    """
    by_another = Q(opened_by__isnull=False) & ~Q(opened_by=F("owner"))
    fresh = _ours(at).filter(by_another | ~Q(assigned_at=F("opened_at")), assigned_at__gt=at - FRESH)
    told = 0
    for key, cta in _untold({f"cta:{cta.pk}:{cta.owner_id}": cta for cta in fresh}):
        handed_over = cta.assigned_at != cta.opened_at
        told += _tell(cta, Kind.CTA_ASSIGNED if handed_over else Kind.CTA_OPENED, cta.reason, key, at)
    return told


@transaction.atomic
def announce_woken(*, at: datetime) -> int:
    """Tell each owner of a CTA that came back from its snooze within a day; how many were told."""
    fresh = _ours(at).filter(woken_at__gt=at - FRESH)
    told = 0
    for key, cta in _untold({f"woken:{cta.pk}:{cta.woken_at:%Y%m%d%H%M%S}": cta for cta in fresh}):
        told += _tell(cta, Kind.CTA_WOKE, "The snooze is over.", key, at)
    return told


@transaction.atomic
def remind_of_tasks(*, at: datetime) -> int:
    """Tell each person once a day, from seven in the workspace's morning, what is due; how many were told.

    Counts open tasks due until today of CTAs that are open, by the CTA's owner.
    """
    zone = Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
    local = at.astimezone(ZoneInfo(zone))
    if local.hour < MORNING:
        return 0
    due = Task.objects.filter(
        completed_at=None, due_on__lte=local.date(), cta__status=CtaStatus.OPEN, cta__owner__is_active=True
    )
    titles: dict[UUID, list[str]] = {}
    for task in due.select_related("cta__account").order_by("due_on", "position"):
        owner_id = task.cta.owner_id
        if owner_id is not None:
            titles.setdefault(owner_id, []).append(f"{task.cta.account.name}: {task.title}")
    people = User.objects.in_bulk(titles)
    return sum(_remind(people[pk], lines, local.date().isoformat(), at) for pk, lines in titles.items())


def _remind(person: User, lines: list[str], day: str, at: datetime) -> int:
    more = [f"and {len(lines) - 10} more"] if len(lines) > 10 else []
    return notify(
        [person],
        kind=Kind.TASK_DUE,
        title=f"{len(lines)} task{'' if len(lines) == 1 else 's'} due",
        body="\n".join([*lines[:10], *more]),
        url="/ctas/?owner=me",
        at=at,
        dedupe_key=f"tasks:{day}",
    )


def _ours(at: datetime) -> Any:
    return Cta.objects.open().filter(owner__is_active=True).select_related("owner", "account")


def _untold(ctas: dict[str, Cta]) -> Iterable[tuple[str, Cta]]:
    """Those whose key neither a notice nor a mail carries yet. Two queries."""
    told = {
        key
        for model in (Notification, OutboxMessage)
        for key in model.objects.filter(dedupe_key__in=ctas).values_list("dedupe_key", flat=True)
    }
    return [(key, cta) for key, cta in ctas.items() if key not in told]


def _tell(cta: Cta, kind: str, body: str, key: str, at: datetime) -> int:
    return notify(
        [cta.owner] if cta.owner else [],
        kind=kind,
        title=f"{cta.account.name}: {cta.title}",
        body=body,
        url=f"/ctas/{cta.pk}/",
        account=cta.account,
        at=at,
        dedupe_key=key,
    )
