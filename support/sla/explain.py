"""Why a deadline is where it is: every stretch of time since the start, counted or skipped, and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from businesstime import Calendar
from support.sla.clocks import State
from support.sla.timeline import DONE, Run

COUNTED, CLOSED, HOLIDAY = "counted", "closed", "holiday"


@dataclass(frozen=True, slots=True)
class Interval:
    """One stretch, in UTC. ``why`` is counted, closed, holiday, done, or the status in which the clock waited.

    ``used`` is the time used up at its end.
    """

    start: datetime
    end: datetime
    why: str
    used: timedelta

    @property
    def counts(self) -> bool:
        return self.why == COUNTED

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def explain(state: State, *, at: datetime, most: int = 400) -> list[Interval]:
    """The stretches from the start of ``state``'s run to its end, else to its deadline or ``at``, the later.

    They touch each other; those that count add up to what is used. At most ``most`` are listed: a longer story
    keeps its beginning and its end.
    """
    run = state.run
    until = run.stopped_at or max(filter(None, (state.due_at, at.astimezone(UTC))))
    found: list[Interval] = []
    used = timedelta()
    for start, end, why in _stretches(run, state.promise.calendar, until):
        if why == COUNTED:
            used += end - start
        found.append(Interval(start, end, why, used))
    if len(found) > most:
        return [*found[: most // 2], *found[-(most // 2) :]]
    return found


def _stretches(run: Run, calendar: Calendar, until: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    position = run.started_at
    for gap in run.gaps:
        start, end = min(gap.start, until), min(gap.end or until, until)
        yield from _worked(calendar, position, start)
        if end > start:
            yield start, end, gap.reason or DONE
        position = max(position, end)
    yield from _worked(calendar, position, until)


def _worked(calendar: Calendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    """``start`` to ``end`` cut at openings and closings."""
    if start >= end:
        return
    position = start
    for window in calendar.windows(start, end):
        opens, closes = (moment.astimezone(UTC) for moment in window)
        yield from _shut(calendar, position, opens)
        yield opens, closes, COUNTED
        position = closes
    yield from _shut(calendar, position, end)


def _shut(calendar: Calendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    if start < end:
        yield start, end, HOLIDAY if _on_holiday(calendar, start, end) else CLOSED


def _on_holiday(calendar: Calendar, start: datetime, end: datetime) -> bool:
    """Whether a listed day off lies between the two, on a weekday that would be worked."""
    rules = calendar.rules
    first, last = start.astimezone(rules.zone).date(), end.astimezone(rules.zone).date()
    days = min((last - first).days, 40)
    found = (first + timedelta(days=day) for day in range(days + 1))
    return any(rules.is_holiday(day) and rules.weekly[day.weekday()] for day in found)
