"""A stored clock opened up: every stretch of time that was counted or skipped since it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from businesstime import Calendar
from support.choices import Clock
from support.models import SlaClock, SupportSettings, Ticket
from support.queries.calendars import calendar_of
from support.queries.states import ESCALATION_CLOCK_RULES, escalation_marks, ticket_marks, ticket_rules
from support.sla import Interval, Mark, Period, Promise, Run, State, explain, judge, runs_of
from support.sla.promises import elapsed


@dataclass(frozen=True, slots=True)
class Explanation:
    """A clock, its state as of the moment asked about, and its stretches."""

    clock: SlaClock
    state: State
    intervals: Sequence[Interval]
    zone: str

    @property
    def counted(self) -> timedelta:
        return sum((each.length for each in self.intervals if each.counts), timedelta())


def explain_clock(clock: SlaClock, settings: SupportSettings, *, at: datetime) -> Explanation | None:
    """Why the deadline of ``clock`` is where it is; None for one the log does not know any more.

    Counted in the calendar as it was when the deadline was worked out. Three queries.
    """
    run = next((run for run in _runs(clock, settings) if run.cycle == clock.cycle), None)
    if run is None:
        return None
    calendar = _calendar(clock)
    promise = Promise(clock.target_seconds, calendar, clock.strict, clock.policy_version)
    state = judge(run, [Period(clock.armed_at, promise)], at=at)
    return Explanation(clock, state, explain(state, at=at), calendar.rules.zone.key)


def clocks_of(ticket: Ticket) -> QuerySet[SlaClock]:
    """The clocks of a ticket with their policies, in order. One query."""
    return ticket.clocks.select_related("policy_version__policy", "calendar").order_by("started_at", "kind")


def _runs(clock: SlaClock, settings: SupportSettings) -> list[Run]:
    marks: list[Mark]
    if clock.ticket is not None:
        pause_on = clock.policy_version.pause_on if clock.policy_version else None
        marks, rule = ticket_marks(clock.ticket.events.all()), ticket_rules(settings, pause_on)[clock.kind]
        return runs_of(clock.kind, rule, marks, reopen_within=timedelta(days=settings.reopen_days))
    assert clock.escalation is not None
    marks = escalation_marks(clock.escalation, clock.escalation.updates.all())
    return runs_of(clock.kind, ESCALATION_CLOCK_RULES[Clock(clock.kind)], marks)


def _calendar(clock: SlaClock) -> Calendar:
    if clock.calendar is not None:
        return calendar_of(clock.calendar.definition)
    return elapsed(clock.ticket.timezone if clock.ticket else "UTC")
