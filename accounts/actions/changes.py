"""Telling the health recompute which accounts have new facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from accounts.models import ChangedAccount

BATCH = 2000


def mark_changed(account_ids: Iterable[UUID], *, at: datetime) -> None:
    """Note that facts of these accounts changed at ``at``; the next sweep scores them again.

    Belongs into the transaction of the fact. One statement per 2,000 accounts. Keys are written in order,
    so that two writers never wait for each other in a circle.
    """
    rows = [ChangedAccount(account_id=pk, changed_at=at) for pk in sorted(set(account_ids))]
    ChangedAccount.objects.bulk_create(
        rows, batch_size=BATCH, update_conflicts=True, unique_fields=["account_id"], update_fields=["changed_at"]
    )
