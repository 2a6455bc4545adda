"""Telling the health recompute which accounts have new facts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from tenants.bell import ring_on_commit

BATCH = 10_000


def mark_changed(account_ids: Iterable[UUID], *, at: datetime) -> None:
    """Note that facts of these accounts changed at ``at``; a sweep seconds after the commit scores them again.

    Belongs into the transaction of the fact. One statement per 10,000 accounts. Keys are written in order,
    so that two writers never wait for each other in a circle.
    """
    keys = sorted(set(account_ids))
    if keys:
        ring_on_commit(settings.CHANGED_ACCOUNTS_TASK)
    with connection.cursor() as cursor:
        for start in range(0, len(keys), BATCH):
            cursor.execute(
                "INSERT INTO accounts_changedaccount (account_id, changed_at)"
                " SELECT key, %s FROM unnest(%s::uuid[]) AS key"
                " ON CONFLICT (account_id) DO UPDATE SET changed_at = excluded.changed_at",
                [at, keys[start : start + BATCH]],
            )
