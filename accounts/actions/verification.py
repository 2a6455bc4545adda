"""Reading the whole audit chain again, in turns, with the place reached kept for whoever looks."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import START, entry_hash
from accounts.errors import RuleViolated
from accounts.models import AuditEntry, ChainCheck

if TYPE_CHECKING:
    from accounts.models import User

AT_A_TIME = 120.0
CHUNK = 5000


@transaction.atomic
def start_check(*, actor: User | None, at: datetime) -> ChainCheck:
    """A new check of the chain as it is now, to be read by a worker. Raises RuleViolated while one is under way."""
    latest = ChainCheck.objects.select_for_update(of=("self",)).order_by("-started_at").first()
    if latest is not None and latest.is_under_way(at):
        raise RuleViolated("audit.under_way", "The chain is being read already.")
    return ChainCheck.objects.create(
        started_by=actor, started_at=at, touched_at=at, entries=AuditEntry.objects.count(), last_hash=START
    )


def read_on(check_id: UUID, *, seconds: float = AT_A_TIME) -> bool:
    """Read on for about ``seconds``. True when the check has ended, at the end or at what does not fit.

    About 10,000 entries a second. Entries appended meanwhile are read too.
    """
    check = ChainCheck.objects.get(pk=check_id)
    until = time.monotonic() + seconds
    while check.finished_at is None and time.monotonic() < until:
        chunk = list(AuditEntry.objects.filter(pk__gt=check.position).order_by("pk")[:CHUNK])
        for entry in chunk:
            check.read += 1
            if entry.prev_hash != check.last_hash or entry.hash != entry_hash(entry):
                check.broken_at = entry.pk
                break
            check.position, check.last_hash = entry.pk, entry.hash
        check.touched_at = timezone.now()
        if check.broken_at is not None or len(chunk) < CHUNK:
            check.finished_at = check.touched_at
        check.entries = max(check.entries, check.read)
        check.save()
    return check.finished_at is not None
