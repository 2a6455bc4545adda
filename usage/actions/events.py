"""Taking a batch of events in: read, check, store, answer. Counting them is the drain's work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import connection, transaction

from accounts.errors import QuotaReached
from tenants.quotas import limits_of, take_events
from usage import intake
from usage.choices import ReceiptKind
from usage.models import HistoryMonth, IngestReceipt
from usage.partitions import window_floor

KEPT_ERRORS = 100
HISTORY_FLOOR = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to a batch: its receipt, how many items it held, and those refused at once."""

    receipt: IngestReceipt
    rejected: list[intake.Rejection]

    def as_json(self) -> dict[str, Any]:
        """The answer of INTERFACES §3 "Usage in"."""
        return {
            "receipt": str(self.receipt.pk),
            "received": self.receipt.received,
            "rejected": [msgspec.to_builtins(one) for one in self.rejected],
        }


def receive_events(rows: Iterable[dict[str, Any]], *, source: str, at: dt.datetime, history: bool = False) -> Received:
    """Take rows of text (a CSV file's) as events. With ``history``, any event since 2000 is taken.

    Months older than the window that come in this way are kept 13 months from now, so that the same file
    counts once however often it is read.
    """
    return store_events(intake.read_rows(rows, "events", source=source), at=at, history=history)


@transaction.atomic
def store_events(batch: intake.Batch[intake.Event], *, at: dt.datetime, history: bool = False) -> Received:
    """Store a batch in the inbox with its receipt: two statements and one COPY, whatever its size.

    Refuses events outside the window, item by item. When this returns and the transaction commits, every item
    not refused will be counted exactly once. Raises QuotaReached, with nothing stored, when the workspace would pass
    its events of the day.
    """
    batch = intake.within_window(batch, floor=HISTORY_FLOOR if history else window_floor(at), now=at)
    if batch.items and not take_events(len(batch.items), at=at):
        raise _too_many_today()
    receipt = IngestReceipt(kind=ReceiptKind.EVENTS, source=batch.source, received=batch.received, created_at=at)
    text, batch = intake.copy_lines(batch, str(receipt.pk))
    receipt.rejected = len(batch.rejected)
    receipt.errors = [msgspec.to_builtins(one) for one in batch.rejected[:KEPT_ERRORS]]
    receipt.done_at = None if batch.items else at
    receipt.save(force_insert=True)
    if history:
        _keep_months(batch, at=at)
    if text:
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY usage_inbox (receipt_id, source, external_id, account, app_user, event, at, quantity, properties)"
                " FROM STDIN"
            ) as copy,
        ):
            copy.write(text)
    return Received(receipt, batch.rejected)


def _too_many_today() -> QuotaReached:
    limit = limits_of().events_per_day
    text = f"This workspace may send {limit:,} events a day (UTC); this call would pass that. Nothing of it was kept."
    return QuotaReached("quota.events_per_day", text, "events")


def _keep_months(batch: intake.Batch[intake.Event], *, at: dt.datetime) -> None:
    floor = window_floor(at)
    moments = {event.at.astimezone(dt.UTC).date().replace(day=1) for event in batch.items if event.at < floor}
    HistoryMonth.objects.bulk_create(
        [HistoryMonth(month=month, loaded_at=at) for month in sorted(moments)],
        update_conflicts=True, unique_fields=["month"], update_fields=["loaded_at"],
    )  # fmt: skip
