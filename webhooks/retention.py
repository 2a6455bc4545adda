"""How long events and their deliveries are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from webhooks.models import Event

KEPT = timedelta(days=30)
BATCH = 5000


def forget_old(*, at: datetime) -> int:
    """Delete events written more than 30 days ago, at most 5,000 a call; how many."""
    old = Event.objects.filter(created_at__lt=at - KEPT).order_by("created_at").values_list("pk", flat=True)[:BATCH]
    keys = list(old)
    Event.objects.filter(pk__in=keys).delete()
    return len(keys)
