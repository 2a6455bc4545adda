"""An incident's promises worked out from its timeline: first notice, next update, resolution, review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Account, Severity, WorkCalendar
from playbooks.due import working_calendar
from support.choices import Clock, EntryKind
from support.models import Incident, IncidentEntry, SlaPolicy, SupportSettings
from support.queries.promises import Desk, Promises, fitting, shortest
from support.sla import ClockRule, Mark, Period, Promise, State, judge, runs_of
from support.sla import timeline as marks

NOTICE, UPDATE, REVIEWED = "notice", "update", "reviewed"
RULES = {
    Clock.FIRST_RESPONSE: ClockRule(frozenset({NOTICE})),
    Clock.UPDATE: ClockRule(frozenset({UPDATE}), repeats=True),
    Clock.RESOLUTION: ClockRule(frozenset({marks.DONE})),
}
REVIEW_RULE = ClockRule(frozenset({REVIEWED}))
# What a page calls an incident's promises where that differs from a ticket's.
NAMES = {Clock.FIRST_RESPONSE: "First notice"}
# Nobody is promised a review in a night: a day of work where a calendar is round the clock.
DAY_MINUTES = 480


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often customers are told: every ``minutes`` of ``calendar`` (None: round the clock)."""

    minutes: int | None
    calendar: WorkCalendar | None


def incident_promises(accounts: Sequence[Account], severity: Severity | None, desk: Desk) -> Promises:
    """What the service levels of ``accounts`` promise about each clock for this severity. One query."""
    found: Promises = {}
    policies = list(SlaPolicy.objects.in_force())
    for account in accounts:
        keys = [policy.pk for policy in fitting(policies, account.tier, "email")]
        zone = account.timezone or desk.calendars.zone
        tier = account.tier.key if account.tier else ""
        promised = desk.promises(keys, severity.key if severity else "*", zone=zone, tier=tier)
        for clock, promises in promised.items():
            found.setdefault(clock, []).extend(promises)
    return found


def cadence_for(
    accounts: Sequence[Account], severity: Severity | None, settings: SupportSettings, desk: Desk
) -> Cadence:
    """How often customers are told of an incident like this one: as their service levels say, else as the workspace.

    The calendar is theirs: round the clock as soon as one of them is served round the clock, or nobody says.
    """
    promised = incident_promises(accounts, severity, desk)
    updates = sorted(promised.get(Clock.UPDATE, ()), key=lambda promise: promise.seconds)
    refs = {promise.ref.calendar_id: promise.ref.calendar for each in promised.values() for promise in each}
    in_hours = [row for row in refs.values() if not row.definition.get("always_open")]
    calendar = in_hours[0] if in_hours and len(in_hours) == len(refs) else None
    if updates:
        return Cadence(max(1, updates[0].seconds // 60), calendar)
    rank = severity.rank if severity else len(settings.incident_update_minutes)
    minutes = settings.incident_update_minutes[: max(rank, 1)]
    return Cadence(minutes[-1] if minutes else None, calendar)


def incident_marks(entries: Iterable[IncidentEntry]) -> list[Mark]:
    """What the clocks need to know of the timeline. A letter to customers is a notice and an update."""
    found: list[Mark] = []
    for entry in entries:
        match entry.kind:
            case EntryKind.OPENED:
                found.append(Mark(marks.CREATED, entry.at, "open"))
            case EntryKind.LETTER:
                found += [Mark(NOTICE, entry.at), Mark(UPDATE, entry.at)]
            case EntryKind.UPDATE:
                found.append(Mark(UPDATE, entry.at))
            case EntryKind.RESOLVED:
                found.append(Mark(marks.DONE, entry.at))
            case EntryKind.REOPENED:
                found.append(Mark(marks.REOPENED, entry.at, "open"))
    return found


def review_marks(entries: Iterable[IncidentEntry]) -> list[Mark]:
    """What the clock of the review needs to know: it runs from a resolution until one is published."""
    found: list[Mark] = []
    for entry in entries:
        if entry.kind == EntryKind.RESOLVED:
            found.append(Mark(marks.REOPENED if found else marks.CREATED, entry.at, "open"))
        elif entry.kind == EntryKind.REOPENED:
            found.append(Mark(marks.CANCELLED, entry.at))
        elif entry.kind == EntryKind.REVIEW and entry.data.get("published"):
            found.append(Mark(REVIEWED, entry.at))
    return found


def incident_states(
    incident: Incident,
    entries: Sequence[IncidentEntry],
    accounts: Sequence[Account],
    *,
    desk: Desk,
    settings: SupportSettings,
    at: datetime,
) -> list[State]:
    """Every promise about ``incident`` as of ``at``, counted from when it was opened. One query, two with a review."""
    promised = incident_promises(accounts, incident.severity, desk)
    happened = incident_marks(entries)
    found: list[State] = []
    for clock, rule in RULES.items():
        for run in runs_of(clock, rule, happened):
            promise = (
                update_promise(incident, desk) if clock == Clock.UPDATE else _first_due(promised, clock, run.started_at)
            )
            if promise is not None:
                found.append(judge(run, [Period(run.started_at, promise)], at=at))
    if incident.review_required:
        promise = _review(settings, desk)
        runs = runs_of(Clock.REVIEW, REVIEW_RULE, review_marks(entries))
        found += [judge(run, [Period(run.started_at, promise)], at=at) for run in runs]
    return found


def _first_due(promised: Promises, clock: str, start: datetime) -> Promise | None:
    due = shortest(promised.get(clock, ()), start)
    return due.promise if due else None


def update_promise(incident: Incident, desk: Desk) -> Promise | None:
    """The next word, every ``update_minutes`` of the incident's calendar."""
    if not incident.update_minutes:
        return None
    row = desk.calendars.rows.get(incident.calendar_id) if incident.calendar_id else None
    unit = "business_minutes" if row else "minutes"
    calendar = desk.calendars.calendar(row) if row else working_calendar(desk.calendars.zone)
    return Promise.read({"value": incident.update_minutes, "unit": unit}, calendar, minutes_per_day=DAY_MINUTES)


def _review(settings: SupportSettings, desk: Desk) -> Promise:
    """The review, within so many business days of the workspace's first calendar with hours."""
    rows = sorted(desk.calendars.rows.values(), key=lambda row: row.pk)
    row = next((each for each in rows if not each.definition.get("always_open")), None)
    calendar = desk.calendars.calendar(row) if row else working_calendar(desk.calendars.zone)
    minutes = row.minutes_per_day if row else DAY_MINUTES
    value = {"value": settings.review_within_days, "unit": "business_days"}
    promise = Promise.read(value, calendar, minutes_per_day=minutes)
    assert promise is not None
    return promise
