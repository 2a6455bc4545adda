"""How long events and their deliveries are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from webhooks.models import Event

KEPT = timedelta(days=30)
BATCH = 5000


def forget_old(*, at: datetime) -> int:
    """Delete events written more than 30 days ago with their deliveries; how many.

    By 5,000, each in a transaction of its own: an import may have told of hundreds of thousands.
    """
    count = 0
    old = Event.objects.filter(created_at__lt=at - KEPT).order_by("created_at").values_list("pk", flat=True)
    while keys := list(old[:BATCH]):
        Event.objects.filter(pk__in=keys).delete()
        count += len(keys)
    return count
