"""Celery's doors to the outbox; the beat schedule is in config/celery.py."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from engagement import actions, announcements, delivery, holding, quota_warnings
from tenants.tasks import TenantTask


@shared_task(
    base=TenantTask,
    name="engagement.deliver",
    waiting="select min(not_before) from {schema}.engagement_outboxmessage where sent_at is null and dead_at is null"
    " and bundled_in_id is null and not_before <= now()",
)
def deliver() -> dict[str, int]:
    """Announce CTAs, hold what quiet hours hold, gather surplus mail, then send what is due in this tenant."""
    now = timezone.now()
    announcements.announce_all(at=now)
    holding.hold_in_quiet_hours(at=now)
    actions.bundle_excess(at=now)
    return delivery.deliver_due(now=now)


@shared_task(base=TenantTask, name="engagement.remind")
def remind() -> int:
    """Tell people once a day which of their tasks are due; how many were told."""
    return announcements.remind_of_tasks(at=timezone.now())


@shared_task(base=TenantTask, name="engagement.warn_of_quotas")
def warn_of_quotas() -> int:
    """Tell administrators which limits fill up; how many notices were new."""
    return quota_warnings.warn_of_quotas(at=timezone.now())
