"""Celery's door to the snooze sweep; the beat schedule is in config/celery.py."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from playbooks import actions
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="playbooks.wake_snoozed")
def wake_snoozed() -> int:
    """Bring snoozed CTAs back whose day has come; how many."""
    return len(actions.wake_snoozed(at=timezone.now()))
