"""The calendars promises are counted in: as stored, with the holidays they observe, in the customer's zone."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from accounts.models import WorkCalendar, Workspace
from businesstime import Calendar, read_calendar
from businesstime.holidays import public_holidays
from support.models import HolidayList

# Holidays of a country are listed for so many years round the present one.
YEARS_BACK, YEARS_AHEAD = 2, 4


class Calendars:
    """Every calendar of the workspace with its holidays. Three queries, made once a piece of work."""

    def __init__(self, *, year: int | None = None) -> None:
        year = year or datetime.now(UTC).year
        self.years = range(year - YEARS_BACK, year + YEARS_AHEAD)
        self.zone = Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
        self.rows: dict[UUID, WorkCalendar] = {row.pk: row for row in WorkCalendar.objects.all()}
        self.by_key = {row.key: row for row in self.rows.values()}
        self._holidays = _holidays(self.years)

    def definition(self, row: WorkCalendar, zone: str = "") -> dict[str, Any]:
        """``row`` in the shape of the calendar call, holidays included.

        Its zone is its own, else ``zone`` (the customer's), else the workspace's (AMB-12).
        """
        found = dict(row.definition)
        found["timezone"] = found.get("timezone") or zone or self.zone
        for field, days in self._holidays.get(row.pk, {}).items():
            found[field] = sorted({*found.get(field, []), *days})
        return found

    def calendar(self, row: WorkCalendar, zone: str = "") -> Calendar:
        """``row`` ready to count in."""
        return calendar_of(self.definition(row, zone))

    def digest(self) -> str:
        """Changes whenever any deadline that is still open may: calendars, holidays, the workspace's zone."""
        content = [[str(pk), self.definition(row), row.minutes_per_day] for pk, row in sorted(self.rows.items())]
        return hashlib.sha256(json.dumps([self.zone, content], sort_keys=True).encode()).hexdigest()


def calendar_of(definition: Mapping[str, Any]) -> Calendar:
    """The calendar of a complete definition; equal ones are one object, so that its days are laid out once."""
    return _calendar(json.dumps(definition, sort_keys=True))


@lru_cache(maxsize=512)
def _calendar(text: str) -> Calendar:
    return Calendar(read_calendar(json.loads(text), default_timezone="UTC").rules, source=text)


def _holidays(years: range) -> dict[UUID, dict[str, set[str]]]:
    """Days off of each calendar, by the field of its definition they belong to. Two queries."""
    found: dict[UUID, dict[str, set[str]]] = defaultdict(lambda: {"holidays": set(), "recurring_holidays": set()})
    for each in HolidayList.objects.prefetch_related("calendars"):
        days = set(public_holidays(each.country, each.subdivision, years)) if each.country else set()
        days -= set(each.removed)
        for calendar in each.calendars.all():
            fields = found[calendar.pk]
            fields["holidays"] |= days | {day for day in each.days if len(day) == 10}
            fields["recurring_holidays"] |= {day for day in each.days if len(day) == 5}
    return found
