"""Working time: add it, measure it, find the next opening. Pure: no Django, no database, no clock.

    calendar = read_calendar({"timezone": "Europe/Berlin", "weekly": {"mon": [["09:00", "17:00"]]}})
    calendar.add(start, minutes)      # the instant at which the budget is used up
    calendar.between(start, end)      # working time from start to end
    calendar.next_open(at)            # the first open instant from ``at`` on
    calendar.is_open(at)

Working time is real elapsed time while the calendar's wall clock is inside one of its half-open windows, so a
window over a change of the clocks is as long as the night really was.
"""

from businesstime.calendar import Calendar, NoWorkingTime
from businesstime.reading import CalendarProblem, InvalidCalendar, read_calendar

__all__ = ["Calendar", "CalendarProblem", "InvalidCalendar", "NoWorkingTime", "read_calendar"]
