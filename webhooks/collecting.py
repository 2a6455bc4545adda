"""What the audit log tells, put into the outbox of each endpoint.

An entry is written in the transaction of its fact, and whoever writes one holds the log's lock until the commit, so
keys appear in order: an endpoint that has read up to a key has missed nothing before it. The facts themselves
cost nothing more, whether or not anybody listens.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import AuditEntry
from webhooks.catalogue import EventType, actions_of, types_of
from webhooks.events import log_end, written
from webhooks.models import Delivery, Endpoint, Event

log = logging.getLogger(__name__)
BATCH = 500
# So many batches for one endpoint in a round: one that catches up with months must not keep the others waiting.
MOST_BATCHES = 10


def collect(*, at: datetime) -> int:
    """Write the deliveries of everything new for every active endpoint; how many.

    Safe to run twice at once: an endpoint somebody else collects for is skipped, and an event reaches it once. An error
    stops one endpoint, until it is mended, and no other.
    """
    count = 0
    for key in list(Endpoint.objects.active().order_by("pk").values_list("pk", flat=True)):
        try:
            count += _collect_for(key, at)
        except Exception:
            log.exception("events for the webhook %s could not be collected", key)
    return count


def _collect_for(key: Any, at: datetime) -> int:
    count = 0
    for _batch in range(MOST_BATCHES):
        written_now, is_done = _batch_for(key, at)
        count += written_now
        if is_done:
            break
    return count


@transaction.atomic
def _batch_for(key: Any, at: datetime) -> tuple[int, bool]:
    """Tell one endpoint of up to 500 entries: (deliveries written, whether that was all)."""
    rows = Endpoint.objects.active().select_for_update(of=("self",), skip_locked=True)
    endpoint = rows.filter(pk=key).first()
    if endpoint is None:
        return 0, True
    end = log_end()
    if end <= endpoint.position:
        return 0, True
    fresh = AuditEntry.objects.filter(pk__gt=endpoint.position, action__in=actions_of(endpoint.event_types))
    entries = list(fresh.order_by("pk")[:BATCH])
    told = [
        (known, entry)
        for entry in entries
        for known in types_of(entry.action, entry.after, endpoint.event_types)
    ]  # fmt: skip
    count = _deliver_to(endpoint, told, at) if told else 0
    is_done = len(entries) < BATCH
    position = max(end, entries[-1].pk if entries else 0) if is_done else entries[-1].pk
    Endpoint.objects.filter(pk=endpoint.pk).update(position=position)
    return count, is_done


def _deliver_to(endpoint: Endpoint, told: list[tuple[EventType, AuditEntry]], at: datetime) -> int:
    """One delivery for each pair. Four statements, and a few for each kind of resource that is new."""
    known = _events(told)
    missing = [(kind, entry) for kind, entry in told if (entry.pk, kind.name) not in known]
    if missing:
        bodies = written(missing)
        new = [
            Event(
                type=kind.name, entry=entry.pk, account_id=entry.account_id, occurred_at=entry.at, created_at=at,
                body=body,
            )
            for (_kind, entry), (kind, body) in zip(missing, bodies, strict=True)
        ]  # fmt: skip
        # RACE: another endpoint's collector may have written the same event meanwhile; then its words count.
        Event.objects.bulk_create(new, ignore_conflicts=True)
        known = _events(told)
    rows = [
        Delivery(event_id=known[entry.pk, kind.name], endpoint=endpoint, created_at=at, not_before=at)
        for kind, entry in told
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _events(told: list[tuple[EventType, AuditEntry]]) -> dict[tuple[int, str], Any]:
    """The keys of events that exist, by entry and type. One query."""
    rows = Event.objects.filter(entry__in=[entry.pk for _kind, entry in told])
    return {(entry, name): key for entry, name, key in rows.values_list("entry", "type", "pk")}
