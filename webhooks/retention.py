"""How long events and their deliveries are kept, by parts: there may be hundreds of thousands."""

from __future__ import annotations

from datetime import datetime, timedelta

from webhooks.models import Delivery, Endpoint, Event

KEPT = timedelta(days=30)
BATCH = 5000


def forget_old(*, at: datetime) -> int:
    """Delete events written more than 30 days ago with their deliveries; how many.

    By 5,000, each in a transaction of its own.
    """
    count = 0
    old = Event.objects.filter(created_at__lt=at - KEPT).order_by("created_at").values_list("pk", flat=True)
    while keys := list(old[:BATCH]):
        Event.objects.filter(pk__in=keys).delete()
        count += len(keys)
    return count


def forget_deleted() -> int:
    """Delete the deliveries of endpoints that are gone; how many. By 5,000, each in a transaction of its own."""
    count = 0
    orphans = Delivery.objects.exclude(endpoint__in=Endpoint.objects.values("pk")).order_by()
    for gone in list(orphans.values_list("endpoint_id", flat=True).distinct()):
        rows = Delivery.objects.filter(endpoint_id=gone).order_by("-created_at", "-id").values_list("pk", flat=True)
        while keys := list(rows[:BATCH]):
            Delivery.objects.filter(pk__in=keys).delete()
            count += len(keys)
    return count
