"""Celery's doors to webhooks; the beat schedule is in config/celery.py."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tenants import bell
from tenants.tasks import TenantTask
from webhooks import collecting, delivery
from webhooks.actions import DELIVER, FORGET
from webhooks.retention import forget_deleted, forget_old

# The oldest thing that waits: an event nobody has collected for an active endpoint, or a delivery that is due.
_WAITING = """least(
    (select min(entry.at) from {schema}.accounts_auditentry entry where entry.id >
        (select min(position) from {schema}.webhooks_endpoint where state = 'active')),
    (select min(due.not_before) from {schema}.webhooks_delivery due
        join {schema}.webhooks_endpoint door on door.id = due.endpoint_id
        where due.delivered_at is null and due.failed_at is null and due.not_before <= now()
        and (due.is_test or door.state = 'active' and coalesce(door.rests_until <= now(), true))))"""


@shared_task(base=TenantTask, name=DELIVER, waiting=f"select {_WAITING}")
def deliver() -> dict[str, int]:
    """Collect what happened, then send what is due in this tenant."""
    bell.heard(DELIVER)
    collected = collecting.collect(at=timezone.now())
    # Anew: collecting months takes a minute, and leases and signatures count from the moment of sending.
    done = delivery.deliver_due(now=timezone.now())
    if sum(done.values()) >= delivery.PER_ENDPOINT:
        bell.ring(DELIVER)  # more waits than one round sends
    return {"collected": collected, **done}


@shared_task(base=TenantTask, name="webhooks.forget_old")
def forget_old_events() -> int:
    """Delete events of more than 30 days ago with their deliveries, and what deleted endpoints left; how many."""
    return forget_old(at=timezone.now()) + forget_deleted()


@shared_task(base=TenantTask, name=FORGET)
def forget_deleted_endpoints() -> int:
    """Delete the deliveries of endpoints that were deleted; how many."""
    bell.heard(FORGET)
    return forget_deleted()
