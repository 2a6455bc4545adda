"""How much of a promise is used up, until when there is time, and whether it was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from businesstime import Calendar, NoWorkingTime
from support.sla.promises import Promise
from support.sla.timeline import Run

TICK = timedelta(microseconds=1)
ZERO = timedelta()
Spans = Sequence[tuple[datetime, datetime | None]]


@dataclass(frozen=True, slots=True)
class Period:
    """A promise and the moment since which it holds: a change of severity brings another (AMB-15)."""

    since: datetime
    promise: Promise


@dataclass(frozen=True, slots=True)
class State:
    """A run as of one moment.

    ``due_at`` is the earliest moment at which the time is used up, None while paused (``remaining`` says what is
    left). ``consumed`` counts until the end or until the moment asked about. ``missed_at`` stays once it is set.
    """

    run: Run
    promise: Promise
    armed_at: datetime
    due_at: datetime | None
    consumed: timedelta
    paused: timedelta
    missed_at: datetime | None
    verdict: str

    @property
    def remaining(self) -> timedelta:
        """What is left; negative when late."""
        return self.promise.target - self.consumed


def judge(run: Run, periods: Sequence[Period], *, at: datetime) -> State:
    """The state of ``run`` as of ``at``, under the last of ``periods`` that began before it ended.

    Judged by time used and not by the clock on the wall: an answer after hours costs nothing. What was missed
    under an earlier promise stays missed; what ended keeps the promise it ended under. Moments come back in UTC.
    """
    end = run.stopped_at or at.astimezone(UTC)
    periods = [Period(period.since.astimezone(UTC), period.promise) for period in periods]
    inside = [period for period in periods if period.since <= end] or list(periods[:1])
    current = inside[-1]
    spans = run.spans()
    missed_at = _missed_before(spans, inside)
    consumed = used(current.promise.calendar, spans, end)
    if missed_at is None and _too_much(current.promise, consumed):
        missed_at = breach(current.promise, spans)
    return State(
        run=run,
        promise=current.promise,
        armed_at=max(current.since, run.started_at),
        due_at=_due(run, current.promise, spans),
        consumed=consumed,
        paused=_left_out(run, current.promise.calendar, end),
        missed_at=missed_at,
        verdict=_verdict(run, missed_at),
    )


def used(calendar: Calendar, spans: Spans, until: datetime) -> timedelta:
    """Time of ``calendar`` inside ``spans`` before ``until``."""
    total = ZERO
    for start, end in spans:
        if start < until:
            total += calendar.between(start, until if end is None or end > until else end)
    return total


def reach(calendar: Calendar, spans: Spans, amount: timedelta) -> datetime | None:
    """The first moment at which ``amount`` is used up; None while that is not in sight."""
    left = amount
    for start, end in spans:
        if end is None:
            return add(calendar, start, left)
        worked = calendar.between(start, end)
        if worked >= left:
            return add(calendar, start, left)
        left -= worked
    return None


def add(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """``start`` plus ``amount`` of ``calendar``, to the microsecond, in UTC. Raises NoWorkingTime."""
    return calendar.after(start, amount).astimezone(UTC)


def breach(promise: Promise, spans: Spans) -> datetime | None:
    """The moment from which on the promise is broken.

    With "less than" it is the deadline itself, otherwise the first working moment after it: what is due at
    closing time is still in time all night.
    """
    due = reach(promise.calendar, spans, promise.target)
    return due if due is None or promise.strict else promise.calendar.next_open(due).astimezone(UTC)


def moments(state: State, thresholds: Iterable[str]) -> dict[str, datetime]:
    """When each threshold is reached: "80%" of the time used, "60m" of it left, "100%" broken.

    One that cannot be reached (the clock ended before, waits, or never had so much time) is left out. Shares
    count in the promise's own time, so no warning comes at night for a promise in business hours.
    """
    spans, promise = state.run.spans(), state.promise
    found: dict[str, datetime] = {}
    for threshold in thresholds:
        try:
            at = _broken_at(state, spans) if threshold == "100%" else _warned_at(promise, spans, threshold)
        except NoWorkingTime:
            continue
        if at is not None:
            found[threshold] = at
    return found


def seconds_of(threshold: str, target: int) -> Fraction:
    """How much of ``target`` seconds is used up at ``threshold``; zero or less where it means nothing."""
    number = Fraction(threshold[:-1])
    return target * number / 100 if threshold.endswith("%") else target - number * 60


def _warned_at(promise: Promise, spans: Spans, threshold: str) -> datetime | None:
    seconds = seconds_of(threshold, promise.seconds)
    if not 0 < seconds < promise.seconds:
        return None
    return reach(promise.calendar, spans, timedelta(microseconds=int(seconds * 1_000_000)))


def _broken_at(state: State, spans: Spans) -> datetime | None:
    """When to tell that it is broken: at the first moment at which an answer would be too late."""
    if state.missed_at is not None:
        at = state.missed_at
    else:
        found = breach(state.promise, spans)
        if found is None or (state.run.stopped_at is not None):
            return None
        at = found
    return at if state.promise.strict else at + TICK


def _missed_before(spans: Spans, periods: Sequence[Period]) -> datetime | None:
    """When an earlier promise was broken while it held: a milder one does not undo that."""
    for period, following in pairwise(periods):
        if _too_much(period.promise, used(period.promise.calendar, spans, following.since)):
            broken = breach(period.promise, spans)
            return max(broken, period.since) if broken else following.since
    return None


def _too_much(promise: Promise, consumed: timedelta) -> bool:
    return consumed >= promise.target if promise.strict else consumed > promise.target


def _due(run: Run, promise: Promise, spans: Spans) -> datetime | None:
    """The deadline; of a run that ended with time left, where it lay when it ended."""
    due = reach(promise.calendar, spans, promise.target)
    if due is None and run.stopped_at is not None:
        left = promise.target - used(promise.calendar, spans, run.stopped_at)
        return add(promise.calendar, run.stopped_at, left)
    return due


def _left_out(run: Run, calendar: Calendar, until: datetime) -> timedelta:
    """Time of the calendar that the gaps left out."""
    total = ZERO
    for gap in run.gaps:
        end = until if gap.end is None or gap.end > until else gap.end
        if end > gap.start:
            total += calendar.between(gap.start, end)
    return total


def _verdict(run: Run, missed_at: datetime | None) -> str:
    if run.void or (run.lapsed and missed_at is None):
        return "cancelled"
    if missed_at is not None:
        return "missed"
    if run.stopped_at is not None:
        return "met"
    return "paused" if run.paused_since else "running"
