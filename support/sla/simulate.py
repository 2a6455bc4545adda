"""What-if: a calendar, targets and events somebody made up, through the functions that judge real tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from businesstime import Calendar
from support.sla.clocks import Period, State, add, judge, used
from support.sla.promises import Promise
from support.sla.timeline import CANCELLED, CREATED, DONE, REOPENED, STATUS, ClockRule, Mark, runs_of

CLOCKS = ("first_response", "update", "resolution")
WAITING = "waiting"
# What each event of the call means to the clocks; the others are accepted and change nothing.
MARKS = {
    "created": (CREATED, ""),
    "first_response": ("first_response", ""),
    "agent_reply": ("agent_reply", ""),
    "waiting": (STATUS, WAITING),
    "resumed": (STATUS, ""),
    "resolved": (DONE, ""),
    "closed": (DONE, ""),
    "reopened": (REOPENED, ""),
    "cancelled": (CANCELLED, ""),
}
IGNORED = frozenset({"customer_reply"})
EVENT_TYPES = (*MARKS, *sorted(IGNORED))
STOPS = {"first_response": "first_response", "update": "agent_reply", "resolution": DONE}
# A first response never waits unless it is told to: else it could be parked (AMB-14).
PAUSABLE = {"first_response": False, "update": True, "resolution": True}


def simulate(
    calendar: Calendar,
    targets: Mapping[str, int],
    events: Sequence[tuple[str, datetime]],
    *,
    pausable: Mapping[str, bool] | None = None,
    evaluated_at: datetime | None = None,
) -> dict[str, Any]:
    """Deadlines, time used and left, and breaches of each clock in ``targets`` (seconds).

    Judged as of ``evaluated_at``, by default the last event. Deadlines come back in the calendar's zone;
    ``next_due`` is the earliest of a clock still running.
    """
    zone = calendar.rules.zone
    at = (evaluated_at or max(moment for _kind, moment in events)).astimezone(UTC)
    known = [(kind, moment) for kind, moment in events if kind in MARKS and moment <= at]
    marks = [Mark(MARKS[kind][0], moment, MARKS[kind][1]) for kind, moment in known]
    wanted = PAUSABLE | dict(pausable or {})
    answer: dict[str, Any] = {}
    running: list[datetime] = []
    for clock in CLOCKS:
        if clock not in targets:
            continue
        pauses = frozenset({WAITING}) if wanted[clock] else frozenset[str]()
        rule = ClockRule(frozenset({STOPS[clock]}), pauses, lapses=False)
        run = runs_of(clock, rule, marks)[-1]
        state = judge(run, [Period(run.started_at, Promise(targets[clock], calendar))], at=at)
        due = state.due_at or _pushed_on(state, at)
        if run.stopped_at is None:
            running.append(due)
        answer |= {
            f"{clock}_due": due.astimezone(zone),
            f"{clock}_business_minutes": _minutes(state.consumed),
            f"{clock}_remaining_minutes": _minutes(state.remaining),
            f"{clock}_breached": state.missed_at is not None,
        }
    return answer | {"next_due": min(running).astimezone(zone) if running else None}


def _pushed_on(state: State, at: datetime) -> datetime:
    """A pause that is still open pushes the deadline on: as if it ended now."""
    left = state.promise.target - used(state.promise.calendar, state.run.spans(), at)
    return add(state.promise.calendar, at, left)


def _minutes(length: Any) -> float | int:
    value = Fraction(int(length.total_seconds() * 1_000_000), 60_000_000)
    return int(value) if value.denominator == 1 else float(value)
