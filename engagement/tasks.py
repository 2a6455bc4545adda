"""Celery's doors to the outbox; the beat schedule is in config/celery.py."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from engagement import actions, delivery
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="engagement.deliver")
def deliver() -> dict[str, int]:
    """Announce new CTAs, gather surplus mail, then send what is due in this tenant."""
    now = timezone.now()
    actions.announce_ctas(at=now)
    actions.bundle_excess(at=now)
    return delivery.deliver_due(now=now)
