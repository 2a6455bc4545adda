"""The calendars promises are counted in: as stored, with the holidays they observe, in the customer's zone."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from accounts.models import WorkCalendar, Workspace
from businesstime import Calendar, NoWorkingTime, read_calendar
from businesstime.findings import NAMES, oddities
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
        self._holidays = days_off(HolidayList.objects.prefetch_related("calendars"), self.years)

    def put(self, row: WorkCalendar) -> None:
        """Count in ``row`` instead of the stored one."""
        self.rows[row.pk] = row
        self.by_key[row.key] = row

    def put_holidays(self, lists: Iterable[HolidayList]) -> None:
        """Observe ``lists``, stored or not, instead of the stored ones."""
        self._holidays = days_off(lists, self.years)

    def observed(self, row: WorkCalendar) -> int:
        """How many days off ``row`` has besides those in its own definition, in the years looked at."""
        return sum(map(len, self._holidays.get(row.pk, {}).values()))

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


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar for its list: what it says, as text, and whether it is open now."""

    row: WorkCalendar
    week: list[tuple[str, str]]
    zone: str
    is_open: bool
    opens_at: datetime | None
    lists: list[HolidayList]
    days: int
    oddities: list[str]


def calendars_shown(*, at: datetime) -> list[Shown]:
    """Every calendar as it is at ``at``, the workspace's own first. Six queries, however many there are."""
    known = Calendars(year=at.year)
    observed = holiday_lists()
    rows = sorted(known.rows.values(), key=lambda row: (bool(row.pack), row.name))
    return [_shown(row, known, observed, at) for row in rows]


def _shown(row: WorkCalendar, known: Calendars, lists: list[HolidayList], at: datetime) -> Shown:
    calendar = known.calendar(row)
    is_open = calendar.is_open(at)
    return Shown(
        row=row,
        week=_week(row.definition),
        zone=calendar.rules.zone.key,
        is_open=is_open,
        opens_at=None if is_open else _next_open(calendar, at),
        lists=[each for each in lists if row.pk in observers(each)],
        days=known.observed(row),
        oddities=oddities(calendar.rules),
    )


def holiday_lists() -> list[HolidayList]:
    """Every list of days off with the calendars that observe it. Two queries."""
    return list(HolidayList.objects.prefetch_related("calendars"))


def _next_open(calendar: Calendar, at: datetime) -> datetime | None:
    try:
        return calendar.next_open(at)
    except NoWorkingTime:
        return None


def _week(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(days, hours) with equal neighbours joined: [("Monday–Friday", "09:00–17:00")]."""
    if definition.get("always_open"):
        return [("Always open", "")]
    weekly = definition.get("weekly") or {}
    found: list[list[str]] = []
    for day, name in NAMES.items():
        hours = ", ".join(f"{start}–{end}" for start, end in weekly.get(day) or [])
        if found and found[-1][2] == hours:
            found[-1][1] = name
        else:
            found.append([name, name, hours])
    return [(first if first == last else f"{first}–{last}", hours) for first, last, hours in found if hours]


def days_off(lists: Iterable[HolidayList], years: range) -> dict[UUID, dict[str, set[str]]]:
    """Days off of each calendar, by the field of its definition they belong to. Two queries for stored lists."""
    found: dict[UUID, dict[str, set[str]]] = defaultdict(lambda: {"holidays": set(), "recurring_holidays": set()})
    for each in lists:
        days = set(public_holidays(each.country, each.subdivision, years)) if each.country else set()
        days -= set(each.removed)
        for calendar in observers(each):
            fields = found[calendar]
            fields["holidays"] |= days | {day for day in each.days if len(day) == 10}
            fields["recurring_holidays"] |= {day for day in each.days if len(day) == 5}
    return found


def observers(row: HolidayList) -> list[UUID]:
    """Keys of the calendars that observe ``row``; of one that is being tried, those it would have."""
    tried: list[UUID] | None = row.__dict__.get("tried_calendars")
    return tried if tried is not None else [calendar.pk for calendar in row.calendars.all()]
