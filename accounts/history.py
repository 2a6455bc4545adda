"""The audit log read backwards: what a field of an account, or of what hangs on it, held on an earlier day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import AuditEntry

THEN = "then"
READ = ("contract", "contact", "account", "cta", "activity")
# Of what is in the list itself, the entry says no more than the row.
UNREAD = ("activity.logged",)
FIELDS = ("at", "actor_label", "action", "object_type", "object_id", "object_label", "before", "after")


def moment_after(day: date) -> datetime:
    """The first moment after ``day`` in the zone that is active: a period ends before it."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


@dataclass(frozen=True, slots=True)
class AsOf:
    """A past day; ``as_known`` says that only what had reached us by its end counts."""

    day: date
    as_known: bool

    @property
    def end(self) -> datetime:
        """The first moment that does not belong to it."""
        return moment_after(self.day)

    @property
    def parameters(self) -> dict[str, str]:
        """What the address says of it."""
        return {"as_of": self.day.isoformat(), "known": THEN if self.as_known else "now"}

    @property
    def words(self) -> str:
        """The second choice in words."""
        return "as it was known then" if self.as_known else "with what is known today"


class Record:
    """The audit entries of an account since a day, oldest first. One query to make, none to ask."""

    def __init__(self, account_id: UUID, since: date) -> None:
        rows = AuditEntry.objects.filter(account_id=account_id, at__gte=moment_after(since), object_type__in=READ)
        rows = rows.exclude(action__in=UNREAD)
        self.entries: list[dict[str, Any]] = list(rows.order_by("at", "pk").values(*FIELDS))

    def of(self, *actions: str, until: date | None = None) -> Iterable[dict[str, Any]]:
        """Entries of these actions up to the end of ``until``; all of them when it is left out."""
        end = moment_after(until) if until is not None else None
        return (entry for entry in self.entries if entry["action"] in actions and (end is None or entry["at"] < end))

    def value(self, object_id: UUID, field: str, day: date, now: Any) -> Any:
        """What ``field`` of a row held at the end of ``day``: undone by the first later change, else as it is now."""
        entry = self.change(object_id, field, day)
        return now if entry is None else entry["before"][field]

    def change(self, object_id: UUID, field: str, day: date) -> dict[str, Any] | None:
        """The first change of ``field`` after ``day``, which says in ``before`` what it held until then."""
        after = moment_after(day)
        for entry in self.entries:
            if entry["object_id"] == str(object_id) and entry["at"] >= after and field in (entry["before"] or {}):
                return entry
        return None
