"""Reads of calendars."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import AuditEntry, WorkCalendar


def calendar_changes(calendar: WorkCalendar) -> QuerySet[AuditEntry]:
    """What was changed of ``calendar``, newest first. One query."""
    rows = AuditEntry.objects.filter(object_type="workcalendar", object_id=str(calendar.pk), action="calendar.update")
    return rows.order_by("-pk")
