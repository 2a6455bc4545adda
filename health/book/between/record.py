"""The audit log read backwards: what a field held on an earlier day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from accounts.models import AuditEntry

READ = ("contract", "contact", "account")
FIELDS = ("at", "actor_label", "action", "object_type", "object_id", "object_label", "before", "after")


class Noted(NamedTuple):
    """One thing that happened in the period, as a line of the page; ``on`` is the workspace's day."""

    on: date
    what: str
    detail: str = ""
    by: str = ""


def moment_after(day: date) -> datetime:
    """The first moment after ``day`` in the zone that is active: a period ends before it."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class Record:
    """The audit entries of an account since a day, oldest first. One query to make, none to ask."""

    def __init__(self, account_id: UUID, since: date) -> None:
        rows = AuditEntry.objects.filter(account_id=account_id, at__gte=moment_after(since), object_type__in=READ)
        self.entries: list[dict[str, Any]] = list(rows.order_by("at", "pk").values(*FIELDS))

    def of(self, *actions: str, until: date) -> Iterable[dict[str, Any]]:
        """Entries of these actions up to the end of ``until``."""
        end = moment_after(until)
        return (entry for entry in self.entries if entry["action"] in actions and entry["at"] < end)

    def value(self, object_id: UUID, field: str, day: date, now: Any) -> Any:
        """What ``field`` of a row held at the end of ``day``: undone by the first later change, else as it is now."""
        after = moment_after(day)
        for entry in self.entries:
            if entry["object_id"] == str(object_id) and entry["at"] >= after and field in (entry["before"] or {}):
                return entry["before"][field]
        return now
