"""Due days: business days of the workspace's calendar, or calendar days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.models import WorkCalendar, Workspace
from businesstime import Calendar, InvalidCalendar, read_calendar
from businesstime.rules import next_business_day
from playbooks.choices import DayUnit

# Where no calendar says otherwise (AMB-12): Monday to Friday.
OFFICE_WEEK = {"weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


class DueDays:
    """Counts days from the local day of ``at``. Two queries, then none; make one for a batch."""

    def __init__(self, at: datetime) -> None:
        zone = Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
        self.today = at.astimezone(ZoneInfo(zone)).date()
        self.calendar = working_calendar(zone)

    def after(self, days: int, unit: str = DayUnit.BUSINESS) -> date:
        """The day ``days`` later; 0 business days on a closed day is the next business day."""
        if unit == DayUnit.CALENDAR:
            return self.today + timedelta(days=days)
        return next_business_day(self.calendar.rules, self.today, days)


def working_calendar(zone: str) -> Calendar:
    """The first installed calendar that is not round the clock, read in ``zone`` where it names none."""
    definitions = WorkCalendar.objects.order_by("id").exclude(definition__contains={"always_open": True})
    definition = definitions.values_list("definition", flat=True).first() or OFFICE_WEEK
    try:
        return read_calendar(definition, default_timezone=zone)
    except InvalidCalendar:  # edited by hand in the database: work still gets a date
        return read_calendar(OFFICE_WEEK, default_timezone=zone)
