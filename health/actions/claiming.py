"""Long work in the background: one worker takes its row, and another takes it again where that one was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

LOST_AFTER = timedelta(minutes=3)
RUNNING = "running"


@transaction.atomic
def take(waiting: Any, key: UUID, **beginning: Any) -> Any:
    """The row of ``waiting`` with ``key``, running from ``beginning`` on; None where another worker has it.

    RACE: one worker takes it; one that was lost for three minutes may be taken again from the beginning.
    """
    now = timezone.now()
    row = waiting.select_for_update(of=("self",), skip_locked=True).filter(pk=key).first()
    if row is None or (row.state == RUNNING and row.touched_at > now - LOST_AFTER):
        return None
    values = {"state": RUNNING, "touched_at": now, **beginning}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    return row
