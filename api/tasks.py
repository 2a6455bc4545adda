"""What the API does by the clock."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from api.idempotency import forget_old
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="api.forget_keys")
def forget_keys() -> int:
    """Delete idempotency keys older than 72 hours."""
    return forget_old(at=timezone.now())
